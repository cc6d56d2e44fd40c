// Package outage logs failures of something that is retried. It logs a failure when it
// begins, when its reason changes and when it ends, and not at every try.
package outage

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Teller tells of one thing that may fail and is tried again. It is of one goroutine.
type Teller struct {
	log         *slog.Logger
	fails, over string // what is said
	now         func() time.Time
	since       time.Time // zero: it works
	last        string    // reason said last, without what changes by itself
	kindOf      func(error) string
}

// New returns a Teller for what works so far; fails and over are what it says.
func New(log *slog.Logger, fails, over string) *Teller {
	return &Teller{log: log, fails: fails, over: over, now: time.Now, kindOf: textOf}
}

// At lets the Teller read another clock.
func (t *Teller) At(now func() time.Time) *Teller {
	t.now = now
	return t
}

// Failed says at a level that a try has failed, unless it failed before for the same
// reason; said reports whether it did.
func (t *Teller) Failed(ctx context.Context, level slog.Level, err error, args ...any) (said bool) {
	reason := t.kindOf(err)
	if t.since.IsZero() {
		t.since = t.now()
	} else if reason == t.last {
		return false
	}
	t.last = reason
	t.log.Log(ctx, level, t.fails, append([]any{"error", err}, args...)...)
	return true
}

// Worked says that the failure is over, if there was one.
func (t *Teller) Worked(ctx context.Context) {
	if t.since.IsZero() {
		return
	}
	t.log.InfoContext(ctx, t.over, "after", t.now().Sub(t.since).Round(time.Millisecond))
	t.since, t.last = time.Time{}, ""
}

// Failing returns since when it has failed; zero when it works.
func (t *Teller) Failing() time.Time { return t.since }

// Tellers tell of many things, each named by what is said when it fails. Its methods may
// be called by several goroutines.
type Tellers struct {
	log    *slog.Logger
	kindOf func(error) string
	mu     sync.Mutex
	of     map[string]*Teller
}

// NewTellers returns Tellers of things that work so far. Failures of one kind count as
// one; kindOf may be nil.
func NewTellers(log *slog.Logger, kindOf func(error) string) *Tellers {
	if kindOf == nil {
		kindOf = textOf
	}
	return &Tellers{log: log, kindOf: kindOf, of: map[string]*Teller{}}
}

// Failed is Teller.Failed of the thing of which fails is said.
func (t *Tellers) Failed(ctx context.Context, level slog.Level, fails string, err error, args ...any) (said bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[fails] == nil {
		t.of[fails] = New(t.log, fails, "")
		t.of[fails].kindOf = t.kindOf
	}
	return t.of[fails].Failed(ctx, level, err, args...)
}

// Worked says over if the thing of which fails is said had failed.
func (t *Tellers) Worked(ctx context.Context, fails, over string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if teller := t.of[fails]; teller != nil {
		teller.over = over
		teller.Worked(ctx)
	}
}

func textOf(err error) string { return withoutDigits(err.Error()) }

// withoutDigits makes one reason of texts that differ in a port, a block or an amount.
func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// Pause waits for d before the next try; the context's error when that ends first.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
