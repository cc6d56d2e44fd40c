package jobs

import (
	"context"
	"errors"

	"github.com/zksettle/settle/store"
)

// proveAgain queues the batches whose proof was set aside, or was deleted by hand. Each such proof counts as a
// failure of class bug: the next try waits longer each time, and after Policy.MaxFailures
// the job is a dead letter, so that proofs which L1 refuses without end cost no more than
// that. A batch keeps its place: whoever claims jobs takes the oldest one.
func (r *reaper) proveAgain(ctx context.Context) error {
	for {
		var job store.ProofJob
		var failures []store.ProofFailure
		var next store.Requeue
		err := r.cfg.Store.ProveAgain(ctx, func(j store.ProofJob, fs []store.ProofFailure) store.Requeue {
			job, failures, next = j, fs, r.cfg.Policy.next(j.ProofKey, store.FailBug, fs)
			return next
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		args := []any{"batch", job.Batch, "shape", job.Shape, "times", tallyOf(job.ProofKey, failures).definite}
		if n := len(failures); n > 0 {
			args = append(args, "reason", failures[n-1].Detail, "worker", failures[n-1].Worker)
		}
		r.cfg.Metrics.SetAside.Inc()
		if !next.Dead {
			r.cfg.Logger.ErrorContext(ctx, "a stored proof was set aside, or is gone; the batch is proven again", append(args, "in", next.Delay)...)
			continue
		}
		r.cfg.Metrics.DeadLetters.Inc()
		r.cfg.Logger.ErrorContext(ctx, "dead letter: stored proofs of the batch are set aside, or vanish, one after the other", append(args, consequence(job)...)...)
	}
}
