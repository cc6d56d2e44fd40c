package store

import (
	"context"
	_ "embed" // SQL files
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

var (
	//go:embed sql/transaction_by_id.sql
	transactionByIDSQL string
	//go:embed sql/transaction_batch_status.sql
	transactionBatchStatusSQL string
	//go:embed sql/transactions_of_batch.sql
	transactionsOfBatchSQL string
	//go:embed sql/transactions_accepted.sql
	transactionsAcceptedSQL string
	//go:embed sql/backlog.sql
	backlogSQL string
)

// transactionRow reads a row whose absent parts are null.
type transactionRow struct {
	Transaction
	batch        *settle.BatchNumber
	position     *int
	rejectCode   *settle.Code
	rejectDetail *string
}

func transactionFields(r *transactionRow) []any {
	t := &r.Transaction
	return []any{fixed(t.ID[:]), &t.Kind, &t.From, &t.To, &t.Token, (*amount)(&t.Amount), &t.AmountPacked,
		(*amount)(&t.Fee), &t.FeePacked, &t.Nonce, &t.ValidUntil, fixed(t.ToOwner[:]), fixed(t.ToL1[:]),
		fixed(t.PublicKey[:]), fixed(t.Signature[:]), &t.Sequence, &t.ReceivedAt, &t.Status,
		&r.batch, &r.position, &t.AssignedIndex, &r.rejectCode, &r.rejectDetail}
}

func (r transactionRow) transaction() Transaction {
	t := r.Transaction
	if r.batch != nil && r.position != nil {
		t.Placement = &Placement{Batch: *r.batch, Position: *r.position}
	}
	if r.rejectCode != nil && r.rejectDetail != nil {
		t.Rejection = &settle.Refusal{Code: *r.rejectCode, Detail: *r.rejectDetail}
	}
	return t
}

func transactions(rows []transactionRow) []Transaction {
	out := make([]Transaction, len(rows))
	for i := range rows {
		out[i] = rows[i].transaction()
	}
	return out
}

// Transaction returns a transaction with its batch and settlement, or ErrNotFound.
func (s *Store) Transaction(ctx context.Context, id settle.Hash) (TransactionDetail, error) {
	var d TransactionDetail
	// One snapshot, or a transaction could be seen before its batch is settled and the
	// settlement after.
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		row, err := one(ctx, tx, transactionFields, transactionByIDSQL, id[:])
		if err != nil {
			return err
		}
		d.Transaction = row.transaction()
		if d.Placement == nil {
			return nil
		}
		if err := tx.QueryRow(ctx, transactionBatchStatusSQL, d.Placement.Batch).Scan(&d.BatchStatus); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		d.Settlement, err = shownSettlement(ctx, tx, d.Placement.Batch)
		return err
	})
	if err != nil {
		return TransactionDetail{}, fmt.Errorf("transaction %s: %w", id, err)
	}
	return d, nil
}

// snapshot runs reads that must agree with each other.
func (s *Store) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// BatchTransactions lists the transactions of a batch by position.
func (s *Store) BatchTransactions(ctx context.Context, n settle.BatchNumber) ([]Transaction, error) {
	rows, err := list(ctx, s.pool, transactionFields, transactionsOfBatchSQL, n)
	if err != nil {
		return nil, fmt.Errorf("transactions of batch %d: %w", n, err)
	}
	return transactions(rows), nil
}

// AcceptedTransactions lists accepted transactions by sequence, beginning after
// sequence after (0: from the start), at most limit. Sequences are drawn before
// commit, so a later commit can carry a lower one than was already seen: a cursor
// serves to page within one pass, and each pass begins at 0.
func (s *Store) AcceptedTransactions(ctx context.Context, after int64, limit int) ([]Transaction, error) {
	rows, err := list(ctx, s.pool, transactionFields, transactionsAcceptedSQL, after, limit)
	if err != nil {
		return nil, fmt.Errorf("accepted transactions: %w", err)
	}
	return transactions(rows), nil
}

// Backlog counts the work that back-pressure is decided on. It is cheap: both
// counts come from partial indexes that hold only unfinished work.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	b, err := one(ctx, s.pool, func(b *Backlog) []any { return []any{&b.Accepted, &b.Unproven} }, backlogSQL)
	if err != nil {
		return Backlog{}, fmt.Errorf("backlog: %w", err)
	}
	return b, nil
}
