package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

const (
	deadline = 60 * time.Second
	balance  = 1_000_000
	minFee   = 10
	chainID  = 1337
)

// Accounts of the test rollup by what they are for.
const (
	feeAccount0 = 0 // token 0
	feeAccount1 = 1 // token 1
	alice       = 2 // token 0
	bob         = 3 // token 0
	carol       = 4 // token 1
	dave        = 5 // token 9, which has no fee account
	erin        = 6 // token 9
	twin        = 7 // token 1, same key and l1 as alice
	users       = 8
)

var (
	rollupAddress = settle.Address{0xaa}
	shape         = sequencer.Shape{Name: "demo", KeyHash: settle.KeyHash{2}, Capacity: settle.Capacity{Transfers: 8, Accounts: 17, Nodes: 120, FeeAccounts: 2}}
)

// rig is the API on TCP over a genesis in a schema of a real Postgres.
type rig struct {
	t        testing.TB
	store    *store.Store
	pool     *pgxpool.Pool // of store
	url      string
	server   *api.Server
	metrics  *prometheus.Registry
	client   *client.Client
	keys     [users]schnorr.PrivateKey
	wallets  [users]client.Wallet
	genesis  store.Genesis
	extra    []state.Indexed // further accounts at genesis
	contract *contract       // every answer is held to it; api/openapi.json if nil
	crowd    int             // accounts at genesis, if more than the users'; they belong to users too
}

// newRig starts the API; change adjusts its configuration.
func newRig(t testing.TB, change ...func(*api.Config)) *rig {
	t.Helper()
	return rigOn(t, testdb.New(t).URL, change...)
}

func rigOn(t testing.TB, databaseURL string, change ...func(*api.Config)) *rig {
	t.Helper()
	return (&rig{t: t}).on(databaseURL, change...)
}

func (r *rig) on(databaseURL string, change ...func(*api.Config)) *rig {
	t := r.t
	t.Helper()
	r.found()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	r.pool, r.store = pool, store.New(pool)
	_, err = r.store.InitGenesis(t.Context(), r.genesis)
	require.NoError(t, err)
	r.serve(change...)
	return r
}

func token(account int) settle.TokenID {
	return [users]settle.TokenID{0, 1, 0, 0, 1, 9, 9, 1}[account]
}

// found makes keys and genesis.
func (r *rig) found() {
	domain := publicdata.Domain(chainID, rollupAddress)
	hasher := poseidon.New()
	var accounts []state.Indexed
	for i := range users {
		person := i
		if i == twin {
			person = alice
		}
		secret := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("api"), uint64(person)))
		secret[0] = 0 // below q
		key, err := schnorr.NewPrivateKey(secret[:])
		require.NoError(r.t, err)
		r.keys[i] = key
		r.wallets[i] = client.NewWallet(key, chainID, rollupAddress, settle.Address{19: byte(person + 1)})
		accounts = append(accounts, state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: key.Public().X, Token: token(i), Balance: settle.NewAmount(balance), L1: settle.Address{19: byte(person + 1)},
		}})
	}
	for i := users; i < r.crowd; i++ {
		accounts = append(accounts, state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: r.keys[i%users].Public().X, Balance: settle.NewAmount(uint64(i)), L1: settle.Address{18: 1, 19: byte(i)},
		}})
	}
	accounts = append(accounts, r.extra...)
	s, err := state.Load(hasher, domain, 0, accounts, map[settle.TokenID]settle.AccountIndex{0: feeAccount0, 1: feeAccount1})
	require.NoError(r.t, err)
	root := s.Root()
	r.genesis = store.Genesis{
		Rollup: store.Rollup{
			Domain: domain.Bytes(), ChainID: chainID, Address: rollupAddress, GenesisRoot: root.Bytes(), GenesisHash: settle.Hash{9}, UnsafeDev: true,
			Verifiers: []store.Verifier{{Circuit: settle.CircuitTransition, Shape: shape.Name, KeyHash: shape.KeyHash, Address: settle.Address{0xbb}}},
		},
		FeeAccounts: []store.FeeAccount{
			{Token: 0, Index: feeAccount0, MinFee: settle.NewAmount(minFee)},
			{Token: 1, Index: feeAccount1, MinFee: settle.NewAmount(minFee)},
		},
	}
	for _, a := range accounts {
		leaf := a.Leaf(hasher)
		r.genesis.Accounts = append(r.genesis.Accounts, store.Account{
			Index: a.Index, Owner: a.Owner.Bytes(), Token: a.Token, Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
		})
	}
}

