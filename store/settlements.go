package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// settlementRow reads a row whose receipt may be absent.
type settlementRow struct {
	Settlement
	blockNumber *uint64
	blockHash   []byte
	gasUsed     *uint64
	gasPrice    *amount
	failure     *string
}

func settlementFields(r *settlementRow) []any {
	t := &r.Settlement
	return []any{&t.ID, &t.Batch, &t.Last, &t.Attempt, &t.Status, &t.RawTx, fixed(t.TxHash[:]), fixed(t.Sender[:]), &t.Nonce,
		&t.GasLimit, (*amount)(&t.MaxFee), (*amount)(&t.MaxTip), &t.PreparedAt, &t.SentAt,
		&r.blockNumber, &r.blockHash, &r.gasUsed, &r.gasPrice, &r.failure}
}

func (r settlementRow) settlement() Settlement {
	t := r.Settlement
	if r.blockNumber != nil && r.gasUsed != nil && r.gasPrice != nil {
		t.Receipt = &Receipt{BlockNumber: *r.blockNumber, BlockHash: settle.Hash(r.blockHash),
			GasUsed: *r.gasUsed, EffectiveGasPrice: settle.Amount(*r.gasPrice)}
	}
	if r.failure != nil {
		t.Failure = *r.failure
	}
	return t
}

func listSettlements(ctx context.Context, q querier, sql string, args ...any) ([]Settlement, error) {
	rows, err := list(ctx, q, settlementFields, sql, args...)
	if err != nil {
		return nil, err
	}
	out := make([]Settlement, len(rows))
	for i := range rows {
		out[i] = rows[i].settlement()
	}
	return out, nil
}

// shownSettlement returns the live settlement of a batch, else the last, else nil.
func shownSettlement(ctx context.Context, q querier, n settle.BatchNumber) (*Settlement, error) {
	row, err := one(ctx, q, settlementFields, settlementShownSQL, n)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("settlement: %w", err)
	}
	t := row.settlement()
	return &t, nil
}

// SettlementByHash returns a settlement by the hash of its transaction, or ErrNotFound.
func (s *Store) SettlementByHash(ctx context.Context, txHash settle.Hash) (Settlement, error) {
	row, err := one(ctx, s.pool, settlementFields, settlementByHashSQL, txHash[:])
	if err != nil {
		return Settlement{}, fmt.Errorf("settlement %s: %w", txHash, err)
	}
	return row.settlement(), nil
}

// BatchSettlements lists every settlement of a batch by attempt.
func (s *Store) BatchSettlements(ctx context.Context, n settle.BatchNumber) ([]Settlement, error) {
	out, err := listSettlements(ctx, s.pool, settlementsOfBatchSQL, n)
	if err != nil {
		return nil, fmt.Errorf("settlements of batch %d: %w", n, err)
	}
	return out, nil
}

// PendingSettlements lists prepared and sent settlements by batch: what a restarted
// submitter sends again and asks receipts for.
func (s *Store) PendingSettlements(ctx context.Context) ([]Settlement, error) {
	out, err := listSettlements(ctx, s.pool, settlementsPendingSQL)
	if err != nil {
		return nil, fmt.Errorf("pending settlements: %w", err)
	}
	return out, nil
}

// MinedSettlements lists settlements that are mined and not final, by batch: whose
// block hashes the watcher compares with the chain.
func (s *Store) MinedSettlements(ctx context.Context) ([]Settlement, error) {
	out, err := listSettlements(ctx, s.pool, settlementsMinedSQL)
	if err != nil {
		return nil, fmt.Errorf("mined settlements: %w", err)
	}
	return out, nil
}

// LastSettlement returns the last settlement, mined or final, by a proof of this circuit,
// shape and key; ErrNotFound when there is none.
func (s *Store) LastSettlement(ctx context.Context, circuit, shape string, key settle.KeyHash) (out Settled, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		row, err := one(ctx, tx, settlementFields, settlementLastSQL, circuit, shape, key[:])
		if err != nil {
			return err
		}
		out.Settlement = row.settlement()
		parts, err := groupParts(ctx, tx, row.Batch, row.Last)
		for _, part := range parts {
			out.Words = append(out.Words, part.Words)
		}
		return err
	})
	if err != nil {
		return Settled{}, fmt.Errorf("last settlement of %s/%s under key %s: %w", circuit, shape, key, err)
	}
	return out, nil
}

