package store_test

import (
	"math"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/store"
)

// ofKind is a submission that has no receiver yet, or none at all, with fee 1.
func ofKind(kind settle.Kind, from settle.AccountIndex, nonce settle.Nonce, amount uint64) admission.Checked {
	s := submission(from, nonce, amount)
	s.Kind, s.To, s.ToOwner, s.ToL1 = kind, 0, fr.Element{}, address(uint64(from)+1)
	if kind == settle.KindOpen {
		s.ToOwner, s.ToL1 = element(digest("new owner")), address(77)
	}
	s.ID = settle.Hash(digest("of kind", kind, from, nonce, amount))
	return s
}

func TestPendingExitAllLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.admit(submission(0, 0, 100)) // 101 of 1000
	all := ofKind(settle.KindExitAll, 0, 1, 0)
	f.admit(all)
	f.refused(submission(0, 2, 1), settle.CodeInsufficientBalance)
	f.refused(ofKind(settle.KindExit, 0, 2, 1), settle.CodeInsufficientBalance)
	f.refused(ofKind(settle.KindExitAll, 0, 2, 0), settle.CodeInsufficientBalance)
	require.Contains(t, f.decide(ofKind(settle.KindOpen, 0, 2, 5)).Refusal.Detail, "account 0 has 1000, all of which a pending exit-all takes")
	require.Equal(t, admission.Outcome{Status: settle.TxAccepted, Existing: true}, f.decide(all), "the same again is no second one")

	pending, err := f.PendingBySender(t.Context(), []settle.AccountIndex{0, 1})
	require.NoError(t, err)
	require.Equal(t, map[settle.AccountIndex]admission.Pending{0: {Debits: settle.NewAmount(102), All: true, Nonces: []settle.Nonce{0, 1}}}, pending)
	require.Zero(t, pending[0].Available(settle.NewAmount(genesisBalance)))
	require.Equal(t, settle.NewAmount(genesisBalance), pending[1].Available(settle.NewAmount(genesisBalance)))

	require.NoError(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: all.ID, Code: settle.CodeExpired, Detail: "late"}}))
	f.admit(submission(0, 1, 897)) // 101 + 898 = 999: what was rejected is free again
	f.refused(all, settle.CodeNonceConflict)
	again := ofKind(settle.KindExitAll, 0, 2, 0)
	f.refused(again, settle.CodeZeroAmount) // 1 is left, its fee
}

// Within one request the first exit-all counts for those after it, also for one of
// a lower nonce.
func TestExitAllInOneRequest(t *testing.T) {
	f := newFixture(t)
	got, err := f.Admit(t.Context(), []admission.Checked{
		ofKind(settle.KindExitAll, 1, 3, 0), submission(1, 0, 1), ofKind(settle.KindExitAll, 1, 1, 0), submission(0, 0, 1),
	})
	require.NoError(t, err)
	require.Equal(t, settle.TxAccepted, got[0].Status)
	require.Equal(t, settle.CodeInsufficientBalance, got[1].Refusal.Code)
	require.Equal(t, settle.CodeInsufficientBalance, got[2].Refusal.Code)
	require.Equal(t, settle.TxAccepted, got[3].Status, "another account's")
}

func TestExitAllOfNothing(t *testing.T) {
	f := newFixture(t)
	f.admit(submission(0, 0, 998)) // 1 is left
	f.refused(ofKind(settle.KindExitAll, 0, 1, 0), settle.CodeZeroAmount)
	f.admit(submission(1, 0, 999)) // nothing is left
	f.refused(ofKind(settle.KindExitAll, 1, 1, 0), settle.CodeInsufficientBalance)
	free := ofKind(settle.KindExitAll, 1, 1, 0)
	free.Fee = 0
	f.refused(free, settle.CodeZeroAmount)
}

