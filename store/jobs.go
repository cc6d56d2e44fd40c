package store

import (
	"context"
	_ "embed" // SQL files
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Errors of the methods that change jobs.
var (
	// ErrJobRunning: a worker has the job; stop the worker, or wait.
	ErrJobRunning = errors.New("the job is running")
	// ErrJobState: the job is not in a state from which this change makes sense.
	ErrJobState = errors.New("nothing to change in this state of the job")
)

var (
	//go:embed sql/jobs.sql
	jobsSQL string
	//go:embed sql/job_retry.sql
	jobRetrySQL string
	//go:embed sql/job_discard.sql
	jobDiscardSQL string
	//go:embed sql/blockage.sql
	blockageSQL string
	//go:embed sql/overtakings.sql
	overtakingsSQL string
)

func jobFields(j *Job) []any {
	return []any{&j.ID, &j.Batch, &j.Last, &j.Circuit, &j.Shape, fixed(j.KeyHash[:]), &j.State, &j.Attempt,
		&j.CreatedAt, &j.ScheduledAt, &j.AttemptedAt, &j.FinalizedAt, &j.BatchStatus, &j.Proven,
		&j.Holder, &j.HeartbeatAt, &j.MemoryAbove, &j.MemoryUntil, &j.Failures, &j.LastClass, &j.LastError, &j.LastAt}
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
	return list(ctx, q, jobFields, jobsSQL, f.Job, f.Batch, f.DeadLetters, f.States, f.Limit)
}

// RetryJob puts a job that nobody is at back in the queue at once, a dead letter
// too; what was counted against it stays, and it gets as many tries again.
// ErrNotFound, ErrJobRunning, ErrProofExists when there is nothing left to do,
// ErrJobState when another job of the same proof is alive.
func (s *Store) RetryJob(ctx context.Context, id int64) error {
	err := s.changeJob(ctx, id, func(j Job) error {
		if j.Proven {
			return ErrProofExists
		}
		return nil
	}, jobRetrySQL)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" { // River's index of unique live jobs
		err = fmt.Errorf("%w: another job of the same proof is alive", ErrJobState)
	}
	if err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	return nil
}

// DiscardJob makes a waiting job a dead letter: nobody tries it until RetryJob.
// ErrNotFound, ErrJobRunning, ErrJobState when it is finished already.
func (s *Store) DiscardJob(ctx context.Context, id int64) error {
	if err := s.changeJob(ctx, id, func(Job) error { return nil }, jobDiscardSQL); err != nil {
		return fmt.Errorf("discard job %d: %w", id, err)
	}
	return nil
}

func (s *Store) changeJob(ctx context.Context, id int64, check func(Job) error, sql string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		found, err := jobsOf(ctx, tx, JobFilter{Job: id})
		switch {
		case err != nil:
			return err
		case id == 0 || len(found) == 0:
			return ErrNotFound
		case found[0].State == "running":
			return ErrJobRunning
		}
		if err := check(found[0]); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql, id)
		if err == nil && tag.RowsAffected() == 0 {
			err = fmt.Errorf("%w: it is %s", ErrJobState, found[0].State)
		}
		return err
	})
}

// Blockage returns the first unproven batch if nobody will try to prove it, or
// ErrNotFound: settlement waits for no person.
func (s *Store) Blockage(ctx context.Context) (Blockage, error) {
	b, err := one(ctx, s.pool, func(b *Blockage) []any {
		return []any{&b.Batch, &b.Job, &b.State, &b.Behind, &b.Class, &b.Detail}
	}, blockageSQL)
	if err != nil {
		return Blockage{}, fmt.Errorf("blocked batch: %w", err)
	}
	return b, nil
}

// Overtakings lists the batches that were begun again after a failure or the death of a
// worker, with the proofs of later batches that were begun before them meanwhile. Only
// the last such time of each batch is known. It reads all failures: for drills and people.
func (s *Store) Overtakings(ctx context.Context) ([]Overtaking, error) {
	out, err := list(ctx, s.pool, func(o *Overtaking) []any {
		return []any{&o.Batch, &o.PutBack, &o.Begun, &o.By}
	}, overtakingsSQL)
	if err != nil {
		return nil, fmt.Errorf("overtaken batches: %w", err)
	}
	return out, nil
}
