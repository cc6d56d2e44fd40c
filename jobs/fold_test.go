package jobs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

const foldShape = shapeName + "-2"

var foldKey = settle.KeyHash{4, 5, 6}

// planner decides for groups of two; a batch waits for others as long as wait says.
func (f *fleet) planner(wait time.Duration, key settle.KeyHash, metrics *jobs.PlannerMetrics) *jobs.Planner {
	f.t.Helper()
	role, err := f.store.AcquireWriter(f.t.Context(), store.RoleAggregator, "test")
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, role.Release(context.WithoutCancel(f.t.Context()))) })
	p, err := jobs.NewPlanner(jobs.PlannerConfig{
		Store: f.store, Epoch: role.Epoch(), Metrics: metrics, Logger: testLogger(f.t),
		Policy: aggregator.Policy{
			Circuits: map[settle.KeyHash]aggregator.Circuit{f.key: {Shape: foldShape, Slots: 2, KeyHash: key}}, Wait: wait,
		},
	})
	require.NoError(f.t, err)
	return p
}

// folder stands in for the engine.
type folder struct {
	before func(ctx context.Context, first settle.Element) error

	mu    sync.Mutex
	calls [][]settle.ProofEnvelope
}

func (p *folder) Fold(ctx context.Context, shape string, proofs []settle.ProofEnvelope) (prover.Result, error) {
	p.mu.Lock()
	p.calls = append(p.calls, proofs)
	p.mu.Unlock()
	if p.before != nil {
		if err := p.before(ctx, proofs[0].Inputs[0]); err != nil {
			return prover.Result{}, err
		}
	}
	var parts [][3]settle.Element
	for _, inner := range proofs {
		parts = append(parts, inner.Inputs)
	}
	inputs, err := publicdata.GroupInputs(settle.Element{31: 1}, parts)
	if err != nil {
		return prover.Result{}, err
	}
	return prover.Result{Proof: settle.ProofEnvelope{
		Circuit: settle.CircuitAggregate, Shape: shape, KeyHash: foldKey, Proof: []byte("folded"), Inputs: inputs,
	}}, nil
}

func (p *folder) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// foldingConfig is that of a worker that folds by p.
func (f *fleet) foldingConfig(holder string, p jobs.Folder) jobs.Config {
	cfg := f.config(holder, f.fake(nil))
	cfg.Folder = p
	cfg.Keys[foldShape] = foldKey
	return cfg
}

// planGroup stores the group of batches 1 and 2 and its job.
func (f *fleet) planGroup(epoch store.Epoch) {
	f.t.Helper()
	require.NoError(f.t, f.store.PlanGroup(f.t.Context(), epoch, store.NewGroup{
		First: 1, Last: 2, Shape: foldShape, KeyHash: foldKey, Reason: "full",
	}))
}

func (f *fleet) group(n settle.BatchNumber) store.Group {
	f.t.Helper()
	g, err := f.store.GroupOf(f.t.Context(), n)
	require.NoError(f.t, err)
	return g
}

func (f *fleet) awaitGroup(n settle.BatchNumber, want store.GroupStatus) {
	f.t.Helper()
	f.eventually("group "+string(want), func() bool {
		g, err := f.store.GroupOf(f.t.Context(), n)
		return err == nil && g.Status == want
	})
}

func TestProvenBatchesAreFolded(t *testing.T) {
	f := newFleet(t)
	f.seal(5)
	p := new(folder)
	f.start(f.foldingConfig("a", p))
	f.awaitProofs(1, 2, 3, 4, 5)
	registry := prometheus.NewRegistry()
	metrics, err := jobs.NewPlannerMetrics(registry)
	require.NoError(t, err)
	planner := f.planner(time.Hour, foldKey, metrics)
	require.NoError(t, planner.Step(t.Context()))
	f.awaitGroup(2, store.GroupProven)
	f.awaitGroup(3, store.GroupProven)
	require.NoError(t, planner.Step(t.Context()), "nothing is planned twice")
	require.Equal(t, 2, p.count())
	for _, proofs := range p.calls {
		require.Len(t, proofs, 2)
		require.Equal(t, f.key, proofs[0].KeyHash)
	}
	_, err = f.store.GroupOf(t.Context(), 5)
	require.ErrorIs(t, err, store.ErrNotFound, "it waits for a sixth")
	require.Equal(t, 1, gauge(t, metrics.Waiting))
	require.Zero(t, gauge(t, metrics.Folding))
	require.Equal(t, 4, counter(t, registry, "settle_group_batches_total", "fold"))

	proof, err := f.store.Proof(t.Context(), f.group(3).ProofKey())
	require.NoError(t, err)
	require.Equal(t, "a", proof.Worker)
	require.Equal(t, foldShape, proof.Shape)
	for _, n := range []settle.BatchNumber{1, 3} {
		f.awaitJob(n, store.JobCompleted)
		shown, err := f.store.Jobs(t.Context(), store.JobFilter{Batch: n})
		require.NoError(t, err)
		require.Len(t, shown, 2)
		require.Equal(t, settle.CircuitAggregate, shown[0].Circuit)
		require.Equal(t, n+1, shown[0].Last)
		require.True(t, shown[0].Proven)
	}
}

