package prover_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/verifier"
)

const toyShape = "toy"

// toyKeys sets up the toy circuit in a folder of its own.
func toyKeys(t *testing.T) *provingkeys.Cache {
	t.Helper()
	dir, fingerprint := toyFolder(t)
	return toyCache(dir, fingerprint)
}

func toyFolder(t *testing.T) (dir string, fingerprint settle.Fingerprint) {
	t.Helper()
	system, err := toycircuit.Compile()
	require.NoError(t, err)
	fingerprint, err = circuits.FingerprintOf(system)
	require.NoError(t, err)
	dir = t.TempDir()
	_, err = provingkeys.Setup(t.Context(), dir, provingkeys.ID{Circuit: "toy", Shape: toyShape, Fingerprint: fingerprint}, toycircuit.Compile, dev)
	require.NoError(t, err)
	return dir, fingerprint
}

func toyCache(dir string, fingerprint settle.Fingerprint) *provingkeys.Cache {
	return provingkeys.NewCache(provingkeys.CacheConfig{
		Dir: dir, Options: dev,
		Fingerprint: func(string, string) (settle.Fingerprint, error) { return fingerprint, nil },
	})
}

func trace(n settle.BatchNumber) *state.Trace {
	return &state.Trace{Header: publicdata.Header{Number: n}}
}

// toyInputs are c = number, ζ = 5, v = 7.
func toyInputs(tr *state.Trace) [3]settle.Element {
	return [3]settle.Element{{31: byte(tr.Header.Number)}, {31: 5}, {31: 7}}
}

func assignToy(_ string, tr *state.Trace) (witness.Witness, error) {
	return toycircuit.Witness(toyInputs(tr))
}

func engine(keys prover.KeySource, assign prover.AssignFunc) *prover.Engine {
	return prover.New(prover.Config{Circuit: "toy", Keys: keys, Assign: assign})
}

func TestProveMakesAProofThatVerifies(t *testing.T) {
	keys := toyKeys(t)
	result, err := engine(keys, assignToy).Prove(t.Context(), toyShape, trace(9))
	require.NoError(t, err)
	require.Equal(t, toyInputs(trace(9)), result.Proof.Inputs)
	require.Positive(t, result.Timings.Solve)
	require.Greater(t, result.Timings.Prove, result.Timings.Solve)
	require.Positive(t, result.Timings.Assign)
	require.Positive(t, result.Timings.Verify)
	require.Greater(t, result.PeakMemory, uint64(1<<20))

	k, release, err := keys.Acquire(t.Context(), "toy", toyShape)
	require.NoError(t, err)
	defer release()
	require.Equal(t, k.Manifest.KeyHash, result.Proof.KeyHash)
	require.NoError(t, verifier.Verify(result.Proof, k.VerifyingKey))
	other := result.Proof
	other.Inputs[0] = settle.Element{31: 8}
	require.Error(t, verifier.Verify(other, k.VerifyingKey))
}

func TestFailuresAreClassified(t *testing.T) {
	keys := toyKeys(t)
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		keys   prover.KeySource
		assign prover.AssignFunc
		class  prover.Class
		step   string
	}{
		"assignment fails":  {keys, func(string, *state.Trace) (witness.Witness, error) { return nil, boom }, prover.ClassWitness, "assign"},
		"assignment panics": {keys, func(string, *state.Trace) (witness.Witness, error) { panic("boom") }, prover.ClassBug, "assign"},
		"circuit not satisfied": {keys, func(shape string, tr *state.Trace) (witness.Witness, error) {
			w, err := assignToy(shape, tr)
			if err == nil {
				w.Vector().(fr.Vector)[3].SetOne()
			}
			return w, err
		}, prover.ClassWitness, "prove"},
		"wrong number of values": {keys, func(string, *state.Trace) (witness.Witness, error) {
			return witness.New(fr.Modulus())
		}, prover.ClassWitness, "assign"},
		"keys unreadable":  {failingKeys{boom}, assignToy, prover.ClassInfrastructure, "keys"},
		"keys too large":   {failingKeys{provingkeys.ErrBudget}, assignToy, prover.ClassResource, "keys"},
		"foreign verifier": {swappedKeys{keys, toyKeys(t)}, assignToy, prover.ClassBug, "verify"},
		"hints missing":    {hintlessKeys{keys}, assignToy, prover.ClassBug, "prove"},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(c.keys, c.assign)
			for range 2 { // the engine stays usable
				_, err := e.Prove(t.Context(), toyShape, trace(1))
				var failure *prover.Error
				require.ErrorAs(t, err, &failure)
				require.Equal(t, c.class, prover.ClassOf(err), "%v", err)
				require.Equal(t, c.step, failure.Step)
				_, refused := settle.AsRefusal(err)
				require.False(t, refused, "a failure of ours is never bad input")
			}
		})
	}
}

