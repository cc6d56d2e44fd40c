package sequencer

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func TestKindsOfShapes(t *testing.T) {
	opens, exits := testShapes[0], testShapes[1]
	opens.Capacity.Opens, exits.Capacity.Exits = 1, 1
	require.Equal(t, []settle.Kind{settle.KindTransfer}, KindsOf(testShapes))
	require.Equal(t, []settle.Kind{settle.KindTransfer, settle.KindOpen}, KindsOf([]Shape{testShapes[1], opens}))
	require.Equal(t, []settle.Kind{settle.KindTransfer, settle.KindExit, settle.KindExitAll}, KindsOf([]Shape{exits}))
	require.Len(t, KindsOf([]Shape{opens, exits}), 4)
}

// Behind the last index there is no account: an open is refused, others are executed.
func TestNoIndexIsLeft(t *testing.T) {
	w := newWorld(t, 4, 1, kindShapes)
	last := w.accounts[3]
	last.Index = math.MaxUint32 - 1
	w.accounts = append(w.accounts, last)
	w.genesis.Accounts = append(w.genesis.Accounts, accountToStored(last.Index, last.Account, last.Leaf(w.hasher)))
	root := w.state().Root()
	w.genesis.Rollup.GenesisRoot = root.Bytes()
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	fits, none, other := w.check(w.open(1, 1, 500, 0)), w.check(w.open(2, 2, 600, 0)), w.submission(3, 1, 7, 0)
	db.add(fits, none, other)
	h.settleDown()
	require.Len(t, db.rejected, 1)
	require.Equal(t, settle.CodeAccountsExhausted, db.rejected[none.ID].Code)
	require.Contains(t, db.rejected[none.ID].Detail, "account 4294967295 exists")
	require.Len(t, db.batches, 1)
	require.Equal(t, settle.AccountIndex(math.MaxUint32), *db.batches[0].Transactions[0].AssignedIndex)

	h.reload()
	again := w.check(w.open(1, 1, 5, 1))
	db.add(again)
	h.settleDown()
	require.Equal(t, settle.CodeAccountsExhausted, db.rejected[again.ID].Code)
}

