package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

func TestSubmissionIsIdempotent(t *testing.T) {
	r := newRig(t)
	tx := r.transfer(alice, bob, 5, 0)
	first := r.accept(tx)

	// Signatures are malleable by signing anew; the id is of the content.
	for _, again := range []wire.Transaction{tx, r.transfer(alice, bob, 5, 0)} {
		out := r.send(http.MethodPost, "/v1/transactions", again)
		require.Equal(t, http.StatusOK, out.status)
		var receipt wire.Receipt
		require.NoError(t, json.Unmarshal(out.body, &receipt))
		require.Equal(t, wire.Receipt{ID: first.ID, Status: settle.TxAccepted, Existing: true}, receipt)
	}
	r.execute()
	out := r.send(http.MethodPost, "/v1/transactions", tx)
	require.Equal(t, http.StatusOK, out.status, "%s", out.body)
	require.Contains(t, string(out.body), `"status":"executed"`)

	var stored wire.TransactionState
	r.get("/v1/transactions/"+first.ID.String(), &stored)
	require.Equal(t, tx, stored.Transaction)
	require.Equal(t, settle.BatchNumber(1), *stored.Batch)
	require.Equal(t, 0, *stored.Position)
	require.Equal(t, settle.BatchSealed, stored.BatchStatus)
	require.Nil(t, stored.Rejection)
}

func TestRejectedTransactionTellsWhy(t *testing.T) {
	r := newRig(t)
	receipt := r.accept(r.transfer(alice, bob, 5, 0))
	w, err := r.store.AcquireWriter(t.Context(), store.RoleSequencer, "test")
	require.NoError(t, err)
	rejection := store.Rejection{ID: receipt.ID, Code: settle.CodeExpired, Detail: "valid until batch 1, this is batch 2"}
	require.NoError(t, r.store.RejectTransactions(t.Context(), w.Epoch(), []store.Rejection{rejection}))
	require.NoError(t, w.Release(t.Context()))
	var stored wire.TransactionState
	r.get("/v1/transactions/"+receipt.ID.String(), &stored)
	require.Equal(t, settle.TxRejected, stored.Status)
	require.Equal(t, wire.Rejection{Code: rejection.Code, Detail: rejection.Detail}, *stored.Rejection)
}

func TestAccounts(t *testing.T) {
	r := newRig(t)
	r.accept(r.transfer(alice, bob, 100, 0))
	r.accept(r.transfer(alice, bob, 100, 1))
	r.accept(r.transfer(alice, bob, 100, 3)) // behind a gap
	address := r.wallets[alice].Address()
	want := wire.Account{
		Index: alice, Owner: address.Owner, L1: address.L1, Token: 0, Balance: settle.NewAmount(balance), Nonce: 0,
		PendingDebits: settle.NewAmount(330), Pending: 3, Available: settle.NewAmount(balance - 330), NextNonce: 2,
	}
	var got wire.Account
	r.get("/v1/accounts/2", &got)
	require.Equal(t, want, got)

	path := "/v1/accounts" + query("owner", address.Owner.String(), "l1", address.L1.String())
	var list wire.Accounts
	r.get(path, &list)
	require.Len(t, list.Accounts, 2)
	require.Equal(t, want, list.Accounts[0])
	require.Equal(t, settle.AccountIndex(twin), list.Accounts[1].Index)
	require.Equal(t, settle.TokenID(1), list.Accounts[1].Token)
	require.Nil(t, list.Next)

	r.get(path+"&limit=1", &list)
	require.Len(t, list.Accounts, 1)
	require.Equal(t, settle.AccountIndex(alice), *list.Next)
	list = wire.Accounts{}
	r.get(path+"&limit=1&after=2", &list)
	require.Equal(t, settle.AccountIndex(twin), list.Accounts[0].Index)
	list = wire.Accounts{}
	r.get("/v1/accounts"+query("owner", address.Owner.String(), "l1", settle.Address{1}.String()), &list)
	require.Equal(t, []wire.Account{}, list.Accounts, "the owner's key with another l1 is another address")

	// Closing the gap, all four are executed.
	r.accept(r.transfer(alice, bob, 100, 2))
	r.execute()
	r.get("/v1/accounts/2", &got)
	require.Equal(t, settle.NewAmount(balance-440), got.Balance)
	require.Equal(t, got.Balance, got.Available)
	require.Equal(t, settle.Nonce(4), got.NextNonce)
	r.get("/v1/accounts/3", &got)
	require.Equal(t, settle.NewAmount(balance+400), got.Balance)
}

