package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// PrepareSettlement stores a signed L1 transaction before it is sent and sets its
// batches settling. Live settlements of any of them become replaced, which needs the
// same sender and nonce, as only one of two such can ever be mined; else
// ErrIllegalTransition, also for a batch that is neither proven nor settling. A group
// of other batches than these is given up.
//
// Several may be under way, in the order of their batches: every batch before these is
// settling or settled, else ErrIllegalTransition. One that replaces none takes back all
// that are under way for later batches (they become failed), as their nonces come before
// its own or are the same.
func (s *Store) PrepareSettlement(ctx context.Context, epoch Epoch, n NewSettlement) (Settlement, error) {
	if n.Last == 0 {
		n.Last = n.Batch
	}
	var out Settlement
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		locked, err := lockBatches(ctx, tx, n.Batch, n.Last)
		if err != nil {
			return err
		}
		for _, b := range locked {
			if b.status != settle.BatchProven && b.status != settle.BatchSettling {
				return fmt.Errorf("%w: batch %d is %s", ErrIllegalTransition, b.number, b.status)
			}
		}
		replaces, err := replaceable(ctx, tx, n)
		if err != nil {
			return err
		}
		if !replaces {
			reason := fmt.Sprintf("taken back: batches %d to %d are settled anew", n.Batch, n.Last)
			if err := takeBack(ctx, tx, n.Last, reason); err != nil {
				return err
			}
		}
		if err := takePlace(ctx, tx, n, nil); err != nil {
			return err
		}
		row, err := one(ctx, tx, settlementFields, settleInsertSQL, n.Batch, n.Last, n.RawTx, n.TxHash[:], n.Sender[:], n.Nonce,
			n.GasLimit, amount(n.MaxFee), amount(n.MaxTip))
		if err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		out = row.settlement()
		return moveBatches(ctx, tx, settleBatchSettlingSQL, n)
	})
	if err != nil {
		return Settlement{}, fmt.Errorf("prepare settlement of batch %d: %w", n.Batch, err)
	}
	return out, nil
}

type lockedBatch struct {
	number settle.BatchNumber
	status settle.BatchStatus
}

// lockBatches locks the rows of batches in order, or returns ErrNotFound if not all
// are there.
func lockBatches(ctx context.Context, tx pgx.Tx, first, last settle.BatchNumber) ([]lockedBatch, error) {
	locked, err := list(ctx, tx, func(b *lockedBatch) []any { return []any{&b.number, &b.status} }, settleLockBatchSQL, first, last)
	if err == nil && (last < first || len(locked) != int(last-first)+1) {
		err = ErrNotFound
	}
	return locked, err
}

// replaceable reports whether n replaces a live settlement, and fails where it must not.
func replaceable(ctx context.Context, tx pgx.Tx, n NewSettlement) (bool, error) {
	others, err := list(ctx, tx, func(l *NewSettlement) []any {
		return []any{fixed(l.TxHash[:]), fixed(l.Sender[:]), &l.Nonce}
	}, settleLiveSQL, n.Batch, n.Last)
	if err != nil {
		return false, fmt.Errorf("live settlement: %w", err)
	}
	for _, live := range others {
		if live.Sender != n.Sender || live.Nonce != n.Nonce {
			return false, fmt.Errorf("%w: settlement %s of %s with nonce %d is live; only the same sender and nonce replaces it",
				ErrIllegalTransition, live.TxHash, live.Sender, live.Nonce)
		}
	}
	return len(others) > 0, nil
}

// takeBack fails the settlements that are under way for batches behind last: their
// batches return to proven.
func takeBack(ctx context.Context, tx pgx.Tx, last settle.BatchNumber, reason string) error {
	if _, err := tx.Exec(ctx, settleLockLaterSQL, last); err != nil {
		return fmt.Errorf("lock later batches: %w", err)
	}
	later, err := list(ctx, tx, func(r *NewSettlement) []any { return []any{&r.Batch, &r.Last} }, settleTakeBackSQL, last, reason)
	if err != nil {
		return fmt.Errorf("later settlements: %w", err)
	}
	for _, l := range later {
		if _, err := tx.Exec(ctx, settleBatchProvenSQL, l.Batch, l.Last); err != nil {
			return fmt.Errorf("batches %d to %d: %w", l.Batch, l.Last, err)
		}
	}
	return nil
}

