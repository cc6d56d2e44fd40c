package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

const rigAccounts = 4

// rig is a rollup of shape tiny with a database and a chain of its own. Its roles
// are processes.
type rig struct {
	t          *testing.T
	settings   map[string]string // environment of its processes
	pool       *pgxpool.Pool
	store      *store.Store
	nodeURL    string
	deployment l1.Deployment
	genesis    *state.Genesis
	files      string // folder of genesis.json and key files
	keys       []schnorr.PrivateKey

	url    string             // of the API started last
	client *client.Client     // of it
	alive  []*testcmd.Process // whose end is a failure
	nonces [rigAccounts]settle.Nonce
	ids    []settle.Hash // of all transactions submitted
}

// newRig deploys a rollup on a schema and a chain in memory.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := bareRig(t)
	r.deploy()
	return r
}

// bareRig has a database and a chain, and nothing is deployed.
func bareRig(t *testing.T) *rig {
	t.Helper()
	node, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	return rigOn(t, testdb.Empty(t).URL, node.URL())
}

// rigOn uses components of the test's. Without URLs the processes use embedded ones.
func rigOn(t *testing.T, databaseURL, nodeURL string) *rig {
	t.Helper()
	r := &rig{t: t, nodeURL: nodeURL, files: filepath.Join(testcmd.NewDir(t), "dev"), settings: map[string]string{"SETTLE_DATA_DIR": testcmd.NewDir(t)}}
	if databaseURL != "" {
		require.NoError(t, migrations.Migrate(t.Context(), databaseURL))
		var err error
		r.pool, err = pgxpool.New(t.Context(), databaseURL)
		require.NoError(t, err)
		t.Cleanup(r.pool.Close)
		r.store = store.New(r.pool)
		r.settings[node.EnvDatabase] = databaseURL
	}
	if nodeURL != "" {
		r.settings[node.EnvL1], r.settings[node.EnvL1Key] = nodeURL, operatorKey(t)
	}
	testcmd.Succeed(t, r.env(), "wallet", "genesis", "--out", r.files, "--accounts", fmt.Sprint(rigAccounts))
	var err error
	r.genesis, err = readGenesis(r.genesisFile())
	require.NoError(t, err)
	for i := range rigAccounts {
		key, _, err := readWallet(filepath.Join(r.files, fmt.Sprintf("account-%d.json", i)))
		require.NoError(t, err)
		r.keys = append(r.keys, key)
	}
	return r
}

// elsewhere is the rig with another database, which has its schema and nothing else.
func (r *rig) elsewhere(databaseURL string) *rig {
	r.t.Helper()
	other := rigOn(r.t, databaseURL, r.nodeURL)
	other.files, other.genesis, other.keys = r.files, r.genesis, r.keys
	return other
}

func operatorKey(t *testing.T) string {
	t.Helper()
	key, err := devchain.DevKey(0)
	require.NoError(t, err)
	return hex.EncodeToString(crypto.FromECDSA(key))
}

func (r *rig) genesisFile() string { return filepath.Join(r.files, "genesis.json") }

// env is the environment of the rig's processes, with changes by name.
func (r *rig) env(changes ...string) []string {
	r.t.Helper()
	settings := map[string]string{}
	for name, value := range r.settings {
		settings[name] = value
	}
	for i := 0; i < len(changes); i += 2 {
		settings[changes[i]] = changes[i+1]
	}
	return testcmd.Environment(r.t, settings)
}

func (r *rig) deploy() {
	r.t.Helper()
	out := testcmd.Succeed(r.t, r.env(), "deploy", "--genesis", r.genesisFile())
	require.NoError(r.t, json.Unmarshal(out, &r.deployment))
}

// role starts a role whose end is a failure, until stopped by the test.
func (r *rig) role(args ...string) *testcmd.Process {
	r.t.Helper()
	p := testcmd.Launch(r.t, r.env(), args...)
	r.alive = append(r.alive, p)
	return p
}

// serve starts a role that has the API, and a client of it that waits through
// outages.
func (r *rig) serve(args ...string) *testcmd.Process {
	r.t.Helper()
	p := r.role(args...)
	r.url = p.Await(`msg="the API is up" url=(http://\S+)`)[1]
	var err error
	r.client, err = client.New(r.url, client.WithRetries())
	require.NoError(r.t, err)
	return p
}

// roles starts everything but workers.
func (r *rig) roles() {
	r.t.Helper()
	r.role("sequencer")
	r.role("submitter")
	r.serve("api")
}

// release lets processes end without failing the test.
func (r *rig) release(gone ...*testcmd.Process) {
	r.alive = slices.DeleteFunc(r.alive, func(p *testcmd.Process) bool { return slices.Contains(gone, p) })
}

// await polls until done and fails at once when a role has ended.
func (r *rig) await(what string, done func() bool) {
	r.t.Helper()
	testcmd.Await(r.t, what, func() bool {
		for _, p := range r.alive {
			require.True(r.t, p.Running(), "settle %s has ended", p.Name)
		}
		return done()
	})
}