// serve starts the API on a free port of the loopback.
func (r *rig) serve(change ...func(*api.Config)) {
	r.t.Helper()
	if r.contract == nil {
		r.contract = newContract(r.t)
	}
	cfg := api.Config{Store: r.store, Rollup: r.genesis.Rollup, Version: "test", Log: slog.New(slog.NewTextHandler(r.t.Output(), nil))}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	r.metrics = cfg.Metrics
	server, err := api.New(cfg)
	require.NoError(r.t, err)
	r.server = server
	listener, err := api.Listen(r.t.Context(), "127.0.0.1:0")
	require.NoError(r.t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, server.Limit(listener), server, cfg.Log) }()
	r.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		select {
		case err := <-done:
			require.NoError(r.t, err)
		case <-time.After(deadline):
			require.Fail(r.t, "the API does not stop")
		}
	})
	r.url = "http://" + listener.Addr().String()
	r.client, err = client.New(r.url)
	require.NoError(r.t, err)
}

// transfer is a valid transfer, but for what change does before it is signed.
func (r *rig) transfer(from, to int, amount uint64, nonce settle.Nonce, change ...func(*client.Transfer)) wire.Transaction {
	r.t.Helper()
	t := client.Transfer{
		From: settle.AccountIndex(from), To: settle.AccountIndex(to), Receiver: r.wallets[to].Address(), Token: token(from),
		Amount: settle.NewAmount(amount), Fee: settle.NewAmount(minFee), Nonce: nonce,
	}
	for _, f := range change {
		f(&t)
	}
	tx, _, err := r.wallets[from].Sign(t)
	require.NoError(r.t, err)
	return tx
}

// members returns the transaction as JSON members, to spoil them.
func (r *rig) members(tx wire.Transaction) map[string]any {
	r.t.Helper()
	encoded, err := json.Marshal(tx)
	require.NoError(r.t, err)
	var m map[string]any
	require.NoError(r.t, json.Unmarshal(encoded, &m))
	return m
}

// reply is an HTTP reply, read to its end.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	problem wire.Problem // of an error
}

// send makes a request; a string or []byte body is sent as it is, others as JSON.
func (r *rig) send(method, path string, body any, header ...string) reply {
	r.t.Helper()
	out, err := r.try(method, path, body, header...)
	require.NoError(r.t, err)
	return out
}

func (r *rig) try(method, path string, body any, header ...string) (reply, error) {
	r.t.Helper()
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		payload = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		require.NoError(r.t, err)
		payload = strings.NewReader(string(encoded))
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.t.Context()), method, r.url+path, payload)
	require.NoError(r.t, err)
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	out := reply{status: resp.StatusCode, header: resp.Header}
	if out.body, err = io.ReadAll(resp.Body); err != nil {
		return reply{}, err
	}
	assert.NoError(r.t, r.contract.hold(resp, out.body), "%s %s: %s", method, path, out.body)
	if out.status >= 400 && method != http.MethodHead {
		require.Equal(r.t, "application/problem+json", resp.Header.Get("Content-Type"), "%s %s: %s", method, path, out.body)
		decoder := json.NewDecoder(strings.NewReader(string(out.body)))
		decoder.DisallowUnknownFields()
		require.NoError(r.t, decoder.Decode(&out.problem), "%s", out.body)
		require.Equal(r.t, out.status, out.problem.Status)
		require.Equal(r.t, "urn:settle:error:"+string(out.problem.Code), out.problem.Type)
		require.NotEmpty(r.t, out.problem.Title)
		require.NotEmpty(r.t, out.problem.Detail)
	}
	return out, nil
}

// refused submits body and checks the problem: status, code, and that its detail
// says all of the given things.
func (r *rig) refused(body any, status int, code settle.Code, says ...string) reply {
	r.t.Helper()
	out := r.send(http.MethodPost, "/v1/transactions", body)
	require.Equal(r.t, status, out.status, "%s", out.body)
	require.Equal(r.t, code, out.problem.Code, out.problem.Detail)
	for _, s := range says {
		require.Contains(r.t, out.problem.Detail, s)
	}
	return out
}

// get reads path, which must succeed, into v.
func (r *rig) get(path string, v any) {
	r.t.Helper()
	out := r.send(http.MethodGet, path, nil)
	require.Equal(r.t, http.StatusOK, out.status, "%s", out.body)
	require.NoError(r.t, json.Unmarshal(out.body, v))
}

// execute runs the sequencer until nothing is accepted any more.
func (r *rig) execute() {
	r.t.Helper()
	r.executeOn(shape)
}

