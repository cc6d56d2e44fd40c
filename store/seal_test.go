package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/store"
)

func TestSealWritesEverythingAtOnce(t *testing.T) {
	f := newFixture(t)
	one, two := submission(0, 0, 100), submission(1, 0, 50)
	f.admit(one, two)
	b, after := f.next(two, one) // the sequencer's order, not ours
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))
	jobs, err := f.Jobs(t.Context(), store.JobFilter{})
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, store.ProofJob{ID: 1, ProofKey: proofKey(1), Last: 1, Shape: b.Shape}, jobs[0].ProofJob)
	require.Equal(t, store.JobAvailable, jobs[0].Status)

	got, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.NotZero(t, got.SealedAt)
	got.SealedAt = store.Batch{}.SealedAt
	require.Equal(t, store.BatchDetail{Batch: store.Batch{
		Number: 1, Status: settle.BatchSealed, Shape: b.Shape, KeyHash: b.KeyHash, OldRoot: b.OldRoot, NewRoot: b.NewRoot,
		Commitment: b.Commitment, Usage: b.Usage, Transactions: 2,
	}, Proofs: []store.ProofRecord{}}, got)
	last, err := f.LastBatch(t.Context())
	require.NoError(t, err)
	require.Equal(t, b.NewRoot, last.NewRoot)
	words, err := f.BatchWords(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, b.Words, words)
	w, err := f.WitnessInput(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, b.Witness, w)

	txs, err := f.BatchTransactions(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, txs, 2)
	for i, want := range []admission.Checked{two, one} {
		require.Equal(t, want, txs[i].Checked)
		require.Equal(t, &store.Placement{Batch: 1, Position: i}, txs[i].Placement)
		require.Equal(t, settle.TxExecuted, txs[i].Status)
	}
	d, err := f.Transaction(t.Context(), one.ID)
	require.NoError(t, err)
	require.Equal(t, settle.BatchSealed, d.BatchStatus)
	require.Nil(t, d.Settlement)

	var all []store.Account
	require.NoError(t, f.EachAccount(t.Context(), func(a store.Account) error { all = append(all, a); return nil }))
	require.Equal(t, after, all)
	history, err := f.AccountHistory(t.Context(), 0, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{1, 0}, []settle.BatchNumber{history[0].Batch, history[1].Batch})
	require.Equal(t, store.AccountChange{Before: f.accounts[0], After: after[0]}, history[0].AccountChange)
	history, err = f.AccountHistory(t.Context(), 0, 1, 10)
	require.NoError(t, err)
	require.Len(t, history, 1)

	st, err := f.Status(t.Context())
	require.NoError(t, err)
	require.Positive(t, st.OldestUnprovenAge)
	st.OldestUnprovenAge = 0
	require.Equal(t, store.Status{
		Transactions: store.TxCounts{Executed: 2}, Batches: store.BatchCounts{Sealed: 1}, Jobs: store.JobCounts{Waiting: 1},
		LastBatch: 1, LastRoot: b.NewRoot, SettledRoot: digest("root", 0),
	}, st)
	backlog, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Backlog{Unproven: 1}, backlog)
}