func TestBatchesAndStatus(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxUnproven = -1 })
	var status wire.Status
	r.get("/v1/status", &status)
	require.Equal(t, r.genesis.Rollup.Domain, status.Domain)
	require.Equal(t, uint64(chainID), status.ChainID)
	require.Equal(t, rollupAddress, status.Rollup)
	require.True(t, status.UnsafeDevKeys)
	require.Equal(t, []wire.FeeAccount{
		{Token: 0, Index: 0, MinimumFee: settle.NewAmount(minFee)}, {Token: 1, Index: 1, MinimumFee: settle.NewAmount(minFee)},
	}, status.FeeAccounts)
	genesis := wire.Progress{Root: r.genesis.Rollup.GenesisRoot}
	require.Equal(t, [3]wire.Progress{genesis, genesis, genesis}, [3]wire.Progress{status.Executed, status.Proven, status.Settled})
	require.Equal(t, wire.Backlog{AcceptedCap: 50_000}, status.Backlog)

	for i := range settle.Nonce(3) {
		r.accept(r.transfer(alice, bob, 5, i))
		r.execute()
	}
	r.prove(1, 3) // out of order
	var batches [4]wire.BatchState
	for n := 1; n <= 3; n++ {
		r.get(fmt.Sprintf("/v1/batches/%d", n), &batches[n])
	}
	require.Equal(t, batches[1].NewRoot, batches[2].OldRoot)
	require.Equal(t, settle.BatchSealed, batches[2].Status)
	require.Equal(t, settle.BatchProven, batches[3].Status)
	require.Equal(t, shape.KeyHash, batches[3].KeyHash)
	require.Equal(t, 1, batches[3].Usage.Transfers)
	require.Empty(t, batches[2].Proofs)
	require.Len(t, batches[3].Proofs, 1)
	require.Equal(t, "0x010203", batches[3].Proofs[0].Proof)
	require.InDelta(t, 3, batches[3].Proofs[0].ProveSeconds, 0)

	r.get("/v1/status", &status)
	require.Equal(t, wire.Progress{Batch: 3, Root: batches[3].NewRoot}, status.Executed)
	require.Equal(t, wire.Progress{Batch: 1, Root: batches[1].NewRoot}, status.Proven)
	require.Equal(t, genesis, status.Settled)
	require.Equal(t, wire.Backlog{AcceptedCap: 50_000, Unproven: 1, Unsettled: 3}, status.Backlog)
	require.Positive(t, status.OldestUnprovenAgeSeconds)

	r.settleFirst(settle.NewAmount(7), 420_000)
	r.get("/v1/batches/1", &batches[1])
	require.Equal(t, settle.BatchSettled, batches[1].Status)
	require.Equal(t, uint64(420_000), *batches[1].Settlement.GasUsed)
	require.Equal(t, settle.NewAmount(7), *batches[1].Settlement.EffectiveGasPrice)
	r.get("/v1/status", &status)
	require.Equal(t, wire.Progress{Batch: 1, Root: batches[1].NewRoot}, status.Settled)

	var list wire.Batches
	r.get("/v1/batches?limit=2", &list)
	require.Equal(t, []settle.BatchNumber{3, 2}, []settle.BatchNumber{list.Batches[0].Number, list.Batches[1].Number})
	r.get("/v1/batches?limit=2&before="+strconv.Itoa(int(*list.Next)), &list)
	require.Equal(t, settle.BatchNumber(1), list.Batches[0].Number)

	require.Equal(t, []string{"settle_queue_depth{stage=\"accepted\"} 0", "settle_queue_depth{stage=\"unproven\"} 1", "settle_queue_depth{stage=\"unsettled\"} 2"},
		r.metric("settle_queue_depth"))
	require.Len(t, r.metric("settle_oldest_unproven_batch_age_seconds"), 1)
	require.Contains(t, r.metric("settle_last_proof_seconds"), `settle_last_proof_seconds{step="prove"} 3`)
	require.Equal(t, []string{"settle_last_proof_peak_memory_bytes 4096"}, r.metric("settle_last_proof_peak_memory_bytes"))
}

