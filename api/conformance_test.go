package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

const submitPath = "/v1/transactions"

// Every operation, every status of it and every code is answered once, by the API over
// a real database, and held to the committed document (rig.try does it). What the
// document gains fails here until it is answered too.
func TestEveryAnswerConformsToTheDocument(t *testing.T) {
	r := newKindRig(t)
	slow := r.slowClient() // is answered by 408 while the rest goes on
	reads := r.answerReads()
	r.answerSubmissions()
	r.answerRejections()
	r.answerLargestNumbers()
	resp, err := http.ReadResponse(bufio.NewReader(slow), &http.Request{Method: http.MethodPost, URL: mustURL(t, r.url+submitPath)})
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, r.contract.hold(resp, body))
	r.answerFailures(reads)

	for path, item := range at(t, r.contract.doc, "paths").(map[string]any) {
		for method, operation := range item.(map[string]any) {
			for status := range at(t, operation, "responses").(map[string]any) {
				answer := strings.ToUpper(method) + " " + path + " " + status
				require.True(t, r.contract.answered[answer], "%s is documented, and this test gets no such answer", answer)
			}
		}
	}
	for _, code := range errorsPage(t) {
		if code != string(settle.CodeInvalidProof) { // not of the REST interface, as its remedy says
			require.True(t, r.contract.codes[code], "no problem with code %s was answered", code)
		}
	}
}

// answerReads gets every read and what can be wrong with it, and returns the good ones.
func (r *rig) answerReads() []string {
	id, owner := r.accept(r.transfer(bob, alice, 5, 0)).ID, r.wallets[alice].Address()
	opened, err := r.client.Open(r.t.Context(), r.wallets[alice], client.NewWallet(r.keys[bob], chainID, rollupAddress, settle.Address{0xee}).Address(), 0, settle.NewAmount(50))
	require.NoError(r.t, err)
	r.executeOn(kindShape())
	_, err = r.client.ExitAll(r.t.Context(), r.wallets[bob], 0)
	require.NoError(r.t, err)
	r.executeOn(kindShape())
	last, err := r.store.LastBatch(r.t.Context())
	require.NoError(r.t, err)
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		r.prove(n)
		r.settle(n)
	}
	r.follow(100, store.ExitClaim{Batch: last.Number, Block: 90, TxHash: settle.Hash{1}})
	pair := query("owner", owner.Owner.String(), "l1", owner.L1.String())
	good := []string{
		submitPath + "?ids=" + id.String() + ",0x" + zeros(64),
		submitPath + "/" + id.String(), submitPath + "/" + opened.ID.String(), "/v1/accounts/2", "/v1/accounts/2?batch=0", "/v1/accounts/2/proof",
		"/v1/accounts" + pair, "/v1/accounts" + pair + "&limit=1", "/v1/batches/1", "/v1/batches", "/v1/batches?limit=1",
		fmt.Sprintf("/v1/batches/%d/exits", last.Number), "/v1/batches/0/exits",
		"/v1/exits" + query("l1", r.wallets[bob].Address().L1.String(), "limit", "1"), "/v1/status", "/openapi.json",
	}
	for _, path := range good {
		require.Equal(r.t, http.StatusOK, r.send(http.MethodGet, path, nil).status, path)
		require.Equal(r.t, http.StatusMethodNotAllowed, r.send(http.MethodDelete, path, nil).status, path)
	}
	for _, claims := range []string{good[len(good)-5], good[len(good)-3]} {
		require.Contains(r.t, string(r.send(http.MethodGet, claims, nil).body), `"claimed":true`, claims)
	}
	for _, path := range []string{
		submitPath, submitPath + "?ids=x", submitPath + "/x", "/v1/accounts/x", "/v1/accounts/x/proof", "/v1/accounts", "/v1/batches/x", "/v1/batches?limit=0", "/v1/batches/x/exits",
		"/v1/exits", "/v1/status?x=1",
	} {
		require.Equal(r.t, http.StatusBadRequest, r.send(http.MethodGet, path, nil).status, path)
	}
	for _, path := range []string{
		submitPath + "/0x" + zeros(64), "/v1/accounts/99", "/v1/accounts/99/proof", "/v1/batches/99", "/v1/batches/99/exits", "/v1/nothing",
	} {
		require.Equal(r.t, http.StatusNotFound, r.send(http.MethodGet, path, nil).status, path)
	}
	return good
}