// An open's index is assigned in the batch that executes it, after those of the
// opens before it and not after one that was refused.
func TestIndicesAreAssignedInSequence(t *testing.T) {
	w := newWorld(t, 4, 1, kindShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	first, poor, second := w.check(w.open(1, 1, 500, 0)), w.check(w.open(2, 2, 2*genesisBalance, 0)), w.check(w.open(3, 2, 700, 0))
	db.add(first, poor, second)
	h.settleDown()
	require.Equal(t, settle.CodeInsufficientBalance, db.rejected[poor.ID].Code)
	require.Len(t, db.batches, 1)
	require.Equal(t, settle.Usage{Transfers: 2, Accounts: 5, Nodes: db.batches[0].Usage.Nodes, FeeAccounts: 1, Opens: 2}, db.batches[0].Usage)
	require.Equal(t, settle.AccountIndex(4), *db.batches[0].Transactions[0].AssignedIndex)
	require.Equal(t, settle.AccountIndex(5), *db.batches[0].Transactions[1].AssignedIndex)
	opened := db.accounts()[5]
	require.Equal(t, store.Account{Index: 5, Owner: w.accounts[2].Owner.Bytes(), Balance: settle.NewAmount(700), L1: openedL1, Leaf: opened.Leaf}, opened)
	change := db.batches[0].Changes[3]
	var nothing state.Account
	require.Equal(t, store.AccountChange{Before: accountToStored(4, nothing, nothing.Leaf(w.hasher)), After: db.accounts()[4]}, change)

	// After a reload the next index follows the highest account.
	h.reload()
	db.add(w.check(w.open(1, 3, 9, 1)))
	h.settleDown()
	require.Equal(t, settle.AccountIndex(6), *db.batches[1].Transactions[0].AssignedIndex)
	db.requireSound(t)
}

// Admission stores nothing from an account that does not exist, but the sequencer
// executes it in the batch of the open if the index was guessed.
func TestOpenThenSpendInOneBatch(t *testing.T) {
	w := newWorld(t, 4, 1, kindShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	open := w.check(w.open(1, 2, 5000, 0))
	spend := w.transfer(2, 3, 1000, 0)
	spend.From = 4
	all := w.exit(2, 0, 1)
	all.From, all.ToL1 = 4, openedL1
	accounts := w.lookup()
	_, err := admission.Check(w.rules(), accounts, w.sign(spend, 2))
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeUnknownAccount, refusal.Code)

	accounts[4] = admission.Account{Owner: w.accounts[2].Owner.Bytes(), L1: openedL1}
	db.add(open)
	for _, r := range []state.Transaction{spend, all} {
		s, err := admission.Check(w.rules(), accounts, w.sign(r, 2))
		require.NoError(t, err)
		db.add(s)
	}
	h.settleDown()
	require.Empty(t, db.rejected)
	require.Len(t, db.batches, 1)
	require.Equal(t, settle.Usage{Transfers: 3, Accounts: 4, Nodes: db.batches[0].Usage.Nodes, FeeAccounts: 1, Opens: 1, Exits: 1}, db.batches[0].Usage)
	require.Zero(t, db.accounts()[4].Balance)
	require.Equal(t, settle.Nonce(2), db.accounts()[4].Nonce)
	require.Equal(t, settle.NewAmount(genesisBalance+1000), db.accounts()[3].Balance)
	db.requireSound(t)

	// Nothing is left for another exit-all, and it is rejected, not set aside.
	again := all
	again.Nonce = 2
	s, err := admission.Check(w.rules(), accounts, w.sign(again, 2))
	require.NoError(t, err)
	db.add(s)
	h.settleDown()
	require.Equal(t, settle.CodeInsufficientBalance, db.rejected[s.ID].Code)
}

// Opens and exits beyond a shape's slots wait for the next batch while transfers
// fill this one; a deferred open gets its index where it is executed.
func TestScarceSlotsDefer(t *testing.T) {
	w := newWorld(t, 8, 1, kindShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	for i := 1; i <= 3; i++ { // room for 2
		db.add(w.check(w.open(i, i, 10, 0)))
	}
	db.add(w.submission(3, 4, 5, 1), w.submission(5, 6, 5, 0), w.submission(6, 5, 5, 0))
	h.settleDown()
	require.Len(t, db.batches, 2)
	require.Equal(t, 4, db.batches[0].Usage.Transfers)
	require.Equal(t, 2, db.batches[0].Usage.Opens)
	require.Equal(t, settle.AccountIndex(10), *db.batches[1].Transactions[0].AssignedIndex)
	require.Equal(t, 2, db.batches[1].Usage.Transfers, "with what its sender sent after it")

	for i := 1; i <= 5; i++ { // room for 3
		db.add(w.check(w.exit(i, uint64(i), w.nonceOf(db, i))))
	}
	h.settleDown()
	require.Len(t, db.batches, 4)
	require.Equal(t, 3, db.batches[2].Usage.Exits)
	require.Equal(t, 2, db.batches[3].Usage.Exits)
	require.Empty(t, db.rejected)
	db.requireSound(t)
}

func (w *world) nonceOf(db *memoryDB, account int) settle.Nonce { return db.accounts()[account].Nonce }

// Arbitrary transactions of every kind, with seals that fail: the history applies
// anew to the same rows, indices are given out in sequence and money is held or
// paid out.
func TestArbitraryHistoriesOfEveryKind(t *testing.T) {
	w := newWorld(t, 8, 2, kindShapes)
	pool := map[string]admission.Checked{}
	rapid.Check(t, func(rt *rapid.T) {
		db := newMemoryDB(w)
		db.onSeal = func(store.SealedBatch) (error, error) {
			switch rapid.IntRange(0, 9).Draw(rt, "fault") {
			case 0:
				return errCrash, nil
			case 1:
				return nil, errCrash
			}
			return nil, nil
		}
		h := newHarness(t, db, func(c *Config) {
			c.PageSize = rapid.IntRange(1, 9).Draw(rt, "page")
			c.Policy.MaxDeferred = rapid.IntRange(0, 4).Draw(rt, "deferred")
			c.NonceGapTimeout = time.Nanosecond
		})
		nonces := map[int]settle.Nonce{}
		for range rapid.IntRange(1, 25).Draw(rt, "transactions") {
			from, other := rapid.IntRange(0, 7).Draw(rt, "from"), rapid.IntRange(0, 3).Draw(rt, "to")
			kind := rapid.SampledFrom([]settle.Kind{settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll}).Draw(rt, "kind")
			amount := rapid.SampledFrom([]uint64{1, 300_000, 900_000}).Draw(rt, "amount")
			name := fmt.Sprint(kind, from, other, amount, nonces[from])
			if _, ok := pool[name]; !ok {
				var r state.Transaction
				switch kind {
				case settle.KindOpen:
					r = w.open(from, other, amount, nonces[from])
				case settle.KindExit:
					r = w.exit(from, amount, nonces[from])
				case settle.KindExitAll:
					r = w.exit(from, 0, nonces[from])
				default:
					r = w.transfer(from, from%2+2*other, amount, nonces[from])
				}
				pool[name] = w.check(r)
			}
			nonces[from]++
			db.add(pool[name])
			if rapid.IntRange(0, 4).Draw(rt, "pass") == 0 && h.fullPass() != nil {
				h.reload()
			}
		}
		h.settleDown()
		db.requireSound(rt)
		for _, r := range db.rejected {
			require.Contains(rt, []settle.Code{settle.CodeInsufficientBalance, settle.CodeZeroAmount, settle.CodeNonceGapExpired}, r.Code, r.Detail)
		}
	})
}

// Every kind through a real Postgres: the new account can be looked up, and spends
// in a later batch.
func TestEveryKindInPostgres(t *testing.T) {
	r := newRigWith(t, 6, 2, kindShapes)
	run := start(t, r.config())
	open := r.check(r.open(2, 3, 5000, 0))
	r.admit(open, r.submission(2, 4, 5, 1), r.check(r.exit(4, 70, 0)), r.check(r.exit(5, 0, 0)), r.submission(3, 5, 5, 0))
	r.settled()
	stored, err := r.store.Transaction(t.Context(), open.ID)
	require.NoError(t, err)
	require.Equal(t, settle.AccountIndex(6), *stored.AssignedIndex)
	found, err := r.store.AccountsByOwner(t.Context(), r.accounts[3].Owner.Bytes(), openedL1, -1, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, settle.NewAmount(5000), found[0].Balance)

	spend := r.exit(3, 4000, 0)
	spend.From, spend.ToL1, spend.Token = 6, openedL1, 0
	accounts := r.lookup()
	accounts[6] = admission.Account{Owner: found[0].Owner, Token: found[0].Token, L1: found[0].L1}
	s, err := admission.Check(r.rules(), accounts, r.sign(spend, 3))
	require.NoError(t, err)
	r.admit(s, r.check(r.open(2, 3, 1, 2)))
	r.settled()
	run.halt()
	m := r.requireSound(7)
	require.Equal(t, settle.NewAmount(1000-minFee), m.accounts()[6].Balance)
	require.Equal(t, settle.NewAmount(1), m.accounts()[7].Balance)
	// The exit-all and the transfer to its account ran in one order or the other.
	require.LessOrEqual(t, m.accounts()[5].Balance.Lo, uint64(5))
}
