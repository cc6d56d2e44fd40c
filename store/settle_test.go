package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/store"
)

// proven returns a fixture with n proven batches of one transaction each.
func proven(t *testing.T, n int) (*fixture, []admission.Checked) {
	t.Helper()
	f := newFixture(t)
	var items []admission.Checked
	for i := range n {
		item := submission(0, settle.Nonce(i), 1)
		f.prove(f.seal(item))
		items = append(items, item)
	}
	return f, items
}

func TestSettlementInOrder(t *testing.T) {
	f := newFixture(t)
	_, err := f.NextToSettle(t.Context(), 0)
	require.ErrorIs(t, err, store.ErrNotFound)
	first := f.seal(submission(0, 0, 1))
	second := f.seal(submission(0, 1, 1))
	f.prove(second)
	_, err = f.NextToSettle(t.Context(), 0)
	require.ErrorIs(t, err, store.ErrNotFound, "the first batch is not proven")
	f.prove(first)
	w, err := f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), w.Batch.Number)
	require.Equal(t, settle.BatchProven, w.Batch.Status)
	require.Equal(t, first.Words, w.Words)
	require.Equal(t, envelope(first), w.Proof)
	require.Nil(t, w.Live)
	require.Zero(t, w.Attempts)

	s, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 0))
	require.NoError(t, err)
	w, err = f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, settle.BatchSettling, w.Batch.Status)
	require.Equal(t, &s, w.Live)
	require.Equal(t, 1, w.Attempts)

	// A later batch may be prepared, not settled before.
	later, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(2, 0))
	require.NoError(t, err)
	require.ErrorIs(t, f.RecordMined(t.Context(), f.submit, later.TxHash, receipt(1)), store.ErrIllegalTransition)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, receipt(1)))
	require.NoError(t, f.RecordMined(t.Context(), f.submit, later.TxHash, receipt(2)))
	_, err = f.NextToSettle(t.Context(), 0)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestSettlementRowAndStatuses(t *testing.T) {
	f, items := proven(t, 1)
	n := newSettlement(1, 0)
	s, err := f.PrepareSettlement(t.Context(), f.submit, n)
	require.NoError(t, err)
	require.Equal(t, store.Settlement{NewSettlement: n, ID: s.ID, Attempt: 1, Status: store.SettlementPrepared, PreparedAt: s.PreparedAt}, s)
	require.Equal(t, settle.BatchSettling, f.batchStatus(1))
	require.Equal(t, settle.TxProven, f.txStatus(items[0].ID))

	require.NoError(t, f.MarkSent(t.Context(), f.submit, s.TxHash))
	require.NoError(t, f.MarkSent(t.Context(), f.submit, s.TxHash))
	pending, err := f.PendingSettlements(t.Context())
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.Equal(t, store.SettlementSent, pending[0].Status)
	require.NotNil(t, pending[0].SentAt)
	require.ErrorIs(t, f.MarkSent(t.Context(), f.submit, settle.Hash{}), store.ErrNotFound)

	r := receipt(100)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, r))
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, r))
	require.NoError(t, f.MarkSent(t.Context(), f.submit, s.TxHash), "late news change nothing")
	got, err := f.SettlementByHash(t.Context(), s.TxHash)
	require.NoError(t, err)
	require.Equal(t, store.SettlementMined, got.Status)
	require.Equal(t, &r, got.Receipt)
	d, err := f.Transaction(t.Context(), items[0].ID)
	require.NoError(t, err)
	require.Equal(t, settle.TxSettled, d.Status)
	require.Equal(t, settle.BatchSettled, d.BatchStatus)
	require.Equal(t, &got, d.Settlement)
	mined, err := f.MinedSettlements(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.Settlement{got}, mined)

	_, err = f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 1))
	require.ErrorIs(t, err, store.ErrIllegalTransition, "nothing is settled twice")
	require.ErrorIs(t, f.FailSettlement(t.Context(), f.submit, s.TxHash, "no"), store.ErrIllegalTransition)

	done, err := f.FinalizeSettlements(t.Context(), f.submit, 1)
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{1}, done)
	done, err = f.FinalizeSettlements(t.Context(), f.submit, 1)
	require.NoError(t, err)
	require.Empty(t, done)
	require.Equal(t, settle.TxFinal, f.txStatus(items[0].ID))
	_, err = f.RevertSettlements(t.Context(), f.submit, 1, "reorg")
	require.ErrorIs(t, err, store.ErrIllegalTransition)
	require.Equal(t, settle.BatchFinal, f.batchStatus(1))
	st, err := f.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), st.FinalBatch)
	require.Equal(t, f.root, st.SettledRoot)
	require.Equal(t, store.TxCounts{Final: 1}, st.Transactions)
	require.Equal(t, store.BatchCounts{Final: 1}, st.Batches)
}

