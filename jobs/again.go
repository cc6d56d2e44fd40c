package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle/store"
)

// proveAgain queues the batches whose proof was set aside, or was deleted by hand. Each such proof counts as a
// failure of class bug: the next try waits longer each time, and after Policy.MaxFailures
// the job is a dead letter, so that proofs which L1 refuses without end cost no more than
// that. A batch keeps its place: whoever claims jobs takes the oldest one.
func (r *reaper) proveAgain(ctx context.Context) error {
	type outcome struct {
		batch store.AwaitedProof
		tally tally
		delay time.Duration
		dead  bool
	}
	var queued []outcome
	_, err := r.cfg.Store.ProveAgain(ctx, func(ctx context.Context, tx pgx.Tx, a store.AwaitedProof) error {
		t := tallyOf(a.ProofKey, a.Failures)
		o := outcome{a, t, r.cfg.Policy.failureDelay(t.definite), r.cfg.Policy.dead(store.FailBug, t)}
		if err := r.requeue(ctx, tx, a, o.delay, o.dead); err != nil {
			return err
		}
		queued = append(queued, o)
		return nil
	})
	for _, o := range queued {
		args := []any{"batch", o.batch.Batch, "shape", o.batch.Shape, "times", o.tally.definite}
		if n := len(o.batch.Failures); n > 0 {
			args = append(args, "reason", o.batch.Failures[n-1].Detail, "worker", o.batch.Failures[n-1].Worker)
		}
		r.cfg.Metrics.SetAside.Inc()
		if !o.dead {
			r.cfg.Logger.ErrorContext(ctx, "a stored proof was set aside, or is gone; the batch is proven again", append(args, "in", o.delay)...)
			continue
		}
		r.cfg.Metrics.DeadLetters.Inc()
		args = append(args, ProveBatch{Batch: o.batch.Batch}.dead()...)
		r.cfg.Logger.ErrorContext(ctx, "dead letter: stored proofs of the batch are set aside, or vanish, one after the other", args...)
	}
	return err
}

// requeue gives the batch's completed job another try, or inserts a job if that one has
// been tidied away.
func (r *reaper) requeue(ctx context.Context, tx pgx.Tx, a store.AwaitedProof, delay time.Duration, dead bool) error {
	id := a.Job
	if id == nil {
		job := ProveBatch{Batch: a.Batch, Circuit: a.Circuit, Shape: a.Shape, KeyHash: a.KeyHash}
		inserted, err := r.insert.client.InsertTx(ctx, tx, job, nil)
		if err != nil {
			return fmt.Errorf("queue %s proof of batch %d: %w", a.Circuit, a.Batch, err)
		}
		id = &inserted.Job.ID
	}
	_, err := tx.Exec(ctx, `update river_job
		set state = case when $3 then 'discarded' else 'available' end::river_job_state, scheduled_at = now() + $2::interval,
		    finalized_at = case when $3 then now() end, max_attempts = greatest(max_attempts, attempt + 1), metadata = metadata - 'memory'
		where id = $1 and state in ('available', 'completed')`, *id, delay, dead)
	if err != nil {
		return fmt.Errorf("queue job %d: %w", *id, err)
	}
	return nil
}
