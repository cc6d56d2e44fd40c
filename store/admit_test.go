package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/store"
)

func (f *fixture) decide(item admission.Checked) admission.Outcome {
	f.t.Helper()
	got, err := f.Admit(f.t.Context(), []admission.Checked{item})
	require.NoError(f.t, err)
	require.Len(f.t, got, 1)
	return got[0]
}

func (f *fixture) refused(item admission.Checked, code settle.Code) {
	f.t.Helper()
	got := f.decide(item)
	require.NotNil(f.t, got.Refusal, "expected %s", code)
	require.Equal(f.t, code, got.Refusal.Code, got.Refusal.Detail)
	require.Empty(f.t, got.Status)
}

func TestAdmitStoresEveryField(t *testing.T) {
	f := newFixture(t)
	item := submission(1, 3, 7)
	item.ValidUntil = 1<<32 - 1
	f.admit(item)
	got, err := f.Transaction(t.Context(), item.ID)
	require.NoError(t, err)
	require.NotZero(t, got.ReceivedAt)
	require.NotZero(t, got.Sequence)
	got.ReceivedAt, got.Sequence = store.Transaction{}.ReceivedAt, 0
	require.Equal(t, store.TransactionDetail{Transaction: store.Transaction{Checked: item, Status: settle.TxAccepted}}, got)
	_, err = f.Transaction(t.Context(), settle.Hash{1})
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAdmitRefusals(t *testing.T) {
	f := newFixture(t)
	f.refused(submission(99, 0, 1), settle.CodeUnknownAccount)
	wrong := submission(0, 0, 1)
	wrong.Token = 2
	f.refused(wrong, settle.CodeWrongToken)
	f.refused(submission(0, settle.NonceWindow, 1), settle.CodeNonceTooFar)
	f.refused(submission(0, settle.MaxNonce, 1), settle.CodeNonceTooFar)
	f.refused(submission(0, 0, genesisBalance), settle.CodeInsufficientBalance)
	f.admit(submission(0, settle.NonceWindow-1, 1))

	first := submission(0, 0, 10)
	f.seal(first)
	f.refused(submission(0, 0, 11), settle.CodeStaleNonce)
	require.Equal(t, admission.Outcome{Status: settle.TxExecuted, Existing: true}, f.decide(first))
	f.admit(submission(0, settle.NonceWindow, 1)) // the window moved on with the executed nonce
}

func TestPendingDebitsCountAtTheDoor(t *testing.T) {
	f := newFixture(t)
	f.admit(submission(0, 0, 600))
	f.refused(submission(0, 1, 399), settle.CodeInsufficientBalance)
	last := submission(0, 1, 398) // 600 + 1 + 398 + 1 = 1000
	f.admit(last)
	f.refused(submission(0, 2, 0), settle.CodeInsufficientBalance)

	pending, err := f.PendingBySender(t.Context(), []settle.AccountIndex{0, 1})
	require.NoError(t, err)
	require.Equal(t, map[settle.AccountIndex]admission.Pending{0: {Debits: settle.NewAmount(1000), Nonces: []settle.Nonce{0, 1}}}, pending)
	require.Equal(t, settle.Nonce(2), pending[0].NextNonce(0))

	require.NoError(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: last.ID, Code: settle.CodeExpired, Detail: "late"}}))
	f.admit(submission(0, 1, 397)) // what was rejected is free again
}

func TestSameContentAgainAndOtherContent(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 5)
	f.admit(item)
	malleated := item
	malleated.Signature.S[31] ^= 1
	require.Equal(t, admission.Outcome{Status: settle.TxAccepted, Existing: true}, f.decide(malleated))
	got, err := f.Transaction(t.Context(), item.ID)
	require.NoError(t, err)
	require.Equal(t, item.Signature, got.Signature, "nothing else happens")
	f.refused(submission(0, 0, 6), settle.CodeNonceConflict)
}

func TestRejectedMayBeSubmittedAgain(t *testing.T) {
	f := newFixture(t)
	item, other := submission(0, 0, 5), submission(0, 1, 5)
	f.admit(item, other)
	before, err := f.AcceptedTransactions(t.Context(), 0, 10)
	require.NoError(t, err)
	require.NoError(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: item.ID, Code: settle.CodeNonceGapExpired, Detail: "why"}}))
	got, err := f.Transaction(t.Context(), item.ID)
	require.NoError(t, err)
	require.Equal(t, settle.TxRejected, got.Status)
	require.Equal(t, &settle.Refusal{Code: settle.CodeNonceGapExpired, Detail: "why"}, got.Rejection)
	require.ErrorIs(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: item.ID, Code: "x"}}), store.ErrIllegalTransition)

	again := item
	again.Signature.RX.Add(&again.Signature.RX, &again.Signature.RX)
	require.Equal(t, admission.Outcome{Status: settle.TxAccepted}, f.decide(again))
	after, err := f.AcceptedTransactions(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []settle.Hash{other.ID, item.ID}, []settle.Hash{after[0].ID, after[1].ID}, "at the end of the order")
	require.Greater(t, after[1].Sequence, before[1].Sequence)
	require.Equal(t, again.Signature, after[1].Signature)
	require.Nil(t, after[1].Rejection)

	// Rejected again, and its nonce taken by other content: a conflict.
	require.NoError(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: item.ID, Code: "x", Detail: ""}}))
	f.admit(submission(0, 0, 9))
	f.refused(item, settle.CodeNonceConflict)
}