func TestProveReturnsWhenItsContextEnds(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var running, most atomic.Int32
	e := engine(toyKeys(t), func(shape string, tr *state.Trace) (witness.Witness, error) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		if tr.Header.Number == 1 {
			close(entered)
			<-leave
		}
		return assignToy(shape, tr)
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := e.Prove(ctx, toyShape, trace(1))
		done <- err
	}()
	<-entered
	cancel()
	err := <-done
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, prover.ClassInfrastructure, prover.ClassOf(err))

	_, err = e.Prove(ctx, toyShape, trace(2))
	require.ErrorIs(t, err, context.Canceled, "the slot is taken until the abandoned proof ends")
	close(leave)
	_, err = e.Prove(t.Context(), toyShape, trace(3))
	require.NoError(t, err)
	require.EqualValues(t, 1, most.Load(), "one proof at a time")
}

type failingKeys struct{ err error }

func (k failingKeys) Acquire(context.Context, string, string) (*provingkeys.Keys, func(), error) {
	return nil, nil, k.err
}

// swappedKeys proves under one key and verifies under another.
type swappedKeys struct{ proving, verifying *provingkeys.Cache }

func (s swappedKeys) Acquire(ctx context.Context, circuit, shape string) (*provingkeys.Keys, func(), error) {
	a, releaseA, err := s.proving.Acquire(ctx, circuit, shape)
	if err != nil {
		return nil, nil, err
	}
	defer releaseA()
	b, releaseB, err := s.verifying.Acquire(ctx, circuit, shape)
	if err != nil {
		return nil, nil, err
	}
	mixed := *a
	mixed.VerifyingKey, mixed.Manifest = b.VerifyingKey, b.Manifest
	return &mixed, releaseB, nil
}

// hintlessKeys pretends that the system needs one hint more.
type hintlessKeys struct{ *provingkeys.Cache }

func (h hintlessKeys) Acquire(ctx context.Context, circuit, shape string) (*provingkeys.Keys, func(), error) {
	k, release, err := h.Cache.Acquire(ctx, circuit, shape)
	if err != nil {
		return nil, nil, err
	}
	system := *k.System
	system.MHintsDependencies = map[solver.HintID]string{12345: "nobody's hint"}
	changed := *k
	changed.System = &system
	return &changed, release, nil
}

// foldToy proves C = the sum of the c of the proofs.
func foldToy(_ string, proofs []settle.ProofEnvelope) (witness.Witness, error) {
	if len(proofs) == 0 {
		return nil, errors.New("nothing to fold")
	}
	var sum settle.Element
	for _, p := range proofs {
		sum[31] += p.Inputs[0][31]
	}
	return toycircuit.Witness([3]settle.Element{sum, {31: 5}, {31: 7}})
}

// foldKeys gives the toy's keys to the aggregate circuit.
type foldKeys struct{ prover.KeySource }

func (k foldKeys) Acquire(ctx context.Context, circuit, shape string) (*provingkeys.Keys, func(), error) {
	if circuit == settle.CircuitAggregate {
		circuit, shape = "toy", toyShape
	}
	return k.KeySource.Acquire(ctx, circuit, shape)
}

func foldEngine(keys prover.KeySource) *prover.Engine {
	return prover.New(prover.Config{Circuit: "toy", Keys: foldKeys{keys}, Assign: misbehave, Fold: foldToy})
}

func threeProofs() []settle.ProofEnvelope {
	return []settle.ProofEnvelope{{Inputs: [3]settle.Element{{31: 1}}}, {Inputs: [3]settle.Element{{31: 2}}}, {Inputs: [3]settle.Element{{31: 3}}}}
}

func requireFolded(t *testing.T, r prover.Result) {
	t.Helper()
	require.Equal(t, settle.CircuitAggregate, r.Proof.Circuit)
	require.Equal(t, "tiny-3", r.Proof.Shape)
	require.Equal(t, settle.Element{31: 6}, r.Proof.Inputs[0])
	require.NotEmpty(t, r.Proof.Proof)
	require.Positive(t, r.Timings.Solve)
}

func TestFold(t *testing.T) {
	keys := toyKeys(t)
	result, err := foldEngine(keys).Fold(t.Context(), "tiny-3", threeProofs())
	require.NoError(t, err)
	requireFolded(t, result)
	_, err = foldEngine(keys).Fold(t.Context(), "tiny-3", nil)
	var failed *prover.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, prover.ClassWitness, failed.Class)
	_, err = engine(keys, assignToy).Fold(t.Context(), "tiny-3", threeProofs())
	require.ErrorAs(t, err, &failed)
	require.Equal(t, prover.ClassBug, failed.Class, "it was made for batches alone")
}
