package store

import (
	"context"
	"fmt"

	"github.com/zksettle/settle"
)

// ExitBatches lists, in order and at most limit, the settled batches above after
// in which transactions exit to an L1 address.
func (s *Store) ExitBatches(ctx context.Context, l1 settle.Address, after settle.BatchNumber, limit int) ([]settle.BatchNumber, error) {
	batches, err := list(ctx, s.pool, func(n *settle.BatchNumber) []any { return []any{n} }, exitBatchesSQL, l1[:], int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("batches with exits to %s: %w", l1, err)
	}
	return batches, nil
}