func TestFailedSettlement(t *testing.T) {
	f, items := proven(t, 1)
	s, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 0))
	require.NoError(t, err)
	require.NoError(t, f.FailSettlement(t.Context(), f.submit, s.TxHash, "reverted: NotOperator"))
	require.NoError(t, f.FailSettlement(t.Context(), f.submit, s.TxHash, "again"))
	require.Equal(t, settle.BatchProven, f.batchStatus(1))
	require.Equal(t, settle.TxProven, f.txStatus(items[0].ID))
	d, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "reverted: NotOperator", d.Settlement.Failure)
	w, err := f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Nil(t, w.Live)
	require.Equal(t, 1, w.Attempts)

	other := newSettlement(1, 1)
	other.Nonce++
	second, err := f.PrepareSettlement(t.Context(), f.submit, other)
	require.NoError(t, err, "nothing is live: any nonce")
	require.Equal(t, 2, second.Attempt)
	// The chain has the last word: what we gave up was mined after all.
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, receipt(5)))
	all, err := f.BatchSettlements(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, store.SettlementMined, all[0].Status)
	require.Empty(t, all[0].Failure)
	require.Equal(t, store.SettlementReplaced, all[1].Status)
	require.ErrorIs(t, f.RecordMined(t.Context(), f.submit, second.TxHash, receipt(6)), store.ErrIllegalTransition, "settled already")
}

func TestReplacementNeedsTheSameNonce(t *testing.T) {
	f, _ := proven(t, 1)
	first, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 0))
	require.NoError(t, err)
	other := newSettlement(1, 1)
	other.Nonce++
	_, err = f.PrepareSettlement(t.Context(), f.submit, other)
	require.ErrorIs(t, err, store.ErrIllegalTransition)
	other = newSettlement(1, 1)
	other.Sender[0]++
	_, err = f.PrepareSettlement(t.Context(), f.submit, other)
	require.ErrorIs(t, err, store.ErrIllegalTransition)
	second, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 2))
	require.NoError(t, err)
	pending, err := f.PendingSettlements(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.Settlement{second}, pending)
	// The node mined the one that was replaced.
	require.NoError(t, f.RecordMined(t.Context(), f.submit, first.TxHash, receipt(9)))
	got, err := f.SettlementByHash(t.Context(), second.TxHash)
	require.NoError(t, err)
	require.Equal(t, store.SettlementReplaced, got.Status)
	require.Equal(t, settle.BatchSettled, f.batchStatus(1))
}

func TestReorg(t *testing.T) {
	f, items := proven(t, 4)
	for n := range settle.BatchNumber(3) {
		f.settle(n + 1)
	}
	_, err := f.FinalizeSettlements(t.Context(), f.submit, 1)
	require.NoError(t, err)
	live, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(4, 0))
	require.NoError(t, err)

	back, err := f.RevertSettlements(t.Context(), f.submit, 2, "block left the chain")
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{2, 3, 4}, back)
	for i, want := range []settle.TxStatus{settle.TxFinal, settle.TxProven, settle.TxProven, settle.TxProven} {
		require.Equal(t, want, f.txStatus(items[i].ID))
	}
	got, err := f.SettlementByHash(t.Context(), live.TxHash)
	require.NoError(t, err)
	require.Equal(t, store.SettlementReorged, got.Status)
	w, err := f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(2), w.Batch.Number)
	st, err := f.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), st.SettledBatch)

	// The same transaction is mined again in another block.
	hash := newSettlement(2, 0).TxHash
	require.NoError(t, f.RecordMined(t.Context(), f.submit, hash, receipt(500)))
	require.Equal(t, settle.TxSettled, f.txStatus(items[1].ID))
	require.NoError(t, f.RecordMined(t.Context(), f.submit, hash, receipt(501)), "moved to yet another block")
	got, err = f.SettlementByHash(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, receipt(501), *got.Receipt)
	require.Empty(t, got.Failure)
	again, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(3, 1))
	require.NoError(t, err)
	require.Equal(t, 2, again.Attempt)
}

func TestSubmitterIsFenced(t *testing.T) {
	f, _ := proven(t, 1)
	s, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 0))
	require.NoError(t, err)
	old := f.submit
	mustExec(t, f.db.Pool, "update epochs set epoch = epoch + 1 where role = 'submitter'")
	for name, write := range map[string]func() error{
		"prepare":  func() error { _, err := f.PrepareSettlement(t.Context(), old, newSettlement(1, 1)); return err },
		"sent":     func() error { return f.MarkSent(t.Context(), old, s.TxHash) },
		"mined":    func() error { return f.RecordMined(t.Context(), old, s.TxHash, receipt(1)) },
		"failed":   func() error { return f.FailSettlement(t.Context(), old, s.TxHash, "x") },
		"revert":   func() error { _, err := f.RevertSettlements(t.Context(), old, 1, "x"); return err },
		"finalize": func() error { _, err := f.FinalizeSettlements(t.Context(), old, 1); return err },
	} {
		require.ErrorIs(t, write(), store.ErrFenced, name)
	}
}

func TestConcurrentPreparation(t *testing.T) {
	f, _ := proven(t, 1)
	errs := make(chan error)
	for i := range 3 {
		go func() {
			n := newSettlement(1, i)
			n.Nonce += uint64(i)
			_, err := f.PrepareSettlement(t.Context(), f.submit, n)
			errs <- err
		}()
	}
	good := 0
	for range 3 {
		if err := <-errs; err == nil {
			good++
		} else {
			require.ErrorIs(t, err, store.ErrIllegalTransition)
		}
	}
	require.Equal(t, 1, good)
	_, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(9, 0))
	require.ErrorIs(t, err, store.ErrNotFound)
}
