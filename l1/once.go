package l1

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/rpc"
)

// once remembers what was said, so that a lasting fault is said once, and again
// when it becomes another one.
type once struct {
	mu   sync.Mutex
	said map[string]string
}

// news reports whether this kind of fault is new for what.
func (o *once) news(what string, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said == nil {
		o.said = map[string]string{}
	}
	kind := kindOf(err)
	if o.said[what] == kind {
		return false
	}
	o.said[what] = kind
	return true
}

// over forgets a fault that has ended, and reports whether there was one.
func (o *once) over(what string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, said := o.said[what]
	delete(o.said, what)
	return said
}

// kindOf leaves out what differs from call to call, as the number of a request.
func kindOf(err error) string {
	var refused rpc.Error
	var status rpc.HTTPError
	switch {
	case errors.Is(err, ErrNoAnswer):
		return "no answer"
	case errors.As(err, &refused):
		return fmt.Sprint("JSON-RPC ", refused.ErrorCode())
	case errors.As(err, &status):
		return fmt.Sprint("HTTP ", status.StatusCode)
	case IsUnavailable(err):
		return "unavailable"
	}
	return err.Error()
}
