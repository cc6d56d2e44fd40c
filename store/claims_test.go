package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// claimed is the claim of an exit in a block, by a transaction of its own.
func claimed(batch settle.BatchNumber, index uint32, block uint64) store.ExitClaim {
	return store.ExitClaim{Batch: batch, Index: index, Block: block, TxHash: settle.Hash(digest("claim", batch, index, block))}
}

// read stores what a search up to the head found.
func (f *fixture) read(head, final uint64, found ...store.ExitClaim) store.ClaimsFollowed {
	f.t.Helper()
	since, err := f.ClaimsFollowed(f.t.Context())
	require.NoError(f.t, err)
	now, err := f.ReplaceClaims(f.t.Context(), f.submit, store.ClaimsRead{Since: since, To: head, AtHead: true, Final: final, Claims: found})
	require.NoError(f.t, err)
	stored, err := f.ClaimsFollowed(f.t.Context())
	require.NoError(f.t, err)
	require.Equal(f.t, stored, now)
	return now
}

// requireClaims compares what is known of a batch; no claims and not known is nil.
func (f *fixture) requireClaims(n settle.BatchNumber, known bool, want ...store.ExitClaim) {
	f.t.Helper()
	got, err := f.ClaimsOf(f.t.Context(), []settle.BatchNumber{n})
	require.NoError(f.t, err)
	require.Len(f.t, got, 1)
	require.Equal(f.t, known, got[n].Known)
	hashes := map[uint32]settle.Hash{}
	for _, c := range want {
		hashes[c.Index] = c.TxHash
	}
	require.Equal(f.t, hashes, got[n].Claims)
}

// What is in final blocks stays; what is above them is what the last search found.
func TestClaimsAreReplacedAboveTheFinalBlock(t *testing.T) {
	f, _ := proven(t, 2)
	none, err := f.ClaimsFollowed(t.Context())
	require.NoError(t, err)
	require.Zero(t, none)
	f.settle(1) // in block 101
	f.settle(2) // in block 102
	f.requireClaims(1, false)

	early, late, lost := claimed(1, 0, 103), claimed(1, 300, 110), claimed(2, 1, 111)
	f.read(101, 0)
	f.requireClaims(1, true)
	f.requireClaims(2, false)
	now := f.read(112, 105, late, early, lost)
	require.Equal(t, store.ClaimsFollowed{Head: 112, Final: 105, Revision: now.Revision}, now)
	f.requireClaims(1, true, early, late)
	f.requireClaims(2, true, lost)

	// A reorg: one is in another block now, one is gone. The chain is shorter for the moment.
	moved := claimed(1, 300, 109)
	now = f.read(110, 104, moved)
	require.Equal(t, store.ClaimsFollowed{Head: 110, Final: 105, Revision: now.Revision}, now, "what is final stays final")
	f.requireClaims(1, true, early, moved)
	f.requireClaims(2, true)

	// The same exit twice in a search that went over a reorg: the later block has it.
	f.read(120, 105, claimed(2, 7, 112), moved, claimed(2, 7, 118))
	f.requireClaims(2, true, claimed(2, 7, 118))
	seen, err := f.ClaimsOf(t.Context(), []settle.BatchNumber{1, 2, 9})
	require.NoError(t, err)
	require.Len(t, seen, 3)
	require.EqualValues(t, 120, seen[1].AsOf)
	require.False(t, seen[9].Known, "there is no such batch")
	f.read(130, 125, moved)
	f.read(140, 131)
	f.requireClaims(1, true, early, moved)
}

// A long log is read in parts: what is stored behind a part stays until its turn.
func TestClaimsAreReadInParts(t *testing.T) {
	f, _ := proven(t, 1)
	f.settle(1)
	f.read(300, 0, claimed(1, 0, 150), claimed(1, 1, 250))
	since, err := f.ClaimsFollowed(t.Context())
	require.NoError(t, err)
	since, err = f.ReplaceClaims(t.Context(), f.submit, store.ClaimsRead{Since: since, To: 200, Final: 290, Claims: []store.ExitClaim{claimed(1, 0, 151)}})
	require.NoError(t, err)
	require.Equal(t, store.ClaimsFollowed{Head: 300, Final: 200, Revision: since.Revision}, since)
	f.requireClaims(1, true, claimed(1, 0, 151), claimed(1, 1, 250))
	_, err = f.ReplaceClaims(t.Context(), f.submit, store.ClaimsRead{Since: since, To: 310, AtHead: true, Final: 290})
	require.NoError(t, err)
	f.requireClaims(1, true, claimed(1, 0, 151))
}

// Only the holder of the role writes, and only on what it has looked at.
func TestClaimsAreFenced(t *testing.T) {
	f, _ := proven(t, 1)
	f.settle(1)
	since := f.read(110, 105, claimed(1, 0, 108))
	found := store.ClaimsRead{Since: since, To: 120, AtHead: true}
	_, err := f.ReplaceClaims(t.Context(), f.submit-1, found)
	require.ErrorIs(t, err, store.ErrFenced)
	_, err = f.ReplaceClaims(t.Context(), f.submit+1, found)
	require.ErrorIs(t, err, store.ErrFenced)
	f.read(111, 105, claimed(1, 0, 108)) // another search meanwhile
	_, err = f.ReplaceClaims(t.Context(), f.submit, found)
	require.ErrorIs(t, err, store.ErrClaimsChanged)
	f.requireClaims(1, true, claimed(1, 0, 108))
}

// A reorg that undoes settlements undoes the claims against them, also those that passed
// for final on a chain without finality, and finds out a search that saw the old branch.
func TestRevertedSettlementsHaveNoClaims(t *testing.T) {
	f, _ := proven(t, 2)
	first, err := f.ClaimsFollowed(t.Context())
	require.NoError(t, err)
	f.settle(1) // in block 101
	f.settle(2) // in block 102
	_, err = f.RevertSettlements(t.Context(), f.submit, 2, "reorg")
	require.NoError(t, err)
	_, err = f.ReplaceClaims(t.Context(), f.submit, store.ClaimsRead{Since: first, To: 110, AtHead: true, Claims: []store.ExitClaim{claimed(2, 0, 103)}})
	require.ErrorIs(t, err, store.ErrClaimsChanged, "the first search of all")

	again := newSettlement(2, 1)
	_, err = f.PrepareSettlement(t.Context(), f.submit, again)
	require.NoError(t, err)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, again.TxHash, receipt(104)))
	since := f.read(400, 144, claimed(1, 0, 103), claimed(2, 0, 105))
	f.requireClaims(2, true, claimed(2, 0, 105))
	_, err = f.RevertSettlements(t.Context(), f.submit, 2, "reorg")
	require.NoError(t, err)
	now, err := f.ClaimsFollowed(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.ClaimsFollowed{Head: 103, Final: 103, Revision: since.Revision + 1}, now)
	f.requireClaims(1, true, claimed(1, 0, 103))
	f.requireClaims(2, false)
	_, err = f.ReplaceClaims(t.Context(), f.submit, store.ClaimsRead{Since: since, To: 401, AtHead: true, Claims: []store.ExitClaim{claimed(2, 0, 105)}})
	require.ErrorIs(t, err, store.ErrClaimsChanged)

	// Settled again in a later block than a claim that is stored: that was on another branch.
	f.read(110, 103, claimed(2, 0, 105))
	again = newSettlement(2, 2)
	_, err = f.PrepareSettlement(t.Context(), f.submit, again)
	require.NoError(t, err)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, again.TxHash, receipt(106)))
	f.requireClaims(2, true)
}
