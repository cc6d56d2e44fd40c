// Package reexecute computes what a rollup's roots must be from what its API gives: for
// whoever does not believe the sequencer.
package reexecute

import (
	"context"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// Roots executes the batches of transactions anew from genesis, in this process, and
// returns the root after each: nothing of it comes from the sequencer but the order. ids
// are all transactions of the rollup; domain is that of its deployment.
func Roots(ctx context.Context, api *client.Client, domain settle.Element, genesis *state.Genesis, ids []settle.Hash) ([]settle.Element, error) {
	byBatch := map[settle.BatchNumber]map[int]state.Transaction{}
	for _, id := range ids {
		t, err := api.Transaction(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", id, err)
		}
		if t.Batch == nil || t.Position == nil {
			return nil, fmt.Errorf("transaction %s is in no batch", id)
		}
		tx, err := stateTransaction(t)
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", id, err)
		}
		if byBatch[*t.Batch] == nil {
			byBatch[*t.Batch] = map[int]state.Transaction{}
		}
		byBatch[*t.Batch][*t.Position] = tx
	}
	d, err := Element(domain)
	if err != nil {
		return nil, err
	}
	s, err := genesis.State(poseidon.New(), d)
	if err != nil {
		return nil, err
	}
	var roots []settle.Element
	for number := settle.BatchNumber(1); len(byBatch[number]) > 0; number++ {
		txs := make([]state.Transaction, len(byBatch[number]))
		for position, tx := range byBatch[number] {
			if position >= len(txs) {
				return nil, fmt.Errorf("batch %d has a gap before position %d", number, position)
			}
			txs[position] = tx
		}
		trace, err := s.Apply(txs)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", number, err)
		}
		roots = append(roots, trace.Header.NewRoot.Bytes())
	}
	if len(roots) != len(byBatch) {
		return nil, fmt.Errorf("%d batches, of which only %d are numbered from 1 without gaps", len(byBatch), len(roots))
	}
	return roots, nil
}