// takePlace replaces the live settlements of n's batches other than the one with this
// hash, lets their further batches go, and gives up groups of other batches.
func takePlace(ctx context.Context, tx pgx.Tx, n NewSettlement, hash []byte) error {
	replaced, err := list(ctx, tx, func(r *NewSettlement) []any { return []any{&r.Batch, &r.Last} }, settleReplaceSQL, n.Batch, n.Last, append([]byte{}, hash...))
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	for _, r := range replaced {
		if _, err := tx.Exec(ctx, settleReleaseBatchesSQL, r.Batch, r.Last, n.Batch, n.Last); err != nil {
			return fmt.Errorf("batches %d to %d: %w", r.Batch, r.Last, err)
		}
	}
	reason := fmt.Sprintf("batches %d to %d are settled by themselves", n.Batch, n.Last)
	if err := giveUp(ctx, tx, n.Batch, n.Last, groupDissolveSQL, n.Batch, n.Last, reason); err != nil {
		return fmt.Errorf("give groups up: %w", err)
	}
	return nil
}

func moveBatches(ctx context.Context, tx pgx.Tx, sql string, n NewSettlement) error {
	if _, err := tx.Exec(ctx, sql, n.Batch, n.Last); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	return notifyBatches(ctx, tx)
}

// MarkSent records that a node has taken the transaction. Repeating it, or a settlement
// that went on meanwhile, changes nothing.
func (s *Store) MarkSent(ctx context.Context, epoch Epoch, txHash settle.Hash) error {
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		if _, err := lockSettlement(ctx, tx, txHash); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, settleSentSQL, txHash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("mark settlement %s sent: %w", txHash, err)
	}
	return nil
}

// lockSettlement reads a settlement with its batches' rows locked, which every change
// of settlements takes first.
func lockSettlement(ctx context.Context, tx pgx.Tx, txHash settle.Hash) (Settlement, error) {
	row, err := one(ctx, tx, settlementFields, settlementByHashSQL, txHash[:])
	if err != nil {
		return Settlement{}, err
	}
	if _, err := lockBatches(ctx, tx, row.Batch, row.Last); err != nil {
		return Settlement{}, err
	}
	row, err = one(ctx, tx, settlementFields, settlementByHashSQL, txHash[:])
	return row.settlement(), err
}

// RecordMined records a successful receipt: the settlement becomes mined, its batches
// and their transactions settled. The chain has the last word: replaced, failed and
// reorged settlements may be mined too, and a live one is then replaced. The same
// receipt again changes nothing; another block for a mined one is written over it.
// ErrIllegalTransition if another settlement of one of its batches is mined, or a
// batch before them is not settled.
func (s *Store) RecordMined(ctx context.Context, epoch Epoch, txHash settle.Hash, r Receipt) error {
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		t, err := lockSettlement(ctx, tx, txHash)
		if err != nil {
			return err
		}
		same := t.Receipt != nil && *t.Receipt == r
		if same && (t.Status == SettlementMined || t.Status == SettlementFinal) {
			return nil
		}
		other, err := one(ctx, tx, func(h *settle.Hash) []any { return []any{fixed(h[:])} }, settleOtherSQL, t.Batch, t.Last, txHash[:])
		if err == nil {
			return fmt.Errorf("%w: batches %d to %d are settled by %s", ErrIllegalTransition, t.Batch, t.Last, other)
		}
		if !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("other settlements: %w", err)
		}
		if err := takePlace(ctx, tx, t.NewSettlement, txHash[:]); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, settleMinedSQL, txHash[:], r.BlockNumber, r.BlockHash[:], r.GasUsed, amount(r.EffectiveGasPrice)); err != nil {
			return err
		}
		if t.Status == SettlementMined {
			return nil
		}
		// A batch that had gone back to proven passes settling, as drawn.
		if err := moveBatches(ctx, tx, settleBatchSettlingSQL, t.NewSettlement); err != nil {
			return err
		}
		if err := moveBatches(ctx, tx, settleBatchSettledSQL, t.NewSettlement); err != nil {
			return err
		}
		return transactionsFollow(ctx, tx, settle.TxSettled, t.batches()...)
	})
	if err != nil {
		return fmt.Errorf("record settlement %s mined: %w", txHash, err)
	}
	return nil
}

