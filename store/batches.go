package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

func batchFields(b *Batch) []any {
	u := &b.Usage
	return []any{&b.Number, &b.Status, &b.Shape, fixed(b.KeyHash[:]), fixed(b.OldRoot[:]), fixed(b.NewRoot[:]),
		fixed(b.Commitment[:]), &u.Transfers, &u.Accounts, &u.Nodes, &u.FeeAccounts, &u.Opens, &u.Exits, &u.L1Ops,
		&b.Transactions, &b.SealedAt, &b.ProvenAt, &b.SettledAt, &b.FinalAt}
}

// Batch returns a batch with proofs and settlement, or ErrNotFound.
func (s *Store) Batch(ctx context.Context, n settle.BatchNumber) (BatchDetail, error) {
	var d BatchDetail
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if d.Batch, err = one(ctx, tx, batchFields, batchByNumberSQL, n); err != nil {
			return err
		}
		if d.Proofs, err = proofsOfBatch(ctx, tx, n); err != nil {
			return err
		}
		if d.Settlement, err = shownSettlement(ctx, tx, n); err != nil {
			return err
		}
		return tx.QueryRow(ctx, batchFailuresSQL, n).Scan(&d.Failures)
	})
	if err != nil {
		return BatchDetail{}, fmt.Errorf("batch %d: %w", n, err)
	}
	return d, nil
}

// Batches lists batches, newest first, below before (0: no bound), at most limit.
func (s *Store) Batches(ctx context.Context, before settle.BatchNumber, limit int) ([]Batch, error) {
	bs, err := list(ctx, s.pool, batchFields, batchesBeforeSQL, before, limit)
	if err != nil {
		return nil, fmt.Errorf("batches: %w", err)
	}
	return bs, nil
}

// LastBatch returns the last sealed batch, or ErrNotFound when there is only genesis.
func (s *Store) LastBatch(ctx context.Context) (Batch, error) {
	b, err := one(ctx, s.pool, batchFields, batchesBeforeSQL, 0, 1)
	if err != nil {
		return Batch{}, fmt.Errorf("last batch: %w", err)
	}
	return b, nil
}

// BatchWords returns D of a batch, or ErrNotFound.
func (s *Store) BatchWords(ctx context.Context, n settle.BatchNumber) ([]settle.Element, error) {
	words, err := batchWords(ctx, s.pool, n)
	if err != nil {
		return nil, fmt.Errorf("words of batch %d: %w", n, err)
	}
	return words, nil
}

func batchWords(ctx context.Context, q querier, n settle.BatchNumber) ([]settle.Element, error) {
	packed, err := one(ctx, q, func(b *[]byte) []any { return []any{b} }, batchWordsSQL, n)
	if err != nil {
		return nil, err
	}
	return unpack(packed)
}

// WitnessInput returns the witness input of a batch after checking its hash:
// ErrCorrupt if it does not match, ErrNotFound if there is none.
func (s *Store) WitnessInput(ctx context.Context, n settle.BatchNumber) (WitnessInput, error) {
	w, err := one(ctx, s.pool, func(w *WitnessInput) []any {
		return []any{&w.Version, fixed(w.Hash[:]), &w.Data}
	}, witnessInputSQL, n)
	if err == nil && settle.Hash(sha256.Sum256(w.Data)) != w.Hash {
		err = ErrCorrupt
	}
	if err != nil {
		return WitnessInput{}, fmt.Errorf("witness input of batch %d: %w", n, err)
	}
	return w, nil
}

// Status returns the summary, or ErrNotFound before genesis.
func (s *Store) Status(ctx context.Context) (Status, error) {
	var st Status
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		st, err = one(ctx, tx, func(st *Status) []any {
			t, b := &st.Transactions, &st.Batches
			return []any{&t.Accepted, &t.Executed, &t.Proven, &t.Settled, &t.Final, &t.Rejected,
				&b.Sealed, &b.Proven, &b.Settling, &b.Settled, &b.Final, &st.OldestUnprovenAge,
				&st.LastBatch, fixed(st.LastRoot[:]), &st.SettledBatch, fixed(st.SettledRoot[:]), &st.FinalBatch}
		}, statusSQL)
		if err != nil {
			return err
		}
		st.Jobs, err = row[JobCounts](ctx, tx, jobCountsSQL)
		return err
	})
	if err != nil {
		return Status{}, fmt.Errorf("status: %w", err)
	}
	return st, nil
}