// settleFirst records the settlement of the next batch.
func (r *rig) settleFirst(price settle.Amount, gas uint64) {
	r.t.Helper()
	ctx := r.t.Context()
	w, err := r.store.AcquireWriter(ctx, store.RoleSubmitter, "test")
	require.NoError(r.t, err)
	work, err := r.store.NextToSettle(ctx, 0)
	require.NoError(r.t, err)
	hash := settle.Hash{0xcc}
	_, err = r.store.PrepareSettlement(ctx, w.Epoch(), store.NewSettlement{
		Batch: work.Batch.Number, RawTx: []byte{1}, TxHash: hash, Sender: settle.Address{1}, GasLimit: 500_000, MaxFee: price, MaxTip: settle.NewAmount(1),
	})
	require.NoError(r.t, err)
	require.NoError(r.t, r.store.MarkSent(ctx, w.Epoch(), hash))
	require.NoError(r.t, r.store.RecordMined(ctx, w.Epoch(), hash, store.Receipt{BlockNumber: 5, BlockHash: settle.Hash{5}, GasUsed: gas, EffectiveGasPrice: price}))
	require.NoError(r.t, w.Release(ctx))
}

func TestBackPressureOnAccepted(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxAccepted, c.RetryAfter = 2, 1500*time.Millisecond })
	r.accept(r.transfer(alice, bob, 5, 0))
	r.accept(r.transfer(alice, bob, 5, 1))
	out := r.refused(r.transfer(alice, bob, 5, 2), http.StatusTooManyRequests, settle.CodeBackPressure, "2 transactions wait", "the cap is 2", "nothing was stored")
	require.Equal(t, "2", out.header.Get("Retry-After"))
	r.refused([]any{r.transfer(alice, bob, 5, 2)}, http.StatusTooManyRequests, settle.CodeBackPressure)
	r.execute()
	r.accept(r.transfer(alice, bob, 5, 2))
}

func TestBackPressureOnUnproven(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxUnproven, c.BacklogAge = 1, -1 })
	r.accept(r.transfer(alice, bob, 5, 0))
	r.execute()
	out := r.refused(r.transfer(alice, bob, 5, 1), http.StatusTooManyRequests, settle.CodeBackPressure, "1 batches wait for a proof", "the cap is 1")
	require.NotEmpty(t, out.header.Get("Retry-After"))
	r.prove(1)
	r.accept(r.transfer(alice, bob, 5, 1))
}

// A count that admits may be old, with what was accepted since; one that refuses is new.
func TestBackPressureByOldCount(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxAccepted, c.MaxUnproven, c.BacklogAge = 2, 1, time.Hour })
	r.accept(r.transfer(alice, bob, 5, 0)) // counts
	r.execute()
	r.accept(r.transfer(alice, bob, 5, 1)) // the old count: 1 accepted, no batch
	r.refused(r.transfer(alice, bob, 5, 2), http.StatusTooManyRequests, settle.CodeBackPressure, "1 batches wait for a proof")
	r.prove(1)
	r.accept(r.transfer(alice, bob, 5, 2))
	r.refused(r.transfer(alice, bob, 5, 3), http.StatusTooManyRequests, settle.CodeBackPressure, "2 transactions wait")
}