// FailSettlement records that a prepared or sent transaction was reverted, refused
// or dropped; its batches return to proven. All that are under way for later batches
// are taken back with it, as they cannot succeed before it. Repeating it changes
// nothing; ErrIllegalTransition from any other status.
func (s *Store) FailSettlement(ctx context.Context, epoch Epoch, txHash settle.Hash, reason string) error {
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		t, err := lockSettlement(ctx, tx, txHash)
		if err != nil {
			return err
		}
		if t.Status == SettlementFailed {
			return nil
		}
		if _, err := tx.Exec(ctx, settleFailedSQL, txHash[:], reason); err != nil {
			return err
		}
		if err := takeBack(ctx, tx, t.Last, fmt.Sprintf("taken back: the settlement of batch %d failed", t.Batch)); err != nil {
			return err
		}
		return moveBatches(ctx, tx, settleBatchProvenSQL, t.NewSettlement)
	})
	if err != nil {
		return fmt.Errorf("record settlement %s failed: %w", txHash, err)
	}
	return nil
}

// RevertSettlements undoes, after a reorg, the settlement of batch from, of those that
// were settled with it, and of every later one: settled and settling batches return to proven, settled transactions too,
// and what was claimed since is forgotten until it is read again.
// It returns the numbers of the batches. Final ones are never touched: ErrIllegalTransition.
func (s *Store) RevertSettlements(ctx context.Context, epoch Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error) {
	var batches []settle.BatchNumber
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) (err error) {
		// Final batches are in the statement too, so that the database refuses the whole.
		if batches, err = list(ctx, tx, number, settleRevertBatchesSQL, from); err != nil {
			return fmt.Errorf("batches: %w", err)
		}
		if err := retreatClaims(ctx, tx, from); err != nil {
			return fmt.Errorf("claims: %w", err)
		}
		if _, err := tx.Exec(ctx, settleRevertSettlementsSQL, from, reason); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, settleRevertTransactionsSQL, batches); err != nil {
			return fmt.Errorf("transactions: %w", err)
		}
		return notifyBatches(ctx, tx)
	})
	if err != nil {
		return nil, fmt.Errorf("revert settlements from batch %d: %w", from, err)
	}
	return batches, nil
}

func number(n *settle.BatchNumber) []any { return []any{n} }

// FinalizeSettlements makes final every settled batch up to and including upTo, but no
// part of what one transaction settled.
// It returns their numbers.
func (s *Store) FinalizeSettlements(ctx context.Context, epoch Epoch, upTo settle.BatchNumber) ([]settle.BatchNumber, error) {
	var batches []settle.BatchNumber
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) (err error) {
		if batches, err = list(ctx, tx, number, settleFinalizeBatchesSQL, upTo); err != nil || len(batches) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, settleFinalizeSettlementsSQL, batches); err != nil {
			return err
		}
		if err := transactionsFollow(ctx, tx, settle.TxFinal, batches...); err != nil {
			return err
		}
		return notifyBatches(ctx, tx)
	})
	if err != nil {
		return nil, fmt.Errorf("finalize settlements up to batch %d: %w", upTo, err)
	}
	return batches, nil
}