// A fold that fails for good holds nobody up: its batches settle directly.
func TestFoldThatFailsIsGivenUp(t *testing.T) {
	f := newFleet(t)
	f.seal(4)
	poisoned := f.awaited(1)
	p := &folder{before: func(_ context.Context, first settle.Element) error {
		if first == poisoned {
			return &prover.Error{Class: prover.ClassWitness, Step: "assign", Err: errors.New("no such witness")}
		}
		return nil
	}}
	f.start(f.foldingConfig("a", p))
	f.awaitProofs(1, 2, 3, 4)
	planner := f.planner(time.Hour, foldKey, nil)
	require.NoError(t, planner.Step(t.Context()))
	f.awaitGroup(3, store.GroupProven)
	f.awaitJob(1, store.JobDiscarded)
	dead, err := f.store.Jobs(t.Context(), store.JobFilter{DeadLetters: true})
	require.NoError(t, err)
	require.Len(t, dead, 1)
	require.Len(t, f.failures(1), 3)
	_, err = f.store.Blockage(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound, "settlement waits for no person")

	require.NoError(t, planner.Step(t.Context()))
	require.Equal(t, store.GroupDirect, f.group(2).Status)
	require.Equal(t, string(aggregator.ReasonDead), f.group(2).Reason)
	dead, err = f.store.Jobs(t.Context(), store.JobFilter{DeadLetters: true})
	require.NoError(t, err)
	require.Empty(t, dead, "nobody needs it any more")
	w, err := f.store.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), w.Last())
}

// awaited returns the commitment of a batch.
func (f *fleet) awaited(n settle.BatchNumber) settle.Element {
	f.t.Helper()
	b, err := f.store.Batch(f.t.Context(), n)
	require.NoError(f.t, err)
	return b.Commitment
}

func TestFoldIsLeftToWhoCan(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	cfg := f.config("cannot", f.fake(nil))
	looks := heard(&cfg.WorkerStep)
	stop := f.start(cfg)
	f.awaitProofs(1, 2)
	require.NoError(t, f.planner(0, foldKey, nil).Step(t.Context()))
	for range 3 { // the first may be of a look before that
		<-looks
	}
	require.Zero(t, f.job(1).Attempt)
	require.Equal(t, store.GroupPlanned, f.group(1).Status)
	require.Empty(t, f.failures(1))
	stop()
	f.start(f.foldingConfig("can", new(folder)))
	f.awaitGroup(1, store.GroupProven)
}

// What settled in another way meanwhile is not folded.
func TestFoldThatNobodyNeeds(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	stop := f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1, 2)
	stop()
	require.NoError(t, f.planner(0, foldKey, nil).Step(t.Context()))
	role, err := f.store.AcquireWriter(t.Context(), store.RoleSubmitter, "test")
	require.NoError(t, err)
	_, err = f.store.PrepareSettlement(t.Context(), role.Epoch(), store.NewSettlement{
		Batch: 1, RawTx: []byte("raw"), TxHash: settle.Hash{1}, GasLimit: 1,
	})
	require.NoError(t, err)
	require.NoError(t, role.Release(t.Context()))
	p := new(folder)
	f.start(f.foldingConfig("b", p))
	f.awaitJob(1, store.JobCancelled)
	require.Zero(t, p.count())
	require.Equal(t, store.GroupDirect, f.group(2).Status)
}

// A worker that died as soon as it had the job is found out.
func TestFoldOfADeadWorkerIsPutBack(t *testing.T) {
	f := plannedFleet(t)
	f.die(f.group(1).ProofKey())
	f.start(f.foldingConfig("b", new(folder)))
	f.awaitGroup(2, store.GroupProven)
}

func TestPlannerStopsWhenFenced(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	stop := f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1, 2)
	stop()
	planner := f.planner(0, foldKey, nil)
	_, err := f.pool.Exec(t.Context(), "update epochs set epoch = epoch + 1 where role = 'aggregator'")
	require.NoError(t, err)
	require.ErrorIs(t, planner.Run(t.Context(), nil), store.ErrFenced)
	_, err = jobs.NewPlanner(jobs.PlannerConfig{Store: f.store, Policy: aggregator.Policy{Wait: -1}})
	require.ErrorIs(t, err, aggregator.ErrPolicy)
}

