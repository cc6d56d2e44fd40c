package leader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// role is one that a test gives.
type role struct {
	epoch    store.Epoch
	lost     chan struct{}
	released bool
}

func (r *role) Epoch() store.Epoch            { return r.epoch }
func (r *role) Lost() <-chan struct{}         { return r.lost }
func (r *role) Release(context.Context) error { r.released = true; return nil }

// roles gives the role as often as it is asked for, unless refuse says otherwise.
type roles struct {
	refuse func(n int) error
	asked  int
	given  []*role
}

func (r *roles) acquire(context.Context, store.Role, string) (leader.Writer, error) {
	r.asked++
	if r.refuse != nil {
		if err := r.refuse(r.asked); err != nil {
			return nil, err
		}
	}
	w := &role{epoch: store.Epoch(len(r.given) + 1), lost: make(chan struct{})}
	r.given = append(r.given, w)
	return w, nil
}

var errFatal = errors.New("the contract is another one")

func config(r *roles, said *bytes.Buffer) leader.Config {
	return leader.Config{
		Acquire: r.acquire, Role: store.RoleSubmitter, Log: slog.New(slog.NewTextHandler(said, nil)),
		Fatal: func(err error) bool { return errors.Is(err, errFatal) },
	}
}

// Only what cannot heal ends a role: every other failure is waited for, and said once.
func TestOnlyWhatCannotHealEndsARole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		r := &roles{}
		failures := []error{
			store.ErrFenced, syscall.ECONNREFUSED, context.DeadlineExceeded,
			errors.New("daily request count exceeded, request rate limited"),
			errors.New("an answer that nobody has seen before"), nil,
		}
		cfg := config(r, &said)
		var standing []error
		cfg.Standing = func(reason error) { standing = append(standing, reason) }
		broken := 0
		cfg.Failed = func(error) { broken++ }
		tries := 0
		err := leader.Run(t.Context(), cfg, func(_ context.Context, tenure leader.Tenure) error {
			tries++
			require.Equal(t, store.Epoch(tries), tenure.Epoch, "each tenure has an epoch of its own")
			switch {
			case tries == 1:
				tenure.Working()
				return errors.New("an end of the first tenure that nobody has seen before")
			case tries <= 1+3*len(failures):
				return failures[(tries-2)/3]
			case tries == 2+3*len(failures):
				tenure.Working()
				return store.ErrFenced
			}
			return fmt.Errorf("look at the contract: %w", errFatal)
		})
		require.ErrorIs(t, err, errFatal)
		require.Equal(t, 3+3*len(failures), tries)
		require.Equal(t, tries-1, broken)
		require.Equal(t, 2+len(failures), strings.Count(said.String(), "the role is taken again"), said.String())
		require.Equal(t, 1, strings.Count(said.String(), "at work again"))
		require.NoError(t, standing[0], "at work")
		require.Error(t, standing[1])
		for _, w := range r.given {
			require.True(t, w.released)
		}
	})
}

// Pauses grow while tenures get nothing done, and begin anew after one that did.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		var begun []time.Time
		pauses := leader.DefaultPauses()
		_ = leader.Run(t.Context(), config(&roles{}, &said), func(_ context.Context, tenure leader.Tenure) error {
			begun = append(begun, time.Now())
			switch len(begun) {
			case 10:
				tenure.Progressed()
			case 12:
				return errFatal
			}
			return syscall.ECONNREFUSED
		})
		require.Equal(t, pauses.First, begun[1].Sub(begun[0]))
		require.Equal(t, 4*pauses.First, begun[3].Sub(begun[2]))
		require.Equal(t, pauses.Most, begun[9].Sub(begun[8]))
		require.Equal(t, pauses.First, begun[10].Sub(begun[9]))
		require.Equal(t, 2*pauses.First, begun[11].Sub(begun[10]))
	})
}

// Before a first tenure another holder ends the role, after it has been held for a
// moment; an outage before does not count.
func TestRoleHeldElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		r := &roles{refuse: func(n int) error {
			if n <= 5 {
				return syscall.ECONNREFUSED
			}
			return store.ErrWriterHeld
		}}
		begun := time.Now()
		err := leader.Run(t.Context(), config(r, &said), nil)
		require.ErrorIs(t, err, store.ErrWriterHeld)
		require.ErrorContains(t, err, "another submitter holds this database")
		require.Greater(t, time.Since(begun), 3*time.Second)
		require.Less(t, time.Since(begun), 10*time.Second)
	})
}

// One that stands by, or has lost its role to another, waits for as long as it takes.
func TestStandby(t *testing.T) {
	t.Parallel()
	for name, hadRole := range map[string]bool{"from the start": false, "after a tenure": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				r := &roles{refuse: func(n int) error {
					if n <= 100 && (n > 1 || !hadRole) {
						return fmt.Errorf("%w: it runs elsewhere", store.ErrWriterHeld)
					}
					return nil
				}}
				cfg := config(r, &said)
				cfg.Standby = !hadRole
				last := error(nil)
				cfg.Standing = func(reason error) { last = reason }
				begun := time.Now()
				err := leader.Run(t.Context(), cfg, func(_ context.Context, tenure leader.Tenure) error {
					if r.asked == 1 {
						return store.ErrFenced
					}
					require.ErrorContains(t, last, "standing by")
					tenure.Working()
					require.NoError(t, last)
					return errFatal
				})
				require.ErrorIs(t, err, errFatal)
				require.Greater(t, time.Since(begun), 90*time.Second)
				require.Equal(t, 1, strings.Count(said.String(), "standing by"), said.String())
			})
		})
	}
}

// The work ends when the role is lost, whatever it returns then, and the role is taken again.
func TestLostRole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		r := &roles{}
		err := leader.Run(t.Context(), config(r, &said), func(ctx context.Context, _ leader.Tenure) error {
			if len(r.given) > 1 {
				return errFatal
			}
			close(r.given[0].lost)
			<-ctx.Done()
			return fmt.Errorf("in the middle of it: %w", ctx.Err())
		})
		require.ErrorIs(t, err, errFatal)
		require.Contains(t, said.String(), leader.ErrRoleLost.Error())
	})
}

// Who is asked to stop gives the role back and is no failure.
func TestAskedToStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		r := &roles{}
		ctx, stop := context.WithCancel(t.Context())
		err := leader.Run(ctx, config(r, &said), func(ctx context.Context, _ leader.Tenure) error {
			stop()
			<-ctx.Done()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, r.given[0].released)
		require.NotContains(t, said.String(), "broke off")
	})
}
