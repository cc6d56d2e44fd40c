package store

import (
	"context"
	_ "embed" // SQL files
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

var (
	//go:embed sql/lease_acquire.sql
	leaseAcquireSQL string
	//go:embed sql/lease_heartbeat.sql
	leaseHeartbeatSQL string
	//go:embed sql/lease_release.sql
	leaseReleaseSQL string
	//go:embed sql/leases_expired.sql
	leasesExpiredSQL string
	//go:embed sql/lease_reap.sql
	leaseReapSQL string
	//go:embed sql/job_requeue.sql
	jobRequeueSQL string
	//go:embed sql/job_cancelled.sql
	jobCancelledSQL string
	//go:embed sql/proof_exists.sql
	proofExistsSQL string
	//go:embed sql/proof_failure_insert.sql
	proofFailureInsertSQL string
	//go:embed sql/proof_failures.sql
	proofFailuresSQL string
)

func leaseFields(l *Lease) []any {
	return []any{&l.Batch, &l.Circuit, fixed(l.KeyHash[:]), &l.Epoch, &l.Holder, &l.JobID, &l.JobAttempt,
		&l.AcquiredAt, &l.HeartbeatAt, &l.ExpiresAt}
}

// AcquireLease takes the lease under a new epoch. ErrLeaseHeld while another one
// lives, ErrProofExists when there is nothing left to do.
func (s *Store) AcquireLease(ctx context.Context, r LeaseRequest) (Lease, error) {
	var l Lease
	err := s.inTx(ctx, func(tx pgx.Tx) (err error) {
		if err := noProofYet(ctx, tx, r.ProofKey); err != nil {
			return err
		}
		l, err = one(ctx, tx, leaseFields, leaseAcquireSQL, r.Batch, r.Circuit, r.KeyHash[:], r.Holder, r.JobID, r.JobAttempt, r.TTL)
		if errors.Is(err, ErrNotFound) {
			err = ErrLeaseHeld
		}
		return err
	})
	if err != nil {
		return Lease{}, fmt.Errorf("lease for %s proof of batch %d: %w", r.Circuit, r.Batch, err)
	}
	return l, nil
}

func noProofYet(ctx context.Context, q querier, k ProofKey) error {
	var exists bool
	if err := q.QueryRow(ctx, proofExistsSQL, k.Batch, k.Circuit, k.KeyHash[:]).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return ErrProofExists
	}
	return nil
}

// Heartbeat extends the lease by ttl from now, also when it is overdue and nobody has
// taken it: after an outage of Postgres workers go on. ErrLeaseLost when its epoch has
// moved on or it was released; ErrProofExists when somebody else's late proof came in,
// ErrJobCancelled when nobody needs one any more: stop proving.
func (s *Store) Heartbeat(ctx context.Context, l Lease, ttl time.Duration) (Lease, error) {
	extended, err := one(ctx, s.pool, leaseFields, leaseHeartbeatSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch, ttl)
	if errors.Is(err, ErrNotFound) {
		err = ErrLeaseLost
	}
	if err == nil || errors.Is(err, ErrLeaseLost) {
		err = errors.Join(noProofYet(ctx, s.pool, l.ProofKey), s.notCancelled(ctx, l.JobID), err)
	}
	if err != nil {
		return Lease{}, fmt.Errorf("heartbeat for batch %d in epoch %d: %w", l.Batch, l.Epoch, err)
	}
	return extended, nil
}

func (s *Store) notCancelled(ctx context.Context, job int64) error {
	var cancelled bool
	if err := s.pool.QueryRow(ctx, jobCancelledSQL, job).Scan(&cancelled); err != nil {
		return err
	}
	if cancelled {
		return ErrJobCancelled
	}
	return nil
}

// ReleaseLease gives the lease back; nothing happens if it has moved on.
func (s *Store) ReleaseLease(ctx context.Context, l Lease) error {
	if _, err := s.pool.Exec(ctx, leaseReleaseSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch); err != nil {
		return fmt.Errorf("release lease on batch %d: %w", l.Batch, err)
	}
	return nil
}

// ExpiredLeases lists unreleased leases whose heartbeat is overdue, oldest first.
func (s *Store) ExpiredLeases(ctx context.Context) ([]Lease, error) {
	ls, err := list(ctx, s.pool, leaseFields, leasesExpiredSQL)
	if err != nil {
		return nil, fmt.Errorf("expired leases: %w", err)
	}
	return ls, nil
}

// ReapLease ends an expired lease under a new epoch, records an infrastructure failure,
// and puts its River job back in the queue, if the job is still in the lease's attempt, as
// fate says of the batch's failures, this one included (nil: at once). Past its last
// attempt the job becomes a dead letter, and one that nobody needs any more is cancelled.
// It returns whether the job was queued: false also when the lease has moved on or come
// back to life, in which case fate was not asked.
func (s *Store) ReapLease(ctx context.Context, l Lease, fate func([]ProofFailure) Requeue) (requeued bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, leaseReapSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := insertFailure(ctx, tx, l, FailInfrastructure, "lease expired: the worker is gone"); err != nil {
			return err
		}
		var next Requeue
		if fate != nil {
			failures, err := proofFailures(ctx, tx, l.Batch)
			if err != nil {
				return err
			}
			next = fate(failures)
		}
		err = tx.QueryRow(ctx, jobRequeueSQL, l.JobID, l.JobAttempt, next.Delay, next.Dead).Scan(&requeued)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reap lease on batch %d: %w", l.Batch, err)
	}
	return requeued, nil
}

// RecordFailure stores a failed attempt and releases the lease if it is still ours.
func (s *Store) RecordFailure(ctx context.Context, l Lease, class FailureClass, detail string) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := insertFailure(ctx, tx, l, class, detail); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, leaseReleaseSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch)
		return err
	})
	if err != nil {
		return fmt.Errorf("record failed proof of batch %d: %w", l.Batch, err)
	}
	return nil
}

func insertFailure(ctx context.Context, tx pgx.Tx, l Lease, class FailureClass, detail string) error {
	_, err := tx.Exec(ctx, proofFailureInsertSQL, l.Batch, l.Circuit, l.KeyHash[:], l.Epoch, l.JobAttempt, class, detail, l.Holder)
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
	return list(ctx, q, func(f *ProofFailure) []any {
		return []any{&f.Batch, &f.Circuit, fixed(f.KeyHash[:]), &f.Epoch, &f.Attempt, &f.Class, &f.Detail, &f.Worker, &f.FailedAt}
	}, proofFailuresSQL, n)
}