// The price of gas decides how long a batch waits; without it all goes on.
func TestPlannerAsksForThePriceOfGas(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	stop := f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1)
	stop()
	role, err := f.store.AcquireWriter(t.Context(), store.RoleAggregator, "test")
	require.NoError(t, err)
	var price atomic.Uint64
	planner, err := jobs.NewPlanner(jobs.PlannerConfig{
		Store: f.store, Epoch: role.Epoch(), Logger: testLogger(t),
		Policy: aggregator.Policy{
			Circuits: map[settle.KeyHash]aggregator.Circuit{f.key: {Shape: foldShape, Slots: 2, KeyHash: foldKey}},
			Wait:     time.Hour, LowGas: 5,
		},
		GasPrice: func(context.Context) (uint64, error) {
			if price.Load() == 0 {
				return 0, errors.New("the node is away")
			}
			return price.Load(), nil
		},
	})
	require.NoError(t, err)
	for _, p := range []uint64{0, 6} {
		price.Store(p)
		require.NoError(t, planner.Step(t.Context()))
		_, err = f.store.GroupOf(t.Context(), 1)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	price.Store(5)
	require.NoError(t, planner.Step(t.Context()))
	require.Equal(t, store.GroupDirect, f.group(1).Status, "gas is cheap: nobody waits")
}

// Real proofs of toy circuits, inner and outer, with the public inputs of batches and
// groups.
func TestRealProofsAreFolded(t *testing.T) {
	system, err := toycircuit.Compile()
	require.NoError(t, err)
	fingerprint, err := circuits.FingerprintOf(system)
	require.NoError(t, err)
	committed := func(string, string) (settle.Fingerprint, error) { return fingerprint, nil }
	dir, dev := t.TempDir(), provingkeys.Options{AllowUnsafeDev: true}
	innerID := provingkeys.ID{Circuit: settle.CircuitTransition, Shape: shapeName, Fingerprint: fingerprint}
	inner, err := provingkeys.Setup(t.Context(), dir, innerID, toycircuit.Compile, dev)
	require.NoError(t, err)
	outerID, err := provingkeys.AggregateID(dir, foldShape, committed, dev)
	require.NoError(t, err)
	outer, err := provingkeys.Setup(t.Context(), dir, outerID, toycircuit.Compile, dev)
	require.NoError(t, err)
	keys := provingkeys.NewCache(provingkeys.CacheConfig{Dir: dir, Options: dev, Fingerprint: committed})
	folding := aggregator.NewFolder(func(shape string) (groth16.VerifyingKey, settle.KeyHash, error) {
		return provingkeys.InnerKey(dir, shape, committed, dev)
	})

	db := testdb.New(t)
	f := fleetOn(t, db.Pool, db.URL, inner.KeyHash)
	f.seal(2)
	engine := prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Keys: keys, Log: testLogger(t),
		Assign: func(_ string, tr *state.Trace) (witness.Witness, error) {
			inputs, err := tr.Data().PublicInputs(poseidon.New(), f.shape)
			if err != nil {
				return nil, err
			}
			return toycircuit.Witness([3]settle.Element{inputs[0].Bytes(), inputs[1].Bytes(), inputs[2].Bytes()})
		},
		// The real witness, of whose public part the toy proves anything.
		Fold: func(shape string, proofs []settle.ProofEnvelope) (witness.Witness, error) {
			full, err := folding.Assign(shape, proofs)
			if err != nil {
				return nil, err
			}
			public, err := full.Public()
			if err != nil {
				return nil, err
			}
			var inputs [3]settle.Element
			for i, v := range public.Vector().(fr.Vector) {
				inputs[i] = v.Bytes()
			}
			return toycircuit.Witness(inputs)
		},
	})
	cfg := f.config("a", engine)
	cfg.Folder = engine
	cfg.Keys[foldShape] = outer.KeyHash
	cfg.Verifier = verifierOf(t, dir, dev, innerID, outerID)
	f.start(cfg)
	f.awaitProofs(1, 2)
	require.NoError(t, f.planner(0, outer.KeyHash, nil).Step(t.Context()))
	f.awaitGroup(1, store.GroupProven)

	proof, err := f.store.Proof(t.Context(), f.group(1).ProofKey())
	require.NoError(t, err)
	vk, _, err := provingkeys.OpenVerifyingKey(dir, outerID, dev)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(proof.ProofEnvelope, vk))
	var inputs [][3]fr.Element
	for n := settle.BatchNumber(1); n <= 2; n++ {
		var in [3]fr.Element
		for i, e := range f.proof(n).Inputs {
			in[i].SetBytes(e[:])
		}
		inputs = append(inputs, in)
	}
	want, err := publicdata.AggregateInputs(poseidon.New(), 2, inputs)
	require.NoError(t, err)
	for i := range want {
		require.EqualValues(t, want[i].Bytes(), proof.Inputs[i])
	}
}
