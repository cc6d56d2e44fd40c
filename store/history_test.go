package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// Whatever batch is asked for, each account and all of them are as they were.
func TestHistoryOfRandomBatches(t *testing.T) {
	f := newFixture(t)
	random := rand.New(rand.NewPCG(1, 2))
	history := [][]store.Account{f.accounts}
	roots := []settle.Element{f.root}
	for range 12 {
		from := settle.AccountIndex(random.IntN(2))
		f.seal(submission(from, f.accounts[from].Nonce, random.Uint64N(40)))
		history, roots = append(history, f.accounts), append(roots, f.root)
	}
	for n, want := range history {
		n := settle.BatchNumber(n)
		var all []store.Account
		require.NoError(t, f.EachAccountAt(t.Context(), n, func(a store.Account) error { all = append(all, a); return nil }))
		require.Equal(t, want, all, "batch %d", n)
		for _, a := range want {
			got, err := f.AccountAt(t.Context(), a.Index, n)
			require.NoError(t, err)
			require.Equal(t, a, got)
		}
		p, err := f.Point(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, n, p.Batch)
		require.Equal(t, roots[n], p.Root)
	}
	_, err := f.AccountAt(t.Context(), 99, 3)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = f.Point(t.Context(), settle.BatchNumber(len(history)))
	require.ErrorIs(t, err, store.ErrNotFound)
}

// An account that a later batch opened did not exist before it.
func TestHistoryBeforeAnAccountWasOpened(t *testing.T) {
	f := newFixture(t)
	s := submission(0, 0, 5)
	f.admit(s)
	b, _ := f.next(s)
	opened := withLeaf(store.Account{Index: genesisAccounts, Owner: digest("new"), Token: 1, L1: address(9), Balance: settle.NewAmount(1)})
	b.Changes = append(b.Changes, store.AccountChange{Before: store.Account{Index: opened.Index}, After: opened})
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))
	for n, want := range []int{genesisAccounts, genesisAccounts + 1} {
		count := 0
		require.NoError(t, f.EachAccountAt(t.Context(), settle.BatchNumber(n), func(store.Account) error { count++; return nil }))
		require.Equal(t, want, count)
	}
	_, err := f.AccountAt(t.Context(), opened.Index, 0)
	require.ErrorIs(t, err, store.ErrNotFound)
	got, err := f.AccountAt(t.Context(), opened.Index, 1)
	require.NoError(t, err)
	require.Equal(t, opened, got)
}

func TestLastSettled(t *testing.T) {
	f := newFixture(t)
	p, err := f.LastSettled(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Point{Batch: 0, Root: f.root, Status: settle.BatchFinal}, p)
	b := f.seal(submission(0, 0, 5))
	f.seal(submission(0, 1, 5))
	f.prove(b)
	f.settle(b.Number)
	p, err = f.LastSettled(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Point{Batch: 1, Root: b.NewRoot, Status: settle.BatchSettled}, p)
}
