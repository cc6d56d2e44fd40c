package store

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/zksettle/settle"
)

//go:embed sql/pending_by_sender.sql
var pendingBySenderSQL string

//go:embed sql/proven_progress.sql
var provenProgressSQL string

// Pending is what accepted, unexecuted transactions of one sender will take.
type Pending struct {
	Debits settle.Amount  // amounts and fees
	Nonces []settle.Nonce // ascending
}

// NextNonce returns the first nonce from the executed one on that no pending
// transaction uses: a gap before the end, if there is one.
func (p Pending) NextNonce(executed settle.Nonce) settle.Nonce {
	next := executed
	for _, n := range p.Nonces {
		if n == next {
			next++
		}
	}
	return next
}

// PendingBySender returns what is pending of those senders that have something
// pending, in one query.
func (s *Store) PendingBySender(ctx context.Context, senders []settle.AccountIndex) (map[settle.AccountIndex]Pending, error) {
	keys := make([]int64, len(senders))
	for i, index := range senders {
		keys[i] = int64(index)
	}
	rows, err := s.pool.Query(ctx, pendingBySenderSQL, keys)
	if err != nil {
		return nil, fmt.Errorf("pending transactions: %w", err)
	}
	defer rows.Close()
	pending := map[settle.AccountIndex]Pending{}
	for rows.Next() {
		var sender int64
		var debits string
		var nonces []int64
		if err := rows.Scan(&sender, &debits, &nonces); err != nil {
			return nil, fmt.Errorf("pending transactions: %w", err)
		}
		var p Pending
		if p.Debits, err = settle.ParseAmount(debits); err != nil {
			return nil, fmt.Errorf("pending debits of account %d: %w", sender, err)
		}
		for _, n := range nonces {
			p.Nonces = append(p.Nonces, settle.Nonce(n))
		}
		pending[settle.AccountIndex(sender)] = p
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("pending transactions: %w", err)
	}
	return pending, nil
}

// Progress is a batch and the state root after it; batch 0 is genesis.
type Progress struct {
	Batch settle.BatchNumber
	Root  settle.Element
}

// ProvenProgress returns the last batch that is proven together with all before it.
func (s *Store) ProvenProgress(ctx context.Context) (Progress, error) {
	var number int64
	var root []byte
	if err := s.pool.QueryRow(ctx, provenProgressSQL).Scan(&number, &root); err != nil {
		return Progress{}, fmt.Errorf("proven progress: %w", err)
	}
	p := Progress{Batch: settle.BatchNumber(number)}
	if copy(p.Root[:], root) != len(p.Root) {
		return Progress{}, fmt.Errorf("proven progress: root of %d bytes: %w", len(root), ErrCorrupt)
	}
	return p, nil
}