// Whatever part fails, nothing of the batch is there.
func TestSealIsAllOrNothing(t *testing.T) {
	f := newFixture(t)
	item, rejected := submission(0, 0, 5), submission(1, 0, 5)
	f.admit(item, rejected)
	require.NoError(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: rejected.ID, Code: "x", Detail: "y"}}))
	requireNothing := func(t *testing.T) {
		t.Helper()
		_, err := f.LastBatch(t.Context())
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Equal(t, settle.TxAccepted, f.txStatus(item.ID))
		a, err := f.Account(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, f.accounts[0], a)
	}
	for name, c := range map[string]struct {
		change func(*store.SealedBatch)
		want   error
	}{
		"number":         {change: func(b *store.SealedBatch) { b.Number = 2 }, want: store.ErrStateMismatch},
		"root":           {change: func(b *store.SealedBatch) { b.OldRoot[0]++ }, want: store.ErrStateMismatch},
		"account before": {change: func(b *store.SealedBatch) { b.Changes[0].Before.Leaf[0]++ }, want: store.ErrStateMismatch},
		"opened twice":   {change: func(b *store.SealedBatch) { b.Changes[0].Before = store.Account{} }, want: store.ErrStateMismatch},
		"rejected":       {change: func(b *store.SealedBatch) { b.Transactions[0].ID = rejected.ID }, want: store.ErrIllegalTransition},
		"twice":          {change: func(b *store.SealedBatch) { b.Transactions = append(b.Transactions, b.Transactions[0]) }, want: store.ErrIllegalTransition},
		"unknown":        {change: func(b *store.SealedBatch) { b.Transactions[0].ID[0]++ }, want: store.ErrIllegalTransition},
		"witness hash":   {change: func(b *store.SealedBatch) { b.Witness.Hash[0]++ }, want: store.ErrCorrupt},
		"epoch":          {change: func(*store.SealedBatch) { f.epoch++ }, want: store.ErrFenced},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := f.next(item)
			epoch := f.epoch
			c.change(&b)
			require.ErrorIs(t, f.SealBatch(t.Context(), f.epoch, b), c.want)
			f.epoch = epoch
			requireNothing(t)
		})
	}
	b, _ := f.next(item)
	mustExec(t, f.db.Pool, "alter table proof_jobs add constraint no_jobs check (false)")
	require.ErrorContains(t, f.SealBatch(t.Context(), f.epoch, b), "no_jobs")
	requireNothing(t)
	mustExec(t, f.db.Pool, "alter table proof_jobs drop constraint no_jobs")
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))
	require.ErrorIs(t, f.SealBatch(t.Context(), f.epoch, b), store.ErrStateMismatch, "the same batch again")
}

func TestOpenedAccountIsStored(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 5)
	item.Kind, item.To = settle.KindOpen, 0
	item.ID = settle.Hash(digest("open"))
	f.admit(item)
	b, _ := f.next(item)
	index := settle.AccountIndex(genesisAccounts)
	b.Transactions[0].AssignedIndex = &index
	opened := withLeaf(store.Account{Index: index, Owner: digest("new"), Token: 1, Balance: settle.NewAmount(5), L1: address(9)})
	b.Changes = []store.AccountChange{{Before: store.Account{Index: index, Leaf: digest("empty")}, After: opened}}
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))
	got, err := f.Account(t.Context(), index)
	require.NoError(t, err)
	require.Equal(t, opened, got)
	tx, err := f.Transaction(t.Context(), item.ID)
	require.NoError(t, err)
	require.Equal(t, &index, tx.AssignedIndex)
}

func TestBatchesArePaged(t *testing.T) {
	f := newFixture(t)
	for nonce := range settle.Nonce(3) {
		f.seal(submission(0, nonce, 1))
	}
	numbers := func(before settle.BatchNumber, limit int) (out []settle.BatchNumber) {
		bs, err := f.Batches(t.Context(), before, limit)
		require.NoError(t, err)
		for _, b := range bs {
			out = append(out, b.Number)
		}
		return out
	}
	require.Equal(t, []settle.BatchNumber{3, 2}, numbers(0, 2))
	require.Equal(t, []settle.BatchNumber{1}, numbers(2, 2))
	_, err := f.Batch(t.Context(), 4)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = f.BatchWords(t.Context(), 4)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestDamagedWitnessInputIsFound(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	mustExec(t, f.db.Pool, "alter table witness_inputs disable trigger user")
	mustExec(t, f.db.Pool, "update witness_inputs set data = 'damaged'")
	_, err := f.WitnessInput(t.Context(), 1)
	require.ErrorIs(t, err, store.ErrCorrupt)
	_, err = f.WitnessInput(t.Context(), 2)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// Two sequencers seal the same number: one wins, whatever the epochs say.
func TestTwoSequencersOneBatch(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 5)
	f.admit(item)
	b, _ := f.next(item)
	errs := make(chan error)
	for range 2 {
		go func() { errs <- f.SealBatch(t.Context(), f.epoch, b) }()
	}
	first, second := <-errs, <-errs
	if first != nil {
		first, second = second, first
	}
	require.NoError(t, first)
	require.Error(t, second)
}
