package jobs_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

const (
	shapeName = "tiny"
	deadline  = 20 * time.Second
	poll      = 10 * time.Millisecond
)

var testKey = settle.KeyHash{1, 2, 3}

// mortalTTL is the life of leases whose holders the tests kill and pause.
const mortalTTL = 700 * time.Millisecond

// quick is a policy whose retries and backoffs take fractions of a second. Leases
// live long enough for a machine that is busy with other tests.
func quick() jobs.Policy {
	return jobs.Policy{
		Heartbeat: 100 * time.Millisecond, LeaseTTL: time.Minute, Reap: 50 * time.Millisecond,
		RetryMin: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond, FailureWait: 20 * time.Millisecond,
		FreeLosses: 2, LossWait: 50 * time.Millisecond, StopGrace: 5 * time.Second,
	}
}

// fleet is a rollup of three accounts in a schema of its own, whose batches are
// sealed by the test and proven by workers.
type fleet struct {
	t     *testing.T
	pool  *pgxpool.Pool
	url   string
	store *store.Store
	state *state.State
	epoch store.Epoch
	key   settle.KeyHash
	shape settle.Capacity
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	db := testdb.New(t)
	return fleetOn(t, db.Pool, db.URL, testKey)
}

func fleetOn(t *testing.T, pool *pgxpool.Pool, url string, key settle.KeyHash) *fleet {
	t.Helper()
	ctx := t.Context()
	f := &fleet{t: t, pool: pool, url: url, store: store.New(pool), key: key}
	shape, err := circuits.ShapeByName(shapeName)
	require.NoError(t, err)
	f.shape = shape.Capacity

	hasher := poseidon.New()
	address := settle.Address{19: 7}
	domain := publicdata.Domain(1337, address)
	var accounts []state.Indexed
	for i := range settle.AccountIndex(3) {
		var owner fr.Element
		owner.SetUint64(uint64(i) + 100)
		accounts = append(accounts, state.Indexed{Index: i, Account: state.Account{
			Owner: owner, Balance: settle.NewAmount(1_000_000), L1: settle.Address{19: byte(i + 1)},
		}})
	}
	f.state, err = state.Load(hasher, domain, 0, accounts, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(t, err)
	genesis := store.Genesis{
		Rollup: store.Rollup{
			Domain: domain.Bytes(), ChainID: 1337, Address: address, GenesisRoot: bytesOf(f.state.Root()), UnsafeDev: true,
			Verifiers: []store.Verifier{{Circuit: settle.CircuitTransition, Shape: shapeName, KeyHash: key, Address: settle.Address{1}}},
		},
		FeeAccounts: []store.FeeAccount{{Token: 0, Index: 0, MinFee: settle.NewAmount(0)}},
	}
	for _, a := range accounts {
		genesis.Accounts = append(genesis.Accounts, row(hasher, a.Index, a.Account))
	}
	_, err = f.store.InitGenesis(ctx, genesis)
	require.NoError(t, err)
	writer, err := f.store.AcquireWriter(ctx, store.RoleSequencer, "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, writer.Release(context.WithoutCancel(ctx))) })
	f.epoch = writer.Epoch()
	return f
}

func bytesOf(e fr.Element) settle.Element { return e.Bytes() }

func row(h *poseidon.Hasher, i settle.AccountIndex, a state.Account) store.Account {
	return store.Account{
		Index: i, Owner: a.Owner.Bytes(), Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1, Leaf: bytesOf(a.Leaf(h)),
	}
}

// seal writes n batches of one transfer, each with its job.
func (f *fleet) seal(n int) {
	f.t.Helper()
	for range n {
		f.sealOne()
	}
}

func (f *fleet) sealOne() {
	t, ctx, hasher := f.t, f.t.Context(), poseidon.New()
	b := f.state.Begin()
	sender, receiver := b.Account(1), b.Account(2)
	amount, err := state.NewFloat40(settle.NewAmount(10))
	require.NoError(t, err)
	fee, err := state.NewFloat16(settle.NewAmount(1))
	require.NoError(t, err)
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: 1, To: 2, Amount: amount, Fee: fee, Nonce: sender.Nonce,
		ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
	}
	id := tx.ID(f.state.Domain())
	admissions, err := f.store.Admit(ctx, []admission.Checked{{ID: id, Transaction: tx}})
	require.NoError(t, err)
	require.Nil(t, admissions[0].Refusal)
	require.NoError(t, b.Step(tx))
	trace, err := b.Seal()
	require.NoError(t, err)

	blob, err := state.EncodeTrace(trace)
	require.NoError(t, err)
	data := trace.Data()
	c, err := data.Commitment(hasher, f.shape)
	require.NoError(t, err)
	sealed := store.SealedBatch{
		Number: trace.Header.Number, Shape: shapeName, KeyHash: f.key,
		OldRoot: trace.Header.OldRoot.Bytes(), NewRoot: trace.Header.NewRoot.Bytes(), Commitment: c.Bytes(), Usage: trace.Usage(),
		Transactions: []store.ExecutedTransaction{{ID: id}},
		Witness:      store.WitnessInput{Version: 1, Hash: sha256.Sum256(blob), Data: blob},
	}
	for _, w := range data.Words() {
		sealed.Words = append(sealed.Words, w.Bytes())
	}
	for _, a := range trace.Accounts {
		sealed.Changes = append(sealed.Changes, store.AccountChange{Before: row(hasher, a.Index, a.Old), After: row(hasher, a.Index, a.New)})
	}
	require.NoError(t, f.store.SealBatch(ctx, f.epoch, sealed))
}

func (f *fleet) proofKey(n settle.BatchNumber) store.ProofKey {
	return store.ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: f.key}
}

