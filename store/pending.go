package store

import (
	"context"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
)

type pendingRow struct {
	sender settle.AccountIndex
	admission.Pending
}

func (r *pendingRow) fields() []any {
	return []any{&r.sender, (*amount)(&r.Debits), &r.All, &r.Nonces}
}

// PendingBySender returns what is pending of those senders that have something
// pending, in one query.
func (s *Store) PendingBySender(ctx context.Context, senders []settle.AccountIndex) (map[settle.AccountIndex]admission.Pending, error) {
	rows, err := list(ctx, s.pool, (*pendingRow).fields, pendingBySenderSQL, senders)
	if err != nil {
		return nil, fmt.Errorf("pending transactions: %w", err)
	}
	pending := make(map[settle.AccountIndex]admission.Pending, len(rows))
	for _, r := range rows {
		pending[r.sender] = r.Pending
	}
	return pending, nil
}

// Progress is a batch and the state root after it; batch 0 is genesis.
type Progress struct {
	Batch settle.BatchNumber
	Root  settle.Element
}

func (p *Progress) fields() []any { return []any{&p.Batch, fixed(p.Root[:])} }

// ProvenProgress returns the last batch that is proven together with all before it.
// ErrNotFound before genesis.
func (s *Store) ProvenProgress(ctx context.Context) (Progress, error) {
	p, err := one(ctx, s.pool, (*Progress).fields, provenProgressSQL)
	if err != nil {
		return Progress{}, fmt.Errorf("proven progress: %w", err)
	}
	return p, nil
}