// An account comes into being with the batch that opens it: row, history with an
// empty leaf before, look-up by the pair, and the door for what it sends.
func TestOpenedAccountLives(t *testing.T) {
	f := newFixture(t)
	index := settle.AccountIndex(genesisAccounts)
	early := ofKind(settle.KindExit, index, 0, 3)
	f.refused(early, settle.CodeUnknownAccount)
	item := ofKind(settle.KindOpen, 0, 0, 5)
	f.admit(item)
	plain, _ := f.next()
	plain.Transactions = []store.ExecutedTransaction{{ID: item.ID, AssignedIndex: &index}}
	plain.Usage.Opens = 1
	after := f.accounts[0]
	after.Nonce, after.Balance = 1, settle.NewAmount(genesisBalance-6)
	opened := store.Account{Index: index, Owner: item.ToOwner.Bytes(), Token: 1, Balance: amountOf(item), L1: item.ToL1}
	before := store.Account{Index: index, Leaf: digest("empty")}
	plain.Changes = []store.AccountChange{{Before: f.accounts[0], After: withLeaf(after)}, {Before: before, After: withLeaf(opened)}}

	unassigned := plain
	unassigned.Transactions = []store.ExecutedTransaction{{ID: item.ID}}
	require.Error(t, f.SealBatch(t.Context(), f.epoch, unassigned), "an open without its index")
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, plain))

	found, err := f.AccountsByOwner(t.Context(), item.ToOwner.Bytes(), item.ToL1, -1, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Account{withLeaf(opened)}, found)
	history, err := f.AccountHistory(t.Context(), index, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []store.AccountHistory{{Batch: 1, AccountChange: store.AccountChange{Before: before, After: withLeaf(opened)}}}, history)
	listed, err := f.BatchTransactions(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, &index, listed[0].AssignedIndex)
	batch, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, batch.Usage.Opens)
	f.admit(early)
}

// A batch that opens a slot which is taken changes nothing.
func TestOpenOfATakenSlot(t *testing.T) {
	f := newFixture(t)
	item, taken := ofKind(settle.KindOpen, 0, 0, 5), settle.AccountIndex(1)
	f.admit(item)
	b, _ := f.next()
	b.Transactions = []store.ExecutedTransaction{{ID: item.ID, AssignedIndex: &taken}}
	b.Changes = []store.AccountChange{{
		Before: store.Account{Index: taken, Leaf: digest("empty")},
		After:  withLeaf(store.Account{Index: taken, Owner: item.ToOwner.Bytes(), Token: 1, Balance: amountOf(item), L1: item.ToL1}),
	}}
	require.ErrorIs(t, f.SealBatch(t.Context(), f.epoch, b), store.ErrStateMismatch)
	a, err := f.Account(t.Context(), taken)
	require.NoError(t, err)
	require.Equal(t, f.accounts[taken], a)
	require.Equal(t, settle.TxAccepted, f.txStatus(item.ID))
}

// With the last index taken no open is let in; other kinds are, and what was let in
// before keeps its answer.
func TestNoOpenBehindTheLastIndex(t *testing.T) {
	f := newFixture(t)
	before := ofKind(settle.KindOpen, 1, 0, 5)
	f.admit(before)
	s := submission(0, 0, 5)
	f.admit(s)
	b, _ := f.next(s)
	last := withLeaf(store.Account{Index: math.MaxUint32, Owner: digest("last"), Token: 1, L1: address(9), Balance: settle.NewAmount(1)})
	b.Changes = append(b.Changes, store.AccountChange{Before: store.Account{Index: last.Index}, After: last})
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))

	f.refused(ofKind(settle.KindOpen, 1, 1, 5), settle.CodeAccountsExhausted)
	require.Contains(t, f.decide(ofKind(settle.KindOpen, 1, 1, 5)).Refusal.Detail, "account 4294967295 exists")
	f.refused(ofKind(settle.KindOpen, 1, 1, 5000), settle.CodeInsufficientBalance)
	require.Equal(t, admission.Outcome{Status: settle.TxAccepted, Existing: true}, f.decide(before))
	f.admit(ofKind(settle.KindExit, 1, 1, 5), submission(1, 2, 5))
}
