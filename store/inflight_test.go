package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// TestNoSettlementBeforeItsPredecessor: nothing is signed for a batch, or a group, while
// the one before it is neither under way nor settled.
func TestNoSettlementBeforeItsPredecessor(t *testing.T) {
	f, _ := proven(t, 4)
	refused := func(n store.NewSettlement) {
		t.Helper()
		_, err := f.PrepareSettlement(t.Context(), f.submit, n)
		require.ErrorIs(t, err, store.ErrIllegalTransition)
		require.ErrorContains(t, err, "before its predecessor")
		require.Equal(t, settle.BatchProven, f.batchStatus(n.Batch))
	}
	refused(newSettlement(2, 0))
	refused(spanning(3, 4, 0))
	first, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 0))
	require.NoError(t, err)
	refused(newSettlement(3, 0))
	_, err = f.PrepareSettlement(t.Context(), f.submit, newSettlement(2, 0))
	require.NoError(t, err)
	require.NoError(t, f.FailSettlement(t.Context(), f.submit, first.TxHash, "reverted"))
	refused(newSettlement(2, 1)) // was taken back with the first
	require.NoError(t, f.RecordMined(t.Context(), f.submit, first.TxHash, receipt(7)))
	_, err = f.PrepareSettlement(t.Context(), f.submit, newSettlement(2, 1))
	require.NoError(t, err)
}

// TestLastSettlement is of the key that was asked for, alone or folded, and of what the
// chain has.
func TestLastSettlement(t *testing.T) {
	f, _ := proven(t, 6)
	last := func(circuit, shape string, key settle.KeyHash) (store.Settled, error) {
		return f.LastSettlement(t.Context(), circuit, shape, key)
	}
	own := envelope(f.sealed[0])
	_, err := last(own.Circuit, own.Shape, own.KeyHash)
	require.ErrorIs(t, err, store.ErrNotFound)
	f.settle(1)
	f.settle(2)
	f.plan(3, 5)
	f.folded(3)
	group, err := f.PrepareSettlement(t.Context(), f.submit, spanning(3, 5, 0))
	require.NoError(t, err)
	_, err = last(settle.CircuitAggregate, aggregateShape, aggregateKey())
	require.ErrorIs(t, err, store.ErrNotFound, "not mined yet")
	require.NoError(t, f.RecordMined(t.Context(), f.submit, group.TxHash, receipt(200)))
	_, err = f.PrepareSettlement(t.Context(), f.submit, newSettlement(6, 0))
	require.NoError(t, err)
	_, err = f.FinalizeSettlements(t.Context(), f.submit, 2)
	require.NoError(t, err)

	got, err := last(own.Circuit, own.Shape, own.KeyHash)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(2), got.Batch)
	require.Equal(t, [][]settle.Element{f.sealed[1].Words}, got.Words)
	require.Equal(t, receipt(102), *got.Receipt)
	got, err = last(settle.CircuitAggregate, aggregateShape, aggregateKey())
	require.NoError(t, err)
	require.Equal(t, group.TxHash, got.TxHash)
	require.Equal(t, [][]settle.Element{f.sealed[2].Words, f.sealed[3].Words, f.sealed[4].Words}, got.Words)
	for name, k := range map[string][3]string{
		"other circuit": {settle.CircuitAggregate, own.Shape, string(own.KeyHash[:])},
		"other shape":   {own.Circuit, "another", string(own.KeyHash[:])},
		"other key":     {own.Circuit, own.Shape, string(make([]byte, 32))},
	} {
		_, err = last(k[0], k[1], settle.KeyHash([]byte(k[2])))
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
	_, err = f.RevertSettlements(t.Context(), f.submit, 3, "reorg")
	require.NoError(t, err)
	_, err = last(settle.CircuitAggregate, aggregateShape, aggregateKey())
	require.ErrorIs(t, err, store.ErrNotFound, "it left the chain")
}
