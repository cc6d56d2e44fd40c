package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
)

// StoreProof stores a proof that the caller has verified natively, for exactly the inputs
// that the sealed data of its batches give: a proof for another ζ holds natively too, and
// L1 would never take it. The job is completed in the same transaction, unless another worker
// is at it: a late proof is kept too, once per key, and that worker hears of it by its
// heartbeat. A sealed batch becomes proven; with an aggregate proof, whose job has the number
// of its first batch, the planned group does.
// A row that is there although batch or group is not proven was stored by nobody of us:
// it is set aside. ErrProofMismatch if shape, key or inputs are not the batch's or the group's,
// ErrLeaseLost if there is no such job.
func (s *Store) StoreProof(ctx context.Context, l Lease, p settle.ProofEnvelope, st ProofStats) (ProofOutcome, error) {
	var out ProofOutcome
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		b, err := lockProvable(ctx, tx, l.Batch)
		if err != nil {
			return err
		}
		if err := belongs(b, l, p); err != nil {
			return err
		}
		current, err := leaseCurrent(ctx, tx, l)
		if err != nil {
			return err
		}
		if p.Circuit == settle.CircuitAggregate {
			if err := ofGroup(ctx, tx, l.Batch, p); err != nil {
				return err
			}
		}
		out.Late = !current
		if err := setForeignAside(ctx, tx, l); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, proofInsertSQL, l.Batch, p.Circuit, p.KeyHash[:], p.Shape, p.Proof, pack(p.Inputs[:]),
			l.Epoch, out.Late, l.Holder, l.Attempt,
			st.Assign.Microseconds(), st.Solve.Microseconds(), st.Prove.Microseconds(), int64(st.PeakMemory))
		if err != nil {
			return err
		}
		out.Stored = tag.RowsAffected() == 1
		switch {
		case !out.Stored:
		case p.Circuit == settle.CircuitTransition && b.status == settle.BatchSealed:
			err = proveBatch(ctx, tx, l.Batch)
		case p.Circuit == settle.CircuitAggregate:
			err = proveGroup(ctx, tx, l.Batch)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, jobCompleteSQL, l.ID, l.Epoch); err != nil {
			return fmt.Errorf("complete job %d: %w", l.ID, err)
		}
		return nil
	})
	if err != nil {
		return ProofOutcome{}, fmt.Errorf("store %s proof of batch %d: %w", p.Circuit, l.Batch, err)
	}
	return out, nil
}

// provable is a batch as a proof must fit it.
type provable struct {
	status     settle.BatchStatus
	shape      string
	keyHash    settle.KeyHash
	commitment settle.Element
	words      []byte
}

// lockProvable locks the batch's row, which everything that stores or moves its proofs
// takes first.
func lockProvable(ctx context.Context, tx pgx.Tx, n settle.BatchNumber) (provable, error) {
	return one(ctx, tx, func(b *provable) []any {
		return []any{&b.status, &b.shape, fixed(b.keyHash[:]), fixed(b.commitment[:]), &b.words}
	}, proofBatchSQL, n)
}

func (b provable) inputs() ([3]settle.Element, error) {
	words, err := unpack(b.words)
	if err != nil {
		return [3]settle.Element{}, err
	}
	return inputsOf(b.commitment, words)
}

// inputsOf computes c, ζ and v from what was sealed.
func inputsOf(c settle.Element, words []settle.Element) ([3]settle.Element, error) {
	inputs, err := publicdata.BatchInputs(c, words)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return inputs, err
}

func sameInputs(got, want [3]settle.Element, names [3]string) error {
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("%w: its %s is %s, expected %s", ErrProofMismatch, names[i], got[i], want[i])
		}
	}
	return nil
}

