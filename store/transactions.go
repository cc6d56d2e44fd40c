package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/state"
)

// transactionRow has a field for each column that is read.
type transactionRow struct {
	ID            settle.Hash
	Kind          settle.Kind
	FromAccount   settle.AccountIndex
	ToAccount     settle.AccountIndex
	Token         settle.TokenID
	AmountPacked  uint64
	FeePacked     uint16
	Nonce         settle.Nonce
	ValidUntil    settle.BatchNumber
	ToOwner       settle.Element
	ToL1          settle.Address `db:"to_l1"`
	PublicKey     settle.Element
	Signature     []byte
	Seq           int64
	ReceivedAt    time.Time
	Status        settle.TxStatus
	Batch         *settle.BatchNumber
	Position      *int
	AssignedIndex *settle.AccountIndex
	RejectCode    *settle.Code
	RejectDetail  *string
}

func (r *transactionRow) transaction() Transaction {
	t := Transaction{Sequence: r.Seq, ReceivedAt: r.ReceivedAt, Status: r.Status, AssignedIndex: r.AssignedIndex}
	t.ID = r.ID
	t.Checked.Transaction, t.Damage = r.signed()
	if r.Batch != nil && r.Position != nil {
		t.Placement = &Placement{Batch: *r.Batch, Position: *r.Position}
	}
	if r.RejectCode != nil && r.RejectDetail != nil {
		t.Rejection = &settle.Refusal{Code: *r.RejectCode, Detail: *r.RejectDetail}
	}
	return t
}

// signed returns what the sender signed. An error means that the row is damaged:
// admission lets in nothing that fails here.
func (r *transactionRow) signed() (state.Transaction, error) {
	tx := state.Transaction{
		Kind: r.Kind, From: r.FromAccount, To: r.ToAccount, Token: r.Token, Amount: state.Float40(r.AmountPacked), Fee: state.Float16(r.FeePacked),
		Nonce: r.Nonce, ValidUntil: r.ValidUntil, ToL1: r.ToL1,
	}
	if _, _, err := admission.Exact(&tx); err != nil {
		return tx, err
	}
	if r.Nonce > settle.MaxNonce || r.Kind>>settle.KindBits != 0 {
		return tx, fmt.Errorf("a field is wider than its place in the message: nonce %d, kind %d", r.Nonce, r.Kind)
	}
	var err error
	if tx.PublicKey, err = admission.Element(r.PublicKey, "public key"); err != nil {
		return tx, err
	}
	if tx.ToOwner, err = admission.Element(r.ToOwner, "receiver's owner"); err != nil {
		return tx, err
	}
	tx.Signature, err = admission.Signature(r.Signature)
	return tx, err
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
		found, err := row[transactionRow](ctx, tx, transactionByIDSQL, id[:])
		if err != nil {
			return err
		}
		d.Transaction = found.transaction()
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
	found, err := rows[transactionRow](ctx, s.pool, transactionsOfBatchSQL, n)
	if err != nil {
		return nil, fmt.Errorf("transactions of batch %d: %w", n, err)
	}
	return transactions(found), nil
}

// AcceptedTransactions lists accepted transactions by sequence, beginning after
// sequence after (0: from the start), at most limit. Sequences are drawn before
// commit, so a later commit can carry a lower one than was already seen: a cursor
// serves to page within one pass, and each pass begins at 0.
func (s *Store) AcceptedTransactions(ctx context.Context, after int64, limit int) ([]Transaction, error) {
	found, err := rows[transactionRow](ctx, s.pool, transactionsAcceptedSQL, after, limit)
	if err != nil {
		return nil, fmt.Errorf("accepted transactions: %w", err)
	}
	return transactions(found), nil
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