// answerSubmissions submits good and bad transactions, alone and in arrays.
func (r *rig) answerSubmissions() {
	next := func(account settle.AccountIndex) settle.Nonce {
		a, err := r.client.Account(r.t.Context(), account)
		require.NoError(r.t, err)
		return a.NextNonce
	}
	n := next(alice)
	tx := r.transfer(alice, bob, 5, n)
	r.accept(tx)
	require.Equal(r.t, http.StatusOK, r.send(http.MethodPost, submitPath, tx).status)
	spoilt := func(field string, value any) map[string]any {
		m := r.members(r.transfer(alice, bob, 5, n+1))
		m[field] = value
		return m
	}
	forged := tx
	forged.Nonce++
	fee := settle.NewAmount(minFee)
	with := func(f func(*client.Transfer)) any { return r.transfer(alice, bob, 5, n+1, f) }
	results := r.array(18, []any{
		tx, r.transfer(alice, bob, 5, n+1), 7, spoilt("memo", 1), spoilt("from", "2"), spoilt("signature", "0x12"), spoilt("amount", "007"),
		spoilt("amount", "34359738369"), with(func(t *client.Transfer) { t.To = 88 }), with(func(t *client.Transfer) { t.Token = 1 }),
		with(func(t *client.Transfer) { t.Receiver = r.wallets[carol].Address() }), forged, r.transfer(alice, bob, 5, 0), r.transfer(alice, bob, 6, n),
		r.transfer(alice, bob, 5, n+settle.NonceWindow+1), with(func(t *client.Transfer) { t.Fee = settle.NewAmount(1) }),
		r.transfer(dave, erin, 5, 0), with(func(t *client.Transfer) { t.ValidUntil = 1 }),
	})
	require.Equal(r.t, 16, results.Refused)
	again := client.Open{From: alice, Account: r.wallets[bob].Address(), Amount: settle.NewAmount(50), Fee: fee, Nonce: n + 2}
	require.NotNil(r.t, r.accept(r.signed(alice, again)).Warning)
	again.Nonce++
	require.NotNil(r.t, r.array(1, []any{r.signed(alice, again)}).Results[0].Warning)
	zero := r.members(r.signed(alice, client.Exit{From: alice, Amount: settle.NewAmount(5), Fee: fee, Nonce: n + 4}))
	zero["amount"] = "0"
	r.refused(zero, http.StatusUnprocessableEntity, settle.CodeZeroAmount)
	r.refused(r.transfer(alice, bob, balance, n+4), http.StatusUnprocessableEntity, settle.CodeInsufficientBalance)
	r.refused("{", http.StatusBadRequest, settle.CodeMalformedJSON)
	r.refused(r.transfer(alice, bob, 6, n), http.StatusConflict, settle.CodeNonceConflict)
	r.refused(make([]any, settle.MaxSubmitItems+1), http.StatusRequestEntityTooLarge, settle.CodeTooManyItems)
	r.refused(strings.Repeat(" ", 2<<20+1), http.StatusRequestEntityTooLarge, settle.CodeBodyTooLarge)
	require.Equal(r.t, http.StatusUnsupportedMediaType, r.send(http.MethodPost, submitPath, tx, "Content-Type", "text/plain").status)
}

// answerRejections rejects an accepted transaction for each code that only execution gives.
func (r *rig) answerRejections() {
	ctx := r.t.Context()
	w, err := r.store.AcquireWriter(ctx, store.RoleSequencer, "test")
	require.NoError(r.t, err)
	for i, code := range []settle.Code{settle.CodeNonceGapExpired, settle.CodeAccountsExhausted, settle.CodeBalanceOverflow} {
		id := r.accept(r.transfer(carol, twin, 5, settle.Nonce(i))).ID
		require.NoError(r.t, r.store.RejectTransactions(ctx, w.Epoch(), []store.Rejection{{ID: id, Code: code, Detail: "for the test"}}))
		require.Equal(r.t, http.StatusOK, r.send(http.MethodGet, submitPath+"/"+id.String(), nil).status)
	}
	require.NoError(r.t, w.Release(ctx))
}

