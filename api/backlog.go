package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zksettle/settle/store"
)

// backlog is the unfinished work as it was last counted, with what was accepted here
// since: counting takes the longer the more there is, and requests come by the hundred
// per second. What other API processes on the same database accept is seen within age.
// Nobody is refused for an old count: it is taken again first.
type backlog struct {
	count func(context.Context) (store.Backlog, error)
	age   time.Duration // how old a count may be

	mu      sync.Mutex
	counted time.Time
	last    store.Backlog
}

// read returns the work, counted anew if the last count is old or the caller says so.
func (b *backlog) read(ctx context.Context, anew bool) (store.Backlog, error) {
	b.mu.Lock()
	if !anew && time.Since(b.counted) < b.age {
		defer b.mu.Unlock()
		return b.last, nil
	}
	previous := b.counted
	b.counted = time.Now() // others take the old count meanwhile
	b.mu.Unlock()
	fresh, err := b.count(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.counted = previous
		return store.Backlog{}, fmt.Errorf("read the backlog: %w", err)
	}
	b.last = fresh
	return fresh, nil
}

// add counts transactions that were accepted.
func (b *backlog) add(accepted int) {
	b.mu.Lock()
	b.last.Accepted += int64(accepted)
	b.mu.Unlock()
}
