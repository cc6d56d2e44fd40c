package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// foreignProof is why a proof is set aside that StoreProof has not stored: it would have
// made batch or group proven in the same transaction.
const foreignProof = "it was stored without making its batch or group proven: no worker writes such a row"

// RefuseProof sets aside a stored proof that L1 would never take, if it is still this
// one, and records a failure of class bug. Its batch is sealed again, and a group that
// holds the batch settles directly; an aggregate proof leaves its batches proven and its
// group direct. ErrIllegalTransition for a batch that is neither proven nor sealed.
func (s *Store) RefuseProof(ctx context.Context, epoch Epoch, k ProofKey, proof []byte, reason string) error {
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		return refuseProof(ctx, tx, k, proof, string(RoleSubmitter), reason)
	})
	if err != nil {
		return fmt.Errorf("set the %s proof of batch %d aside: %w", k.Circuit, k.Batch, err)
	}
	return nil
}

// RefuseFolded is RefuseProof for the worker that was to fold the proof, under its lease
// of the group. ErrLeaseLost when that has moved on.
func (s *Store) RefuseFolded(ctx context.Context, l Lease, k ProofKey, proof []byte, reason string) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		for _, n := range []settle.BatchNumber{l.Batch, k.Batch} { // in order, and before the job, as StoreProof does
			if _, err := lockProvable(ctx, tx, n); err != nil {
				return err
			}
		}
		current, err := leaseCurrent(ctx, tx, l)
		switch {
		case err != nil:
			return err
		case !current:
			return ErrLeaseLost
		}
		return refuseProof(ctx, tx, k, proof, l.Holder, reason)
	})
	if err != nil {
		return fmt.Errorf("set the %s proof of batch %d aside: %w", k.Circuit, k.Batch, err)
	}
	return nil
}

func refuseProof(ctx context.Context, tx pgx.Tx, k ProofKey, proof []byte, by, reason string) error {
	b, err := lockProvable(ctx, tx, k.Batch)
	if err != nil {
		return err
	}
	if b.status != settle.BatchProven && b.status != settle.BatchSealed {
		return fmt.Errorf("%w: batch %d is %s", ErrIllegalTransition, k.Batch, b.status)
	}
	gone, err := setAside(ctx, tx, k, proof, by, reason)
	if err != nil || !gone {
		return err // another proof has its place by now
	}
	return unprove(ctx, tx, b, k, reason)
}

// ProofGone has a batch proven again whose proof is missing (MissingProofError), and
// records a failure of class bug; a group settles directly. A proof that is there after
// all stays.
func (s *Store) ProofGone(ctx context.Context, epoch Epoch, missing *MissingProofError) error {
	k := missing.ProofKey
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		b, err := lockProvable(ctx, tx, k.Batch)
		if err != nil {
			return err
		}
		if _, err := proofByKey(ctx, tx, k); !errors.Is(err, ErrNotFound) {
			return err
		}
		if b.status != settle.BatchProven {
			return fmt.Errorf("%w: batch %d is %s", ErrIllegalTransition, k.Batch, b.status)
		}
		// Of no attempt that is known: its row is gone.
		if err := insertFailure(ctx, tx, Lease{ProofJob: ProofJob{ProofKey: k}, Epoch: 1, Attempt: 1, Holder: string(RoleSubmitter)}, FailBug, missing.Error()); err != nil {
			return err
		}
		return unprove(ctx, tx, b, k, missing.Error())
	})
	if err != nil {
		return fmt.Errorf("have batch %d proven again: %w", k.Batch, err)
	}
	return nil
}

// unprove follows the loss of a proof: its batch is sealed again, its group given up.
func unprove(ctx context.Context, tx pgx.Tx, b provable, k ProofKey, reason string) error {
	if k.Circuit == settle.CircuitTransition && k.KeyHash == b.keyHash && b.status == settle.BatchProven {
		if _, err := tx.Exec(ctx, proofUnprovenSQL, k.Batch); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		if err := transactionsFollow(ctx, tx, settle.TxExecuted, k.Batch); err != nil {
			return err
		}
	}
	if err := giveUpGroupOf(ctx, tx, k.Batch, reason); err != nil {
		return fmt.Errorf("give the group up: %w", err)
	}
	return notifyBatches(ctx, tx)
}

// giveUpGroupOf has the group that holds a batch settle directly, if there is one.
func giveUpGroupOf(ctx context.Context, tx pgx.Tx, n settle.BatchNumber, reason string) error {
	g, err := row[Group](ctx, tx, groupOfSQL, n)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return giveUp(ctx, tx, g.First, g.Last, groupGiveUpSQL, g.First, fmt.Sprintf("a proof of batch %d was set aside: %s", n, reason))
}

// setAside moves a proof to the refused ones, if it is this one (nil: whichever is
// there), and records a failure of who stored it.
func setAside(ctx context.Context, tx pgx.Tx, k ProofKey, proof []byte, by, reason string) (bool, error) {
	l := Lease{ProofJob: ProofJob{ProofKey: k}}
	err := tx.QueryRow(ctx, proofSetAsideSQL, k.Batch, k.Circuit, k.KeyHash[:], proof, reason, by).Scan(&l.Epoch, &l.Attempt, &l.Holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, insertFailure(ctx, tx, l, FailBug, "the stored proof was set aside: "+reason)
}

// setForeignAside sets aside what stands in the place of the proof of a batch or group
// that is not proven.
func setForeignAside(ctx context.Context, tx pgx.Tx, l Lease) error {
	var done bool
	err := tx.QueryRow(ctx, jobDoneSQL, l.ID).Scan(&done)
	if err != nil || done {
		return err
	}
	_, err = setAside(ctx, tx, l.ProofKey, nil, l.Holder, foreignProof)
	return err
}

// RefusedProofs lists proofs that were set aside, newest first: of one batch, or of all
// (0); at most limit, 0 for all.
func (s *Store) RefusedProofs(ctx context.Context, n settle.BatchNumber, limit int) ([]RefusedProof, error) {
	type row struct {
		RefusedProof
		inputs []byte
	}
	rows, err := list(ctx, s.pool, func(r *row) []any {
		return []any{&r.ID, &r.Batch, &r.Circuit, fixed(r.KeyHash[:]), &r.Shape, &r.Proof, &r.inputs, &r.Epoch, &r.Worker, &r.Attempt,
			&r.StoredAt, &r.Reason, &r.RefusedBy, &r.RefusedAt}
	}, proofsRefusedSQL, n, limit)
	if err != nil {
		return nil, fmt.Errorf("proofs that were set aside: %w", err)
	}
	out := make([]RefusedProof, len(rows))
	for i, r := range rows {
		inputs, err := unpack(r.inputs)
		if err != nil {
			return nil, fmt.Errorf("proof %d that was set aside: %w", r.ID, err)
		}
		out[i] = r.RefusedProof
		copy(out[i].Inputs[:], inputs)
	}
	return out, nil
}