// sign makes the next n transfers, round the accounts.
func (r *rig) sign(n int) []wire.Transaction {
	r.t.Helper()
	txs := make([]wire.Transaction, n)
	for i := range txs {
		count := uint64(len(r.ids))
		from := settle.AccountIndex(count % rigAccounts)
		to := (from + 1 + settle.AccountIndex(count/rigAccounts)) % rigAccounts
		wallet := client.NewWallet(r.keys[from], r.deployment.ChainID, r.deployment.Rollup, r.genesis.Accounts[from].L1)
		tx, id, err := wallet.Sign(client.Transfer{
			From: from, To: to, Amount: settle.NewAmount(1000 + count), Fee: settle.NewAmount(1), Nonce: r.nonces[from],
			Receiver: client.Address{Owner: r.genesis.Accounts[to].Owner.Element(), L1: r.genesis.Accounts[to].L1},
		})
		require.NoError(r.t, err)
		r.nonces[from]++
		r.ids = append(r.ids, id)
		txs[i] = tx
	}
	return txs
}

// submit submits the next n transfers.
func (r *rig) submit(n int) {
	r.t.Helper()
	results, err := r.client.SubmitAll(r.t.Context(), r.sign(n))
	require.NoError(r.t, err)
	require.Equal(r.t, n, results.Accepted, "%+v", results)
}

func (r *rig) status() wire.Status {
	r.t.Helper()
	s, err := r.client.Status(r.t.Context())
	require.NoError(r.t, err)
	return s
}

func (r *rig) batch(n settle.BatchNumber) wire.BatchState {
	r.t.Helper()
	b, err := r.client.Batch(r.t.Context(), n)
	require.NoError(r.t, err)
	return b
}

// worker is who made the proof of a batch.
func (r *rig) worker(n settle.BatchNumber) string {
	r.t.Helper()
	return one[string](r, "select worker from proofs where batch = $1", n)
}

// awaitSettled waits until everything submitted is settled and checks it.
func (r *rig) awaitSettled() {
	r.t.Helper()
	r.await(fmt.Sprintf("%d transactions are settled", len(r.ids)), func() bool {
		t := r.status().Transactions
		require.Zero(r.t, t.Rejected)
		return t.Settled+t.Final == int64(len(r.ids))
	})
	r.requireConsistent()
}

// requireConsistent compares database, API and chain with an execution of its own:
// every transaction is settled, once; every batch by one event on the chain; the
// roots are those of state.Apply.
func (r *rig) requireConsistent() {
	r.t.Helper()
	ctx := r.t.Context()
	place := map[string]bool{}
	for _, id := range r.ids {
		tx, err := r.client.Transaction(ctx, id)
		require.NoError(r.t, err)
		require.Contains(r.t, []settle.TxStatus{settle.TxSettled, settle.TxFinal}, tx.Status)
		require.NotNil(r.t, tx.Settlement)
		place[fmt.Sprint(*tx.Batch, *tx.Position)] = true
	}
	require.Len(r.t, place, len(r.ids), "each transaction has its own place")

	roots, err := reexecute.Roots(ctx, r.client, r.deployment.Domain, r.genesis, r.ids)
	require.NoError(r.t, err)
	last := roots[len(roots)-1]
	status := r.status()
	require.Equal(r.t, settle.BatchNumber(len(roots)), status.Settled.Batch)
	require.Equal(r.t, last, status.Settled.Root)
	if r.nodeURL == "" {
		return
	}
	node := r.dial()
	rollup := l1.NewClient(node, r.deployment.Rollup)
	number, err := rollup.BatchNumber(ctx)
	require.NoError(r.t, err)
	require.Equal(r.t, settle.BatchNumber(len(roots)), number)
	root, err := rollup.Root(ctx)
	require.NoError(r.t, err)
	require.Equal(r.t, last, root)
	require.Equal(r.t, roots, r.settledOnL1(node))
	if r.pool == nil {
		return
	}
	require.Equal(r.t, len(roots), one[int](r, "select coalesce(sum(last - batch + 1), 0)::bigint from settlements where status in ('mined', 'final')"))
	require.Equal(r.t, len(roots), one[int](r, "select count(*) from proofs where circuit = 'transition'"))
	r.await("no job is left", func() bool {
		return one[int](r, "select count(*) from proof_jobs where status <> 'completed' and (circuit = 'transition' or status <> 'cancelled')") == 0
	})
}

// settledOnL1 returns the new root of each settlement that the chain has an event of.
func (r *rig) settledOnL1(node *l1.Conn) []settle.Element {
	r.t.Helper()
	contract := bindings.NewRollup()
	head, err := node.BlockNumber(r.t.Context())
	require.NoError(r.t, err)
	var roots []settle.Element
	for log, err := range node.Logs(r.t.Context(), l1.LogSearch{
		Address: common.Address(r.deployment.Rollup), Topics: [][]common.Hash{{contract.GetABI().Events["BatchSettled"].ID}}, Last: head,
	}) {
		require.NoError(r.t, err)
		event, err := contract.UnpackBatchSettledEvent(log)
		require.NoError(r.t, err)
		require.Equal(r.t, uint32(len(roots)+1), event.Number)
		var root settle.Element
		event.NewRoot.FillBytes(root[:])
		roots = append(roots, root)
	}
	return roots
}

func (r *rig) dial() *l1.Conn {
	r.t.Helper()
	node, err := l1.Dial(r.t.Context(), r.nodeURL, 0)
	require.NoError(r.t, err)
	r.t.Cleanup(node.Close)
	return node
}

// one reads one value from the database.
func one[T any](r *rig, sql string, args ...any) T {
	r.t.Helper()
	v, found := maybe[T](r, sql, args...)
	require.True(r.t, found, sql)
	return v
}

// maybe reads one value, if there is a row.
func maybe[T any](r *rig, sql string, args ...any) (v T, found bool) {
	r.t.Helper()
	err := r.pool.QueryRow(r.t.Context(), sql, args...).Scan(&v)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, false
	}
	require.NoError(r.t, err)
	return v, true
}
