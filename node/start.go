package node

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// Pauses between two tries to start.
const (
	retryFirst = time.Second
	retryMost  = 10 * time.Second
)

// cannotHeal reports whether err ends a role, as no second try can help: the chain,
// the contract or a root is not the database's, or this operator has lost its rights.
// Everything else may pass: an outage, a limit of the node's, an answer that nobody
// has seen before.
func cannotHeal(err error) bool {
	for _, fatal := range []error{
		l1.ErrWrongChain, l1.ErrNoContract, l1.ErrDeployment, l1.ErrKeyMismatch, l1.ErrUnregistered, ErrOldCopy, ErrDiverged,
		sequencer.ErrNoGenesis, sequencer.ErrKeyMismatch, sequencer.ErrStateMismatch,
	} {
		if errors.Is(err, fatal) {
			return true
		}
	}
	return false
}

// Await repeats try, which asks Postgres or L1, until it succeeds or fails for good. What
// is away at the start is waited for: who is started by a service manager would only be
// started again, and who by hand reads at once what is waited for.
func Await[T any](ctx context.Context, log *slog.Logger, try func() (T, error)) (T, error) {
	told := outage.New(log, "the start waits for what does not answer", "the start goes on")
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		v, err := try()
		if err == nil {
			told.Worked(ctx)
			return v, nil
		}
		if ctx.Err() != nil || cannotHeal(err) || !store.IsUnavailable(err) && !l1.MayPass(err) {
			return v, err
		}
		told.Failed(ctx, slog.LevelWarn, err)
		if err := outage.Pause(ctx, wait); err != nil {
			return v, err
		}
	}
}