func TestBatchHasPerItemResults(t *testing.T) {
	f := newFixture(t)
	items := []admission.Checked{
		submission(0, 0, 400), submission(0, 0, 400), submission(0, 0, 1), // good, the same, conflict
		submission(0, 1, 700), submission(0, 1, 100), // too much after the first, then good
		submission(9, 0, 1), submission(1, 2, 1),
	}
	got, err := f.Admit(t.Context(), items)
	require.NoError(t, err)
	codes := make([]string, len(got))
	for i, a := range got {
		codes[i] = fmt.Sprint(a.Status, a.Existing)
		if a.Refusal != nil {
			codes[i] = string(a.Refusal.Code)
		}
	}
	require.Equal(t, []string{
		"acceptedfalse", "acceptedtrue", "nonce_conflict", "insufficient_balance", "acceptedfalse", "unknown_account", "acceptedfalse",
	}, codes)
	list, err := f.AcceptedTransactions(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 3)
	for i, want := range []int{0, 4, 6} {
		require.Equal(t, items[want].ID, list[i].ID, "in the order of the array")
	}
	page, err := f.AcceptedTransactions(t.Context(), list[0].Sequence, 1)
	require.NoError(t, err)
	require.Equal(t, list[1:2], page)
	none, err := f.Admit(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestThousandAtOnce(t *testing.T) {
	f := newFixture(t)
	items := make([]admission.Checked, settle.MaxSubmitItems)
	for i := range items {
		items[i] = submission(settle.AccountIndex(i%4), settle.Nonce(i/4), 1)
	}
	f.admit(items...)
	b, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.Backlog{Accepted: 1000}, b)
}

// Admitters of one account at once: whatever the interleaving, exactly one content
// lives on a nonce and the account is never overdrawn.
func TestConcurrentAdmittersOfOneAccount(t *testing.T) {
	f := newFixture(t)
	var wg sync.WaitGroup
	results := make([][]admission.Outcome, 4)
	for i := range results {
		wg.Go(func() {
			var items []admission.Checked
			for nonce := range settle.Nonce(10) {
				// Each writes other content; two senders in both orders would deadlock if locked as they come.
				items = append(items, submission(settle.AccountIndex(i%2), nonce, 149+uint64(i)), submission(settle.AccountIndex(1-i%2), nonce, 149+uint64(i)))
			}
			got, err := f.Admit(t.Context(), items)
			if err != nil {
				t.Error(err)
			}
			results[i] = got
		})
	}
	wg.Wait()
	list, err := f.AcceptedTransactions(t.Context(), 0, 1000)
	require.NoError(t, err)
	live := map[string]bool{}
	spent := map[settle.AccountIndex]uint64{}
	for _, tx := range list {
		key := fmt.Sprint(tx.From, "/", tx.Nonce)
		require.False(t, live[key], "two live transactions on %s", key)
		live[key] = true
		spent[tx.From] += amountOf(tx.Checked).Lo + tx.Fee.Amount().Lo
	}
	for from, sum := range spent {
		require.LessOrEqual(t, sum, uint64(genesisBalance), "account %d", from)
		require.Greater(t, sum, uint64(genesisBalance-160), "account %d", from)
	}
	accepted := 0
	for _, got := range results {
		for _, a := range got {
			if a.Refusal == nil {
				require.False(t, a.Existing)
				accepted++
			}
		}
	}
	require.Len(t, list, accepted)
}

// Sealing and admission touch the same accounts and neither deadlocks nor reads the
// other's work by half.
func TestAdmissionBesideSealing(t *testing.T) {
	f := newFixture(t)
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 50 && err == nil; i++ {
			_, err = f.Admit(t.Context(), []admission.Checked{
				submission(3, settle.Nonce(i), 0), submission(2, settle.Nonce(i), 0), submission(1, settle.Nonce(i), 0)})
		}
		done <- err
	}()
	for nonce := range settle.Nonce(20) {
		f.seal(submission(0, nonce, 1))
	}
	require.NoError(t, <-done)
}

func TestAmountsKeepTheirValue(t *testing.T) {
	f := newFixture(t)
	rapid.Check(t, func(t *rapid.T) {
		want := settle.Amount{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
		if rapid.Bool().Draw(t, "round") { // trailing zeros are shortened on the wire
			want = settle.NewAmount(rapid.SampledFrom([]uint64{0, 1, 10, 1e4, 1e8, 1e16, 1e19}).Draw(t, "n"))
		}
		_, err := f.SetMinFee(f.t.Context(), 1, want)
		require.NoError(t, err)
		fees, err := f.FeeAccounts(f.t.Context())
		require.NoError(t, err)
		require.Equal(t, want, fees[0].MinFee)
	})
}

// A damaged row hides none beside it: whoever reads it is told.
func TestDamagedTransactions(t *testing.T) {
	f := newFixture(t)
	ids := f.admit(submission(0, 0, 5), submission(0, 1, 5), submission(0, 2, 5))
	_, err := f.db.Pool.Exec(t.Context(), "alter table transactions disable trigger user") // which forbids it
	require.NoError(t, err)
	for i, damage := range []string{"amount_packed = 5 | (1::bigint << 35)", "public_key = decode(repeat('ff', 32), 'hex')"} {
		_, err := f.db.Pool.Exec(t.Context(), "update transactions set "+damage+" where id = $1", ids[i][:])
		require.NoError(t, err)
	}
	found, err := f.AcceptedTransactions(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.ErrorContains(t, found[0].Damage, "not the canonical encoding")
	require.ErrorContains(t, found[1].Damage, "public key is not below")
	require.NoError(t, found[2].Damage)
}
