package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// passing are failures that may pass, among them answers that no program knows.
func passing() []error {
	return []error{
		store.ErrFenced,
		errRoleLost,
		syscall.ECONNREFUSED,
		context.DeadlineExceeded,
		rpc.HTTPError{StatusCode: http.StatusForbidden, Status: "403 Forbidden"},
		errors.New("daily request count exceeded, request rate limited"), // -32005 in HTTP 200
		errors.New("an answer that nobody has seen before"),
		fmt.Errorf("take the role: %w", store.ErrWriterHeld),
		nil,
	}
}

// TestOnlyWhatCannotHealEndsARole: after a tenure every other failure is waited for, and
// said once.
func TestOnlyWhatCannotHealEndsARole(t *testing.T) {
	t.Parallel()
	for _, fatal := range []error{
		l1.ErrWrongChain, l1.ErrNoContract, l1.ErrDeployment, l1.ErrKeyMismatch, errOldCopy, errDiverged, sequencer.ErrStateMismatch,
	} {
		synctest.Test(t, func(t *testing.T) {
			var said bytes.Buffer
			a := &app{log: slog.New(slog.NewTextHandler(&said, nil))}
			tries, failures := 0, passing()
			err := a.keepRole(t.Context(), store.RoleSubmitter, func(_ context.Context, works func()) (bool, error) {
				tries++
				switch {
				case tries == 1:
					works()
					return true, errors.New("an end of the first tenure that nobody has seen before")
				case tries <= 1+3*len(failures):
					return false, failures[(tries-2)/3]
				case tries == 2+3*len(failures):
					works()
					return true, store.ErrFenced
				}
				return false, fmt.Errorf("look at the contract: %w", fatal)
			})
			require.ErrorIs(t, err, fatal)
			require.Equal(t, 3+3*len(failures), tries)
			require.Equal(t, 2+len(failures), strings.Count(said.String(), "the role is taken again"), said.String())
			require.Equal(t, 1, strings.Count(said.String(), "at work again"))
		})
	}
}

// TestRoleHeldElsewhere: before a first tenure another holder ends the role, after it
// has been held for a moment; an outage before does not count.
func TestRoleHeldElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &app{log: slog.New(slog.DiscardHandler)}
		begun, tries := time.Now(), 0
		err := a.keepRole(t.Context(), store.RoleSubmitter, func(context.Context, func()) (bool, error) {
			tries++
			if tries <= 5 {
				return false, syscall.ECONNREFUSED
			}
			return false, store.ErrWriterHeld
		})
		require.ErrorIs(t, err, store.ErrWriterHeld)
		require.Greater(t, time.Since(begun), heldPatience+5*time.Second)
		require.Greater(t, tries, 6)
	})
}

// TestStartWaits: what does not answer is waited for, what is wrong ends the start.
func TestStartWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		answers := []error{syscall.ECONNREFUSED, syscall.ECONNREFUSED, rpc.HTTPError{StatusCode: http.StatusForbidden}, nil}
		got, err := whileAway(t.Context(), log, func() (int, error) {
			err := answers[0]
			answers = answers[1:]
			return len(answers), err
		})
		require.NoError(t, err)
		require.Zero(t, got)
		require.Equal(t, 2, strings.Count(said.String(), "the start waits"), said.String())
		for _, wrong := range []error{l1.ErrWrongChain, errors.New("no key")} {
			_, err = whileAway(t.Context(), log, func() (int, error) { return 0, wrong })
			require.ErrorIs(t, err, wrong)
		}
	})
}