// A database that is down is 503 with Retry-After, and everything goes on when it is back.
func TestDatabaseDown(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, migrations.Migrate(t.Context(), server.URL()))
	r := rigOn(t, server.URL())
	before := r.transfer(alice, bob, 5, 0)
	r.accept(before)
	require.NoError(t, server.Kill())

	tx := r.transfer(alice, bob, 5, 1)
	for _, request := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPost, "/v1/transactions", tx},
		{http.MethodPost, "/v1/transactions", []any{tx}},
		{http.MethodGet, "/v1/transactions/0x" + zeros(64), nil},
		{http.MethodGet, "/v1/accounts/2", nil},
		{http.MethodGet, "/v1/batches/1", nil},
		{http.MethodGet, "/v1/batches", nil},
		{http.MethodGet, "/v1/status", nil},
	} {
		out := r.send(request.method, request.path, request.body)
		require.Equal(t, http.StatusServiceUnavailable, out.status, "%s %s: %s", request.method, request.path, out.body)
		require.Equal(t, settle.CodeUnavailable, out.problem.Code)
		require.NotEmpty(t, out.header.Get("Retry-After"))
	}
	r.refused("{", http.StatusBadRequest, settle.CodeMalformedJSON) // still the client's fault
	require.ErrorContains(t, r.server.Ready(t.Context()), "readiness")
	require.Equal(t, []string{"settle_database_up 0"}, r.metric("settle_database_up"))
	require.Empty(t, r.metric("settle_queue_depth"))

	require.NoError(t, server.Resume(t.Context()))
	patient, err := client.New(r.url, client.WithRetries())
	require.NoError(t, err)
	receipt, err := patient.Submit(t.Context(), tx)
	require.NoError(t, err)
	require.Equal(t, settle.TxAccepted, receipt.Status)
	require.NoError(t, patient.Ready(t.Context()))
	require.NoError(t, r.server.Ready(t.Context()))
	var account wire.Account
	r.get("/v1/accounts/2", &account)
	require.Equal(t, 2, account.Pending, "what was acknowledged before is still there")
	require.Equal(t, []string{"settle_database_up 1"}, r.metric("settle_database_up"))
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.send(http.MethodGet, fmt.Sprintf("/v1/accounts/%d", i), nil)
		r.send(http.MethodGet, fmt.Sprintf("/wrong/%d", i), nil)
		r.send(fmt.Sprintf("BREW%d", i), "/v1/status", nil)
	}
	lines := r.metric("settle_http_request_seconds_count")
	require.ElementsMatch(t, []string{
		`settle_http_request_seconds_count{route="GET /v1/accounts/{index}",status="200"} 5`,
		`settle_http_request_seconds_count{route="none",status="404"} 5`,
		`settle_http_request_seconds_count{route="none",status="405"} 5`,
	}, lines)
}

// broken is a store whose reads panic or fail for a reason that does not pass.
type broken struct {
	api.Store
	panics atomic.Bool
}

func (b *broken) Account(context.Context, settle.AccountIndex) (store.Account, error) {
	if b.panics.Load() {
		panic("a bug")
	}
	return store.Account{}, fmt.Errorf("account: %w", store.ErrCorrupt)
}

func (b *broken) Status(context.Context) (store.Status, error) {
	return store.Status{}, store.ErrCorrupt
}

func TestOurFailuresAreInternal(t *testing.T) {
	faulty := &broken{}
	r := newRig(t, func(c *api.Config) { faulty.Store, c.Store, c.Log = c.Store, faulty, slog.New(slog.DiscardHandler) })
	for _, path := range []string{"/v1/accounts/2", "/v1/status"} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusInternalServerError, out.status)
		require.Equal(t, settle.CodeInternal, out.problem.Code)
		require.Contains(t, out.problem.Detail, "reference")
		require.NotContains(t, string(out.body), "corrupt", "what failed inside is for the log")
	}
	faulty.panics.Store(true)
	out := r.send(http.MethodGet, "/v1/accounts/2", nil)
	require.Equal(t, http.StatusInternalServerError, out.status)
	require.Equal(t, settle.CodeInternal, out.problem.Code)
	require.NotContains(t, string(out.body), "a bug")
}

func TestPortInUse(t *testing.T) {
	first, err := api.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, first.Close()) }()
	_, err = api.Listen(t.Context(), first.Addr().String())
	require.ErrorContains(t, err, "another process uses that port")
	require.ErrorContains(t, err, "choose another address")
	_, err = api.Listen(t.Context(), "nonsense")
	require.ErrorContains(t, err, "expected host:port")
}

// Requests under way are answered after the shutdown has begun.
func TestGracefulShutdown(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	listener, err := api.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- api.Serve(ctx, listener, handler, nil) }()
	answer := make(chan string, 1)
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "http://"+listener.Addr().String(), nil)
	require.NoError(t, err)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	stop()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, deadline, time.Millisecond, "new connections are refused")
	close(leave)
	require.Equal(t, "done", <-answer)
	require.NoError(t, <-served)
}

func TestConfigIsChecked(t *testing.T) {
	_, err := api.New(api.Config{})
	require.ErrorContains(t, err, "no store")
	bad := store.Rollup{}
	for i := range bad.Domain {
		bad.Domain[i] = 0xff
	}
	_, err = api.New(api.Config{Store: &broken{}, Rollup: bad})
	require.ErrorContains(t, err, "not a field element")
	require.ErrorContains(t, err, "0xffff")
}