// config is that of a worker named holder that proves by p.
func (f *fleet) config(holder string, p jobs.Prover) jobs.Config {
	return jobs.Config{
		Store: f.store, Holder: holder, Policy: quick(), Logger: testLogger(f.t),
		Prover: p, Verifier: trusting{}, Keys: map[string]settle.KeyHash{shapeName: f.key},
	}
}

// start runs a worker and returns how to stop it and wait for its end.
func (f *fleet) start(cfg jobs.Config) (stop func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	done := make(chan error, 1)
	go func() { done <- jobs.RunWorker(ctx, cfg) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Errorf("worker %s: %v", cfg.Holder, err)
		}
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *fleet) eventually(what string, condition func() bool) {
	f.t.Helper()
	require.Eventually(f.t, condition, deadline, poll, what)
}

// proof returns the stored proof of a batch, nil if there is none.
func (f *fleet) proof(n settle.BatchNumber) *store.ProofRecord {
	p, err := f.store.Proof(f.t.Context(), f.proofKey(n))
	if err != nil {
		return nil
	}
	return &p
}

func (f *fleet) awaitProofs(numbers ...settle.BatchNumber) {
	f.t.Helper()
	for _, n := range numbers {
		f.eventually("proof", func() bool { return f.proof(n) != nil })
	}
}

// jobs returns those of a batch, its own first.
func (f *fleet) jobs(n settle.BatchNumber) []store.Job {
	f.t.Helper()
	found, err := f.store.Jobs(f.t.Context(), store.JobFilter{Batch: n})
	require.NoError(f.t, err)
	slices.Reverse(found)
	return found
}

// job returns the last one of a batch: to fold its group, if there is one.
func (f *fleet) job(n settle.BatchNumber) store.Job {
	f.t.Helper()
	found := f.jobs(n)
	require.NotEmpty(f.t, found)
	return found[len(found)-1]
}

func (f *fleet) awaitJob(n settle.BatchNumber, want store.JobStatus) {
	f.t.Helper()
	f.eventually("job "+string(want), func() bool { return f.job(n).Status == want })
}

// die claims the job of a proof as a worker does that falls silent at once.
func (f *fleet) die(k store.ProofKey) store.Lease {
	f.t.Helper()
	l, err := testdb.Lease(f.t, f.store, k, "mortal", time.Millisecond)
	require.NoError(f.t, err)
	return l
}

func (f *fleet) failures(n settle.BatchNumber) []store.ProofFailure {
	f.t.Helper()
	failures, err := f.store.ProofFailures(f.t.Context(), n)
	require.NoError(f.t, err)
	return failures
}

// fake stands in for the engine where the queue alone is tested.
type fake struct {
	key   settle.KeyHash
	shape settle.Capacity
	// before runs first; its error is the proof's.
	before func(ctx context.Context, n settle.BatchNumber) error

	mu    sync.Mutex
	calls []settle.BatchNumber
}

func (f *fleet) fake(before func(ctx context.Context, n settle.BatchNumber) error) *fake {
	return &fake{key: f.key, shape: f.shape, before: before}
}

func (*fake) Circuit() string { return settle.CircuitTransition }

func (p *fake) Prove(ctx context.Context, shape string, trace *state.Trace) (prover.Result, error) {
	p.mu.Lock()
	p.calls = append(p.calls, trace.Header.Number)
	p.mu.Unlock()
	if p.before != nil {
		if err := p.before(ctx, trace.Header.Number); err != nil {
			return prover.Result{}, err
		}
	}
	inputs, err := trace.Data().PublicInputs(poseidon.New(), p.shape)
	if err != nil {
		return prover.Result{}, err
	}
	result := prover.Result{Proof: settle.ProofEnvelope{
		Circuit: settle.CircuitTransition, Shape: shape, KeyHash: p.key, Proof: []byte("fake"),
	}}
	for i := range inputs {
		result.Proof.Inputs[i] = inputs[i].Bytes()
	}
	return result, nil
}

// trusting verifies what the fakes make.
type trusting struct{}

func (trusting) Verify(p settle.ProofEnvelope) error {
	if s := string(p.Proof); s != "fake" && s != "folded" {
		return settle.Refuse(settle.CodeInvalidProof, "proof does not hold")
	}
	return nil
}

// proved returns how often each batch was begun.
func (p *fake) proved() map[settle.BatchNumber]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := map[settle.BatchNumber]int{}
	for _, n := range p.calls {
		count[n]++
	}
	return count
}

// testLogger shows what workers say when a test fails.
func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}
