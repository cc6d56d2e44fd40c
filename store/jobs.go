package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
)

// Errors of the methods that change jobs.
var (
	// ErrJobRunning: a worker has the job; stop the worker, or wait.
	ErrJobRunning = errors.New("the job is running")
	// ErrJobState: the job is not in a status from which this change makes sense.
	ErrJobState = errors.New("nothing to change in this state of the job")
)

// insertJob queues a proof with the commit of tx.
func insertJob(ctx context.Context, tx pgx.Tx, j ProofJob) error {
	if _, err := tx.Exec(ctx, jobInsertSQL, j.Batch, j.Circuit, j.KeyHash[:], j.Last, j.Shape); err != nil {
		return fmt.Errorf("proof job: %w", err)
	}
	return notify(ctx, tx, TopicJobs)
}

// DueJobs lists the kinds of proofs that wait for a worker.
func (s *Store) DueJobs(ctx context.Context) ([]ProofKind, error) {
	kinds, err := rows[ProofKind](ctx, s.pool, jobsDueSQL)
	if err != nil {
		return nil, fmt.Errorf("waiting jobs: %w", err)
	}
	return kinds, nil
}

// Jobs lists proof jobs, those of the newest batch first.
func (s *Store) Jobs(ctx context.Context, f JobFilter) ([]Job, error) {
	js, err := jobsOf(ctx, s.pool, f)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return js, nil
}

func jobsOf(ctx context.Context, q querier, f JobFilter) ([]Job, error) {
	return rows[Job](ctx, q, jobsSQL, f.Job, f.Batch, f.DeadLetters, f.Statuses, f.Limit)
}

// RetryJob puts a job that nobody is at back in the queue at once, a dead letter
// too; what was counted against it stays, and it gets as many tries again.
// ErrNotFound, ErrJobRunning, ErrProofExists when there is nothing left to do.
func (s *Store) RetryJob(ctx context.Context, id int64) error {
	if err := s.changeJob(ctx, id, jobRetrySQL, func(j Job) error {
		if j.Proven {
			return ErrProofExists
		}
		return nil
	}); err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	return nil
}

// DiscardJob makes a waiting job a dead letter: nobody tries it until RetryJob.
// ErrNotFound, ErrJobRunning, ErrJobState when it is finished already.
func (s *Store) DiscardJob(ctx context.Context, id int64) error {
	if err := s.changeJob(ctx, id, jobDiscardSQL, func(Job) error { return nil }); err != nil {
		return fmt.Errorf("discard job %d: %w", id, err)
	}
	return nil
}

func (s *Store) changeJob(ctx context.Context, id int64, sql string, check func(Job) error) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, jobHoldSQL, id); err != nil {
			return err
		}
		found, err := jobsOf(ctx, tx, JobFilter{Job: id})
		switch {
		case err != nil:
			return err
		case id == 0 || len(found) == 0:
			return ErrNotFound
		case found[0].Status == JobRunning:
			return ErrJobRunning
		}
		if err := check(found[0]); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql, id)
		switch {
		case err != nil:
			return err
		case tag.RowsAffected() == 0:
			return fmt.Errorf("%w: it is %s", ErrJobState, found[0].Status)
		}
		return notify(ctx, tx, TopicJobs)
	})
}

// Blockage returns the first unproven batch if nobody will try to prove it, or
// ErrNotFound: settlement waits for no person.
func (s *Store) Blockage(ctx context.Context) (Blockage, error) {
	b, err := row[Blockage](ctx, s.pool, blockageSQL)
	if err != nil {
		return Blockage{}, fmt.Errorf("blocked batch: %w", err)
	}
	return b, nil
}

// Overtakings lists the batches that were begun again after a failure or the death of a
// worker, with the proofs of later batches that were begun before them meanwhile. Only
// the last such time of each batch is known. It reads all failures: for drills and people.
func (s *Store) Overtakings(ctx context.Context) ([]Overtaking, error) {
	out, err := rows[Overtaking](ctx, s.pool, overtakingsSQL)
	if err != nil {
		return nil, fmt.Errorf("overtaken batches: %w", err)
	}
	return out, nil
}

// ProveAgain puts the job of one batch whose proof was set aside back in the queue, the
// oldest one first, as fate says of the batch's failures; each such proof is one. ErrNotFound if
// there is none.
func (s *Store) ProveAgain(ctx context.Context, fate func(ProofJob, []ProofFailure) Requeue) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		j, err := row[ProofJob](ctx, tx, jobAwaitedSQL)
		if err != nil {
			return err
		}
		return requeue(ctx, tx, j, func(failures []ProofFailure) Requeue { return fate(j, failures) })
	})
	if err != nil {
		return fmt.Errorf("queue a batch whose proof was set aside: %w", err)
	}
	return nil
}

// requeue decides about a job whose row is locked.
func requeue(ctx context.Context, tx pgx.Tx, j ProofJob, fate func([]ProofFailure) Requeue) error {
	failures, err := proofFailures(ctx, tx, j.Batch)
	if err != nil {
		return err
	}
	next := fate(failures)
	above := int64(min(next.MemoryAbove, math.MaxInt64))
	if _, err := tx.Exec(ctx, jobRequeueSQL, j.ID, next.Dead, next.Delay, above, next.MemoryFor); err != nil {
		return fmt.Errorf("job %d: %w", j.ID, err)
	}
	return notify(ctx, tx, TopicJobs)
}
