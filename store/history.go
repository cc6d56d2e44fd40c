package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// Point is a batch in the history of the state. Genesis is batch 0, and final.
type Point struct {
	Batch  settle.BatchNumber
	Root   settle.Element // after the batch
	Status settle.BatchStatus
}

func pointFields(p *Point) []any { return []any{&p.Batch, fixed(p.Root[:]), &p.Status} }

// Point returns a batch that was executed, or ErrNotFound.
func (s *Store) Point(ctx context.Context, n settle.BatchNumber) (Point, error) {
	p, err := one(ctx, s.pool, pointFields, batchProgressSQL, int64(n))
	if err != nil {
		return Point{}, fmt.Errorf("batch %d: %w", n, err)
	}
	return p, nil
}

// LastSettled returns the last settled batch, genesis if there is none.
func (s *Store) LastSettled(ctx context.Context) (Point, error) {
	p, err := one(ctx, s.pool, pointFields, settledProgressSQL)
	if err != nil {
		return Point{}, fmt.Errorf("last settled batch: %w", err)
	}
	return p, nil
}

// AccountAt returns an account as batch n left it, or ErrNotFound when it did not
// exist then. The caller knows that the batch was executed: what it left never
// changes. One look-up in an index.
func (s *Store) AccountAt(ctx context.Context, i settle.AccountIndex, n settle.BatchNumber) (Account, error) {
	a, err := one(ctx, s.pool, accountFields, accountAtSQL, int64(i), int64(n))
	if err != nil {
		return Account{}, fmt.Errorf("account %d at batch %d: %w", i, n, err)
	}
	return a, nil
}

// EachAccountAt calls f for every account that existed after batch n, by index,
// streaming: the accounts of now with later changes undone. It stops at f's
// error. It reads all accounts and all changes behind batch n.
func (s *Store) EachAccountAt(ctx context.Context, n settle.BatchNumber, f func(Account) error) error {
	rows, err := s.pool.Query(ctx, accountsUndoneSQL, int64(n))
	if err == nil {
		var a Account
		_, err = pgx.ForEachRow(rows, accountFields(&a), func() error { return f(a) })
	}
	if err != nil {
		return fmt.Errorf("accounts at batch %d: %w", n, err)
	}
	return nil
}

// AccountsAstray lists, by index and at most limit, the accounts that are not what
// their last change left: none unless somebody wrote to one of the two tables by
// another way. It reads both.
func (s *Store) AccountsAstray(ctx context.Context, limit int) ([]settle.AccountIndex, error) {
	astray, err := list(ctx, s.pool, func(i *settle.AccountIndex) []any { return []any{i} }, accountsAstraySQL, limit)
	if err != nil {
		return nil, fmt.Errorf("compare accounts with their history: %w", err)
	}
	return astray, nil
}

// LeafChange is what a leaf becomes between two batches.
type LeafChange struct {
	Index  settle.AccountIndex
	Digest settle.Element
	Empty  bool // the slot holds no account; Digest is then not to be used
}

// LeavesBetween lists, by index, the leaves that differ between two executed
// batches, perhaps, as they are after batch to. It goes back as well as forward.
func (s *Store) LeavesBetween(ctx context.Context, from, to settle.BatchNumber) ([]LeafChange, error) {
	sql := leavesForwardSQL
	if to < from {
		sql = leavesBackSQL
	}
	changes, err := list(ctx, s.pool, func(c *LeafChange) []any { return []any{&c.Index, fixed(c.Digest[:]), &c.Empty} }, sql, int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("leaves between batches %d and %d: %w", from, to, err)
	}
	return changes, nil
}