// executeOn does it with batches of a shape.
func (r *rig) executeOn(shape sequencer.Shape) {
	r.t.Helper()
	s, err := sequencer.New(sequencer.Config{
		Store: r.store, Hasher: poseidon.New(), Logger: slog.New(slog.NewTextHandler(r.t.Output(), nil)),
		Policy:       sequencer.Policy{Shapes: []sequencer.Shape{shape}, MaxAge: time.Millisecond, MaxUnproven: 100},
		PollInterval: 5 * time.Millisecond,
	})
	require.NoError(r.t, err)
	ctx, stop := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	keep := leader.Config{Acquire: leader.From(r.store), Role: store.RoleSequencer, Log: slog.New(slog.DiscardHandler), Standby: true}
	go func() { done <- leader.Run(ctx, keep, s.Serve) }()
	require.Eventually(r.t, func() bool {
		b, err := r.store.Backlog(r.t.Context())
		return err == nil && b.Accepted == 0
	}, deadline, 5*time.Millisecond, "transactions stay accepted")
	stop()
	require.ErrorIs(r.t, <-done, context.Canceled)
}

// prove stores made-up proofs of sealed batches, in the order given.
func (r *rig) prove(numbers ...settle.BatchNumber) {
	r.t.Helper()
	for _, n := range numbers {
		b, err := r.store.Batch(r.t.Context(), n)
		require.NoError(r.t, err)
		lease := testdb.MustLease(r.t, r.store, store.ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: b.KeyHash})
		words, err := r.store.BatchWords(r.t.Context(), n)
		require.NoError(r.t, err)
		inputs, err := publicdata.BatchInputs(b.Commitment, words)
		require.NoError(r.t, err)
		envelope := settle.ProofEnvelope{
			Circuit: settle.CircuitTransition, Shape: b.Shape, KeyHash: b.KeyHash, Proof: []byte{1, 2, 3}, Inputs: inputs,
		}
		stats := store.ProofStats{Assign: time.Second, Solve: 2 * time.Second, Prove: 3 * time.Second, PeakMemory: 4096}
		_, err = r.store.StoreProof(r.t.Context(), lease, envelope, stats)
		require.NoError(r.t, err)
	}
}

// metric returns the samples of the metrics that begin with name.
func (r *rig) metric(name string) []string {
	r.t.Helper()
	out := httptest.NewRecorder()
	promhttp.HandlerFor(r.metrics, promhttp.HandlerOpts{}).ServeHTTP(out, httptest.NewRequestWithContext(context.WithoutCancel(r.t.Context()), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(r.t, http.StatusOK, out.Code)
	var lines []string
	for line := range strings.Lines(out.Body.String()) {
		if strings.HasPrefix(line, name) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func query(values ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	return "?" + q.Encode()
}

// notOnCurve is a field element that is no x-coordinate.
func notOnCurve(t testing.TB) settle.Element {
	t.Helper()
	for i := uint64(1); i < 100; i++ {
		var x fr.Element
		x.SetUint64(i)
		if !schnorr.OnCurve(x) {
			return x.Bytes()
		}
	}
	require.Fail(t, "every small number is on the curve")
	return settle.Element{}
}

// array submits an array, which must be answered by n results.
func (r *rig) array(n int, body any) wire.Results {
	r.t.Helper()
	out := r.send(http.MethodPost, "/v1/transactions", body)
	require.Equal(r.t, http.StatusOK, out.status, "%s", out.body)
	var results wire.Results
	require.NoError(r.t, json.Unmarshal(out.body, &results))
	require.Len(r.t, results.Results, n)
	return results
}

// accept submits a transaction, which must be new and good.
func (r *rig) accept(tx wire.Transaction) wire.Receipt {
	r.t.Helper()
	out := r.send(http.MethodPost, "/v1/transactions", tx)
	require.Equal(r.t, http.StatusAccepted, out.status, "%s", out.body)
	var receipt wire.Receipt
	require.NoError(r.t, json.Unmarshal(out.body, &receipt))
	require.Equal(r.t, settle.TxAccepted, receipt.Status)
	require.False(r.t, receipt.Existing)
	return receipt
}

func clone(m map[string]any) map[string]any { return maps.Clone(m) }

func zeros(n int) string { return strings.Repeat("0", n) }

// errorsPage lists the codes of docs/errors.md.
func errorsPage(t testing.TB) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/errors.md")
	require.NoError(t, err)
	var codes []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		codes = append(codes, row[1])
	}
	require.NotEmpty(t, codes)
	return codes
}
