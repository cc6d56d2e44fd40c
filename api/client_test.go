package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
)

func TestClientPays(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for i := range 3 {
		receipt, err := r.client.Pay(ctx, r.wallets[alice], r.wallets[bob].Address(), 0, settle.NewAmount(uint64(100+i)))
		require.NoError(t, err)
		stored, err := r.client.Transaction(ctx, receipt.ID)
		require.NoError(t, err)
		require.Equal(t, settle.Nonce(i), stored.Nonce)
		require.Equal(t, settle.NewAmount(minFee), stored.Fee)
	}
	r.execute()
	account, err := r.client.Account(ctx, bob)
	require.NoError(t, err)
	require.Equal(t, settle.NewAmount(balance+303), account.Balance)

	batches, err := r.client.Batches(ctx, 0, 10)
	require.NoError(t, err)
	require.NotEmpty(t, batches.Batches)
	batch, err := r.client.Batch(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, batches.Batches[len(batches.Batches)-1], batch.Batch)
	require.NoError(t, r.client.Ready(ctx))
}

func TestClientTellsProblems(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.client.Submit(ctx, r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.To = 99 }))
	require.Equal(t, settle.CodeUnknownAccount, client.CodeOf(err))
	require.ErrorContains(t, err, "receiver 99 does not exist")
	_, err = r.client.Account(ctx, 99)
	require.Equal(t, settle.CodeNotFound, client.CodeOf(err))

	_, err = r.client.Pay(ctx, r.wallets[alice], r.wallets[dave].Address(), 0, settle.NewAmount(1))
	require.ErrorContains(t, err, "receiver: no account")
	_, err = r.client.Pay(ctx, r.wallets[alice], r.wallets[bob].Address(), 0, settle.NewAmount(34_359_738_369))
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeAmountUnfit, refusal.Code)
	foreign := client.NewWallet(r.keys[alice], chainID, settle.Address{1}, settle.Address{2})
	_, err = r.client.Pay(ctx, foreign, r.wallets[bob].Address(), 0, settle.NewAmount(1))
	require.ErrorContains(t, err, "the wallet signs for")

	_, err = client.New("localhost:8080")
	require.ErrorContains(t, err, "expected http://host:port")
}

func TestClientSubmitsArrays(t *testing.T) {
	r := newRig(t)
	var txs []wire.Transaction
	for i := range settle.Nonce(100) {
		txs = append(txs, r.transfer(alice, bob, 5, i), r.transfer(bob, alice, 5, i), r.transfer(carol, twin, 5, i))
	}
	results, err := r.client.SubmitAll(t.Context(), txs)
	require.NoError(t, err)
	require.Equal(t, 300, results.Accepted)
	results, err = r.client.SubmitAll(t.Context(), txs)
	require.NoError(t, err)
	require.Equal(t, 300, results.Existing)
	r.execute()
	status, err := r.client.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(300), status.Transactions.Executed)
}

func TestClientRetries(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxAccepted, c.RetryAfter = 1, time.Second })
	r.accept(r.transfer(alice, bob, 5, 0))
	patient, err := client.New(r.url, client.WithRetries())
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := patient.Submit(context.WithoutCancel(t.Context()), r.transfer(alice, bob, 5, 1))
		done <- err
	}()
	require.Eventually(t, func() bool { return len(r.metric(`settle_submissions_total{outcome="back_pressure"}`)) == 1 }, deadline, time.Millisecond)
	r.execute()
	require.NoError(t, <-done)

	// It gives up when the context ends, and says what the last answer was.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = patient.Submit(ctx, r.transfer(alice, bob, 5, 2))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, settle.CodeBackPressure, client.CodeOf(err))
}

// What stands in front of the API may answer without a problem document.
func TestClientUnderstandsForeignErrors(t *testing.T) {
	var calls atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			http.Error(w, "no upstream", http.StatusServiceUnavailable)
			return
		}
		http.Error(w, "no upstream", http.StatusBadGateway)
	}))
	defer proxy.Close()
	c, err := client.New(proxy.URL, client.WithRetries())
	require.NoError(t, err)
	_, err = c.Status(t.Context())
	var problem *client.Error
	require.ErrorAs(t, err, &problem)
	require.Equal(t, http.StatusBadGateway, problem.Status)
	require.Contains(t, problem.Detail, "no upstream")
	require.Equal(t, int64(2), calls.Load(), "503 is repeated, 502 is not")
}
