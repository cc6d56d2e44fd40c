package store

import (
	"context"
	_ "embed" // SQL files
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

var (
	//go:embed sql/settlement_shown.sql
	settlementShownSQL string
	//go:embed sql/settlement_by_hash.sql
	settlementByHashSQL string
	//go:embed sql/settlements_of_batch.sql
	settlementsOfBatchSQL string
	//go:embed sql/settlements_pending.sql
	settlementsPendingSQL string
	//go:embed sql/settlements_mined.sql
	settlementsMinedSQL string
	//go:embed sql/settle_next.sql
	settleNextSQL string
	//go:embed sql/settle_attempts.sql
	settleAttemptsSQL string
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
	return []any{&t.ID, &t.Batch, &t.Attempt, &t.Status, &t.RawTx, fixed(t.TxHash[:]), fixed(t.Sender[:]), &t.Nonce,
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

// NextToSettle returns the first batch that is not settled if it is proven or
// settling; ErrNotFound when there is none or its proof is still being made.
func (s *Store) NextToSettle(ctx context.Context) (SettlementWork, error) {
	var w SettlementWork
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if w.Batch, err = one(ctx, tx, batchFields, settleNextSQL); err != nil {
			return err
		}
		if w.Batch.Status == settle.BatchSealed {
			return ErrNotFound
		}
		n := w.Batch.Number
		if w.Words, err = batchWords(ctx, tx, n); err != nil {
			return fmt.Errorf("words of batch %d: %w", n, err)
		}
		proof, err := proofByKey(ctx, tx, ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: w.Batch.KeyHash})
		if err != nil {
			return fmt.Errorf("proof of batch %d: %w", n, err)
		}
		w.Proof = proof.ProofEnvelope
		shown, err := shownSettlement(ctx, tx, n)
		if err != nil {
			return err
		}
		if shown != nil && (shown.Status == SettlementPrepared || shown.Status == SettlementSent) {
			w.Live = shown
		}
		return tx.QueryRow(ctx, settleAttemptsSQL, n).Scan(&w.Attempts)
	})
	if err != nil {
		return SettlementWork{}, fmt.Errorf("next batch to settle: %w", err)
	}
	return w, nil
}