// SettlementFees returns the highest fees with which a node may hold a transaction of
// this sender and nonce; found is false when no node has taken one.
func (s *Store) SettlementFees(ctx context.Context, sender settle.Address, nonce uint64) (maxFee, maxTip settle.Amount, found bool, err error) {
	var f, t *amount
	if err := s.pool.QueryRow(ctx, settleFeesAtSQL, sender[:], nonce).Scan(&f, &t); err != nil {
		return maxFee, maxTip, false, fmt.Errorf("fees at nonce %d of %s: %w", nonce, sender, err)
	}
	if f == nil || t == nil {
		return maxFee, maxTip, false, nil
	}
	return settle.Amount(*f), settle.Amount(*t), true, nil
}

// NextToSettle returns the first of ToSettle; ErrNotFound when there is none.
func (s *Store) NextToSettle(ctx context.Context, patience time.Duration) (SettlementWork, error) {
	works, err := s.ToSettle(ctx, patience, 1)
	if err == nil && len(works) == 0 {
		err = fmt.Errorf("next batch to settle: %w", ErrNotFound)
	}
	if err != nil {
		return SettlementWork{}, err
	}
	return works[0], nil
}

// ToSettle returns what settles next, in order and without gaps: at most so many batches
// or groups, from the first that is not settled up to one whose proof is still being made.
// A submitter with patience leaves it to the planner of groups whether batches are
// aggregated: a batch about which nothing is decided, or whose group is being proven, ends
// the list until it has been proven for that long; then it settles by its own proof.
// A *MissingProofError when the proof of one of them, which is proven, is gone.
func (s *Store) ToSettle(ctx context.Context, patience time.Duration, most int) ([]SettlementWork, error) {
	var works []SettlementWork
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		var behind settle.BatchNumber
		for len(works) < most {
			w, err := nextWork(ctx, tx, behind, patience)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			works, behind = append(works, w), w.Last()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("batches to settle: %w", err)
	}
	return works, nil
}

// nextWork reads the first work behind a batch; ErrNotFound when it is not ready.
func nextWork(ctx context.Context, tx pgx.Tx, behind settle.BatchNumber, wait time.Duration) (w SettlementWork, err error) {
	if w.Batch, err = one(ctx, tx, batchFields, settleNextSQL, behind); err != nil {
		return w, err
	}
	if w.Batch.Status == settle.BatchSealed {
		return w, ErrNotFound
	}
	n := w.Batch.Number
	shown, err := shownSettlement(ctx, tx, n)
	if err != nil {
		return w, err
	}
	if shown != nil && (shown.Status == SettlementPrepared || shown.Status == SettlementSent) {
		w.Live = shown
	}
	key, err := route(ctx, tx, &w, wait)
	if err != nil {
		return w, err
	}
	if w.Words, err = batchWords(ctx, tx, n); err != nil {
		return w, fmt.Errorf("words of batch %d: %w", n, err)
	}
	proof, err := proofByKey(ctx, tx, key)
	switch {
	case errors.Is(err, ErrNotFound) && w.Live == nil:
		return w, &MissingProofError{key}
	case errors.Is(err, ErrNotFound): // what is under way needs none
		proof.ProofEnvelope = settle.ProofEnvelope{Circuit: key.Circuit, Shape: w.Batch.Shape, KeyHash: key.KeyHash}
	case err != nil:
		return w, fmt.Errorf("%s proof of batch %d: %w", key.Circuit, n, err)
	}
	w.Proof = proof.ProofEnvelope
	return w, tx.QueryRow(ctx, settleAttemptsSQL, n).Scan(&w.Attempts)
}

// route decides by which proof the batch of w settles, and reads the batches that the
// same proof settles. A transaction that is under way keeps its range. ErrNotFound
// while the batch may yet be folded.
func route(ctx context.Context, tx pgx.Tx, w *SettlementWork, wait time.Duration) (ProofKey, error) {
	n := w.Batch.Number
	own := ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: w.Batch.KeyHash}
	g, err := row[Group](ctx, tx, groupOfSQL, n)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return ProofKey{}, fmt.Errorf("group of batch %d: %w", n, err)
	}
	folded := err == nil && g.Status == GroupProven && g.First == n
	switch {
	case w.Live != nil && (!folded || w.Live.Last != g.Last):
		return own, nil
	case folded:
		if w.Parts, err = groupParts(ctx, tx, g.First, g.Last); err != nil {
			return ProofKey{}, fmt.Errorf("batches %d to %d: %w", g.First, g.Last, err)
		}
		return g.ProofKey(), nil
	case err == nil && g.Status == GroupDirect, wait <= 0:
		return own, nil
	}
	var waited bool
	if err := tx.QueryRow(ctx, settleWaitedSQL, w.Batch.ProvenAt, wait).Scan(&waited); err != nil {
		return ProofKey{}, fmt.Errorf("age of batch %d: %w", n, err)
	}
	if !waited {
		return ProofKey{}, ErrNotFound
	}
	return own, nil
}
