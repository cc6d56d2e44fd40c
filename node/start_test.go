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

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// TestWhatCannotHeal: only what no second try can help ends a role.
func TestWhatCannotHeal(t *testing.T) {
	t.Parallel()
	for _, fatal := range []error{
		l1.ErrWrongChain, l1.ErrNoContract, l1.ErrDeployment, l1.ErrKeyMismatch, l1.ErrUnregistered, ErrOldCopy, ErrDiverged,
		sequencer.ErrNoGenesis, sequencer.ErrKeyMismatch, sequencer.ErrStateMismatch,
	} {
		require.True(t, cannotHeal(fmt.Errorf("look at the contract: %w", fatal)), fatal)
	}
	for _, passing := range []error{
		store.ErrFenced, store.ErrWriterHeld, leader.ErrRoleLost, syscall.ECONNREFUSED, context.DeadlineExceeded,
		rpc.HTTPError{StatusCode: http.StatusForbidden, Status: "403 Forbidden"},
		errors.New("daily request count exceeded, request rate limited"), // -32005 in HTTP 200
		errors.New("an answer that nobody has seen before"),
	} {
		require.False(t, cannotHeal(passing), passing)
	}
}

// TestStartWaits: what does not answer is waited for, what is wrong ends the start.
func TestStartWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		answers := []error{syscall.ECONNREFUSED, syscall.ECONNREFUSED, rpc.HTTPError{StatusCode: http.StatusForbidden}, nil}
		got, err := Await(t.Context(), log, func() (int, error) {
			err := answers[0]
			answers = answers[1:]
			return len(answers), err
		})
		require.NoError(t, err)
		require.Zero(t, got)
		require.Equal(t, 2, strings.Count(said.String(), "the start waits"), said.String())
		for _, wrong := range []error{l1.ErrWrongChain, errors.New("no key")} {
			_, err = Await(t.Context(), log, func() (int, error) { return 0, wrong })
			require.ErrorIs(t, err, wrong)
		}
	})
}
