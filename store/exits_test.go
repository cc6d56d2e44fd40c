package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

func TestExitBatchesAreSettledOnes(t *testing.T) {
	f := newFixture(t)
	nonces := map[settle.AccountIndex]settle.Nonce{}
	exit := func(from settle.AccountIndex) settle.BatchNumber {
		b := f.seal(ofKind(settle.KindExit, from, nonces[from], 5))
		nonces[from]++
		f.prove(b)
		return b.Number
	}
	require.Equal(t, []settle.BatchNumber{1, 2, 3, 4}, []settle.BatchNumber{exit(0), exit(1), exit(0), exit(0)})
	list := func(from settle.AccountIndex, after settle.BatchNumber, limit int) []settle.BatchNumber {
		batches, err := f.ExitBatches(t.Context(), address(uint64(from)+1), after, limit)
		require.NoError(t, err)
		return batches
	}
	require.Empty(t, list(0, 0, 10))
	for n := settle.BatchNumber(1); n <= 3; n++ {
		f.settle(n)
	}
	require.Equal(t, []settle.BatchNumber{1, 3}, list(0, 0, 10))
	require.Equal(t, []settle.BatchNumber{1}, list(0, 0, 1))
	require.Equal(t, []settle.BatchNumber{3}, list(0, 1, 1))
	require.Equal(t, []settle.BatchNumber{2}, list(1, 0, 10))
	require.Empty(t, list(2, 0, 10))
}
