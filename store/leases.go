package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

type claimed struct {
	Lease
	Done bool // its proof is stored
}

// ClaimJob takes the job of the oldest batch that the worker can prove, under a new epoch: job
// and lease are one row. ErrNotFound if none is due. Jobs whose proof has come in meanwhile are
// completed on the way. A call that fails may have taken a job all the same: the lease expires.
func (s *Store) ClaimJob(ctx context.Context, c Claim) (Lease, error) {
	var circuits, shapes []string
	var keys [][]byte
	for _, k := range c.Kinds {
		circuits, shapes, keys = append(circuits, k.Circuit), append(shapes, k.Shape), append(keys, k.KeyHash[:])
	}
	memory := int64(math.MaxInt64)
	if c.Memory > 0 {
		memory = int64(min(c.Memory, math.MaxInt64))
	}
	var l claimed
	var none error // no reason to undo what was completed
	err := s.inTx(ctx, func(tx pgx.Tx) (err error) {
		for {
			l, err = row[claimed](ctx, tx, jobClaimSQL, circuits, shapes, keys, memory, c.Holder, c.TTL)
			switch {
			case errors.Is(err, ErrNotFound):
				none = err
				return nil
			case err != nil, !l.Done:
				return err
			}
			if _, err = tx.Exec(ctx, jobCompleteSQL, l.ID, l.Epoch); err != nil {
				return err
			}
		}
	})
	if err = errors.Join(err, none); err != nil {
		return Lease{}, fmt.Errorf("claim a job: %w", err)
	}
	return l.Lease, nil
}

// Heartbeat extends the lease by ttl from now, also when it is overdue and nobody has
// taken it: after an outage of Postgres workers go on. ErrProofExists when somebody else's
// late proof came in and ErrJobCancelled when nobody needs one any more: stop proving.
// ErrLeaseLost when the job was taken away or has ended.
func (s *Store) Heartbeat(ctx context.Context, l Lease, ttl time.Duration) error {
	found, err := row[struct{ Held, Cancelled, Done bool }](ctx, s.pool, jobHeartbeatSQL, l.ID, l.Epoch, ttl)
	switch {
	case errors.Is(err, ErrNotFound):
		err = ErrLeaseLost
	case err != nil:
	case found.Done:
		err = ErrProofExists
	case found.Cancelled:
		err = ErrJobCancelled
	case !found.Held:
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("heartbeat for batch %d in epoch %d: %w", l.Batch, l.Epoch, err)
	}
	return nil
}

// ReleaseJob gives a job back that has not failed: it waits again, or is done if its proof is
// stored. Nothing happens if the lease is lost.
func (s *Store) ReleaseJob(ctx context.Context, l Lease) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, jobReleaseSQL, l.ID, l.Epoch); err != nil {
			return err
		}
		return notify(ctx, tx, TopicJobs)
	})
	if err != nil {
		return fmt.Errorf("give the job of batch %d back: %w", l.Batch, err)
	}
	return nil
}

// ExpiredLeases lists leases whose heartbeat is overdue, oldest first.
func (s *Store) ExpiredLeases(ctx context.Context) ([]Lease, error) {
	ls, err := rows[Lease](ctx, s.pool, leasesExpiredSQL)
	if err != nil {
		return nil, fmt.Errorf("expired leases: %w", err)
	}
	return ls, nil
}

// FailJob ends an attempt with a failure, and puts the job back in the queue as fate says of
// the batch's failures, this one included. ErrLeaseLost if the job was taken away or has
// ended: then nothing is recorded, as whoever took it has.
func (s *Store) FailJob(ctx context.Context, l Lease, class FailureClass, detail string, fate func([]ProofFailure) Requeue) error {
	ended, err := s.endAttempt(ctx, l, false, class, detail, fate)
	if err == nil && !ended {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("record failed proof of batch %d: %w", l.Batch, err)
	}
	return nil
}

// ReapJob is FailJob for an expired lease, whose worker fell silent; whatever that one reports
// later finds another epoch. It returns whether the lease was ended: not if it has moved on or
// come back to life, in which case fate was not asked.
func (s *Store) ReapJob(ctx context.Context, l Lease, fate func([]ProofFailure) Requeue) (reaped bool, err error) {
	reaped, err = s.endAttempt(ctx, l, true, FailInfrastructure, lostDetail, fate)
	if err != nil {
		return false, fmt.Errorf("reap lease on batch %d: %w", l.Batch, err)
	}
	return reaped, nil
}

func (s *Store) endAttempt(ctx context.Context, l Lease, overdue bool, class FailureClass, detail string, fate func([]ProofFailure) Requeue) (ended bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, jobLockSQL, l.ID, l.Epoch, overdue)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		ended = true
		if err := insertFailure(ctx, tx, l, class, detail); err != nil {
			return err
		}
		return requeue(ctx, tx, l.ProofJob, fate)
	})
	return ended && err == nil, err
}

func insertFailure(ctx context.Context, tx pgx.Tx, l Lease, class FailureClass, detail string) error {
	_, err := tx.Exec(ctx, proofFailureInsertSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch, l.Attempt, class, detail, l.Holder)
	return err
}

// ProofFailures lists the failed attempts of a batch, oldest first.
func (s *Store) ProofFailures(ctx context.Context, n settle.BatchNumber) ([]ProofFailure, error) {
	fs, err := proofFailures(ctx, s.pool, n)
	if err != nil {
		return nil, fmt.Errorf("failed proofs of batch %d: %w", n, err)
	}
	return fs, nil
}

func proofFailures(ctx context.Context, q querier, n settle.BatchNumber) ([]ProofFailure, error) {
	return rows[ProofFailure](ctx, q, proofFailuresSQL, n)
}
