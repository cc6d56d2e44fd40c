package l1

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/rpc"
)

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