// answerLargestNumbers reads an account that holds the largest token and balance.
func (r *rig) answerLargestNumbers() {
	far := &rig{t: r.t, contract: r.contract, extra: []state.Indexed{{Index: users, Account: state.Account{
		Owner: r.keys[alice].Public().X, Token: math.MaxUint32, Balance: settle.Amount{Hi: math.MaxUint64, Lo: math.MaxUint64}, L1: settle.Address{1},
	}}}}
	far.on(testdb.New(r.t).URL)
	for _, path := range []string{"/v1/accounts/8", "/v1/accounts/8?batch=0", "/v1/accounts/8/proof"} {
		out := far.send(http.MethodGet, path, nil)
		require.Equal(r.t, http.StatusOK, out.status, path)
		require.Contains(r.t, string(out.body), `"token":4294967295`)
	}
	require.Equal(r.t, settle.CodeUnsupportedKind, far.send(http.MethodPost, submitPath,
		far.signed(alice, client.ExitAll{From: alice, Fee: settle.NewAmount(minFee)})).problem.Code)
}

// noStore is a store of which every use is a bug of ours.
type noStore struct{ api.Store }

// answerFailures gets 429, 503 and 500.
func (r *rig) answerFailures(reads []string) {
	kinds := sequencer.KindsOf([]sequencer.Shape{kindShape()})
	tx := r.transfer(erin, dave, 5, 0)
	all := func(want int, without ...string) {
		require.Equal(r.t, want, r.send(http.MethodPost, submitPath, tx).status)
		for _, path := range reads {
			if !strings.Contains(strings.Join(without, " "), path) {
				require.Equal(r.t, want, r.send(http.MethodGet, path, nil).status, path)
			}
		}
	}
	r.serve(func(c *api.Config) { c.MaxBodyMemory = 1 })
	r.refused(tx, http.StatusTooManyRequests, settle.CodeBackPressure)
	// The time for a request is over before it begins: no store can be reached in it.
	r.serve(func(c *api.Config) { c.Kinds, c.RequestTimeout = kinds, 1 })
	all(http.StatusServiceUnavailable, "/openapi.json")
	r.serve(func(c *api.Config) { c.Kinds, c.Store, c.Log = kinds, noStore{}, slog.New(slog.DiscardHandler) })
	all(http.StatusInternalServerError, "/openapi.json")
}

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

func readDocument(t testing.TB) map[string]any {
	t.Helper()
	text, err := os.ReadFile(contractFile)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(text, &doc))
	return doc
}

// The served document is the committed one, but for the build's version.
func TestServedDocumentIsTheCommittedOne(t *testing.T) {
	r := newRig(t)
	committed := readDocument(t)
	served := r.document()
	at(t, served, "info").(map[string]any)["version"] = at(t, committed, "info", "version")
	require.Equal(t, committed, served)
}

// Strict clients take what the document says literally.
func TestDocumentSaysWhatIsMeant(t *testing.T) {
	doc := readDocument(t)
	walk(doc, func(m map[string]any) {
		require.NotEqual(t, "int32", m["format"], "2^32-1 does not fit: %v", m)
		if m["type"] == "integer" {
			require.Contains(t, m, "minimum", "%v", m)
		}
		if _, ok := m["properties"]; ok {
			require.NotEqual(t, true, m["additionalProperties"], "generated types would have every field: %v", m["description"])
		}
	})
	for _, p := range at(t, doc, "paths", "/v1/exits", "get", "parameters").([]any) {
		if at(t, p, "name") == "l1" {
			require.Equal(t, true, at(t, p, "required"))
		}
	}
}

// What the document gives as examples is what it describes.
func TestExamplesConformToTheDocument(t *testing.T) {
	c := newContract(t)
	var look func(v any, place []string)
	look = func(v any, place []string) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if examples, ok := m["examples"].(map[string]any); ok {
			for name, e := range examples {
				require.NoError(t, c.conform(at(t, e, "value"), append(place, "schema")...), "%v %s", place, name)
			}
		}
		for key, inner := range m {
			look(inner, append(place[:len(place):len(place)], key))
		}
	}
	look(c.doc["paths"], []string{"paths"})
}