// belongs compares what the proof is for with its lease, and a transition proof with
// its batch too.
func belongs(b provable, l Lease, p settle.ProofEnvelope) error {
	switch {
	case p.Circuit != l.Circuit || p.KeyHash != l.KeyHash:
		return fmt.Errorf("%w: it is for circuit %s and key %s, the lease for %s and %s", ErrProofMismatch, p.Circuit, p.KeyHash, l.Circuit, l.KeyHash)
	case p.Circuit != settle.CircuitTransition:
		return nil
	case p.Shape != b.shape || p.KeyHash != b.keyHash:
		return fmt.Errorf("%w: it is of shape %s under key %s, expected %s and %s", ErrProofMismatch, p.Shape, p.KeyHash, b.shape, b.keyHash)
	}
	want, err := b.inputs()
	if err != nil {
		return err
	}
	return sameInputs(p.Inputs, want, [3]string{"c", "ζ", "v"})
}

// leaseCurrent locks the job's row and reports whether the lease still holds it. A group's
// row is locked before that of its job, as by whoever gives the group up.
func leaseCurrent(ctx context.Context, tx pgx.Tx, l Lease) (current bool, err error) {
	if l.Circuit == settle.CircuitAggregate {
		if _, err := tx.Exec(ctx, groupLockSQL, l.Batch); err != nil {
			return false, fmt.Errorf("lock the group: %w", err)
		}
	}
	err = tx.QueryRow(ctx, jobCurrentSQL, l.ID, l.Epoch, l.Batch, l.Circuit, l.KeyHash[:]).Scan(&current)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrLeaseLost
	}
	return current, err
}

func proveBatch(ctx context.Context, tx pgx.Tx, n settle.BatchNumber) error {
	if _, err := tx.Exec(ctx, batchProvenSQL, n); err != nil {
		return err
	}
	if err := transactionsFollow(ctx, tx, settle.TxProven, n); err != nil {
		return err
	}
	return notifyBatches(ctx, tx)
}

// transactionsFollow sets the status of all transactions of batches.
func transactionsFollow(ctx context.Context, tx pgx.Tx, to settle.TxStatus, batches ...settle.BatchNumber) error {
	if _, err := tx.Exec(ctx, transactionsFollowSQL, batches, to); err != nil {
		return fmt.Errorf("transactions to %s: %w", to, err)
	}
	return nil
}

// proofRow reads what ProofRecord keeps in other forms.
type proofRow struct {
	ProofRecord
	inputs               []byte
	assign, solve, prove int64
}

func proofFields(r *proofRow) []any {
	return []any{&r.Circuit, &r.Shape, fixed(r.KeyHash[:]), &r.Proof, &r.inputs, &r.assign, &r.solve, &r.prove,
		&r.Stats.PeakMemory, &r.Worker, &r.Attempt, &r.Epoch, &r.Late, &r.StoredAt}
}

func (r proofRow) record() (ProofRecord, error) {
	inputs, err := unpack(r.inputs)
	if err != nil {
		return ProofRecord{}, err
	}
	p := r.ProofRecord
	if copy(p.Inputs[:], inputs) != len(inputs) {
		return ProofRecord{}, fmt.Errorf("%w: %d public inputs", ErrCorrupt, len(inputs))
	}
	p.Stats.Assign = time.Duration(r.assign) * time.Microsecond
	p.Stats.Solve = time.Duration(r.solve) * time.Microsecond
	p.Stats.Prove = time.Duration(r.prove) * time.Microsecond
	return p, nil
}

// Proof returns a stored proof, or ErrNotFound.
func (s *Store) Proof(ctx context.Context, k ProofKey) (ProofRecord, error) {
	p, err := proofByKey(ctx, s.pool, k)
	if err != nil {
		return ProofRecord{}, fmt.Errorf("%s proof of batch %d: %w", k.Circuit, k.Batch, err)
	}
	return p, nil
}

func proofByKey(ctx context.Context, q querier, k ProofKey) (ProofRecord, error) {
	row, err := one(ctx, q, proofFields, proofByKeySQL, k.Batch, k.Circuit, k.KeyHash[:])
	if err != nil {
		return ProofRecord{}, err
	}
	return row.record()
}

func proofsOfBatch(ctx context.Context, q querier, n settle.BatchNumber) ([]ProofRecord, error) {
	rows, err := list(ctx, q, proofFields, proofsOfBatchSQL, n)
	if err != nil {
		return nil, err
	}
	out := make([]ProofRecord, len(rows))
	for i, r := range rows {
		if out[i], err = r.record(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
