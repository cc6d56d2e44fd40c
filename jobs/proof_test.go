package jobs_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark/backend/witness"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// verifierOf knows the verifying keys of ids in a folder.
func verifierOf(t *testing.T, dir string, options provingkeys.Options, ids ...provingkeys.ID) *verifier.Verifier {
	t.Helper()
	var keys []*verifier.Key
	for _, id := range ids {
		vk, manifest, err := provingkeys.OpenVerifyingKey(dir, id, options)
		require.NoError(t, err)
		key, err := verifier.NewKey(manifest.Circuit, manifest.Shape, vk)
		require.NoError(t, err)
		keys = append(keys, key)
	}
	return verifier.New(keys...)
}

// hostile answers as a proving process can that somebody else has taken over.
type hostile struct {
	jobs.Prover
	lies []func(prover.Result) prover.Result // one for each proof, then the truth

	mu sync.Mutex
}

func (h *hostile) Prove(ctx context.Context, shape string, trace *state.Trace) (prover.Result, error) {
	result, err := h.Prover.Prove(ctx, shape, trace)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil || len(h.lies) == 0 {
		return result, err
	}
	lie := h.lies[0]
	h.lies = h.lies[1:]
	return lie(result), nil
}

// Real proofs of a small circuit with the public inputs of the batches. The circuit
// proves any inputs, so that a proof for another ζ verifies, as one of the transition
// circuit does. Nothing that the proving process says is believed.
func TestRealProofsAreStored(t *testing.T) {
	system, err := toycircuit.Compile()
	require.NoError(t, err)
	fingerprint, err := circuits.FingerprintOf(system)
	require.NoError(t, err)
	id := provingkeys.ID{Circuit: settle.CircuitTransition, Shape: shapeName, Fingerprint: fingerprint}
	dir, dev := t.TempDir(), provingkeys.Options{AllowUnsafeDev: true}
	manifest, err := provingkeys.Setup(t.Context(), dir, id, toycircuit.Compile, dev)
	require.NoError(t, err)
	keys := provingkeys.NewCache(provingkeys.CacheConfig{
		Dir: dir, Options: dev, Fingerprint: func(string, string) (settle.Fingerprint, error) { return fingerprint, nil },
	})
	loaded, err := provingkeys.Open(t.Context(), dir, id, dev)
	require.NoError(t, err)
	toy := toycircuit.Prover{System: loaded.System, ProvingKey: loaded.ProvingKey, VerifyingKey: loaded.VerifyingKey}
	honest := verifierOf(t, dir, dev, id)

	db := testdb.New(t)
	f := fleetOn(t, db.Pool, db.URL, manifest.KeyHash)
	f.seal(3)
	var first settle.ProofEnvelope
	lies := []func(prover.Result) prover.Result{
		func(r prover.Result) prover.Result { // for another ζ
			r.Proof.Inputs[1][31] ^= 1
			raw, err := toy.Prove(r.Proof.Inputs)
			require.NoError(t, err)
			r.Proof.Proof = raw
			require.NoError(t, honest.Verify(r.Proof), "it holds by itself")
			return r
		},
		func(r prover.Result) prover.Result { // garbage under honest inputs
			r.Proof.Proof = bytes.Repeat([]byte{7}, len(r.Proof.Proof))
			return r
		},
		func(r prover.Result) prover.Result { // the truth, and times that no database takes
			r.Timings.Solve, r.PeakMemory = -time.Hour, math.MaxUint64
			first = r.Proof
			return r
		},
		func(prover.Result) prover.Result { return prover.Result{Proof: first} }, // another batch's
		func(r prover.Result) prover.Result { // a proof under a key that nobody deployed
			r.Proof.KeyHash[0]++
			return r
		},
	}
	cfg := f.config("a", &hostile{lies: lies, Prover: prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Keys: keys, Log: testLogger(t),
		Assign: func(_ string, tr *state.Trace) (witness.Witness, error) {
			inputs, err := tr.Data().PublicInputs(poseidon.New(), f.shape)
			if err != nil {
				return nil, err
			}
			return toycircuit.Witness([3]settle.Element{inputs[0].Bytes(), inputs[1].Bytes(), inputs[2].Bytes()})
		},
	})})
	cfg.Verifier = honest
	cfg.Policy.MaxFailures = len(lies) + 1 // one batch may be told all of them
	f.start(cfg)
	f.awaitProofs(1, 2, 3)
	details := map[store.FailureClass][]string{}
	for n := settle.BatchNumber(1); n <= 3; n++ {
		f.awaitJob(n, store.JobCompleted)
		proof := f.proof(n)
		require.NoError(t, honest.Verify(proof.ProofEnvelope))
		batch, err := f.store.Batch(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, batch.Commitment, proof.Inputs[0])
		for _, failure := range f.failures(n) {
			details[failure.Class] = append(details[failure.Class], failure.Detail)
		}
	}
	require.Len(t, details[store.FailBug], 4)
	all := strings.Join(details[store.FailBug], "\n")
	for _, said := range []string{"its ζ is", "does not hold", "its c is", "asked for was"} {
		require.Contains(t, all, said)
	}
	for n := settle.BatchNumber(1); n <= 3; n++ {
		stored := f.proof(n)
		if stored.Inputs == first.Inputs {
			require.Zero(t, stored.Stats.Solve)
			require.EqualValues(t, math.MaxInt64, stored.Stats.PeakMemory)
			continue
		}
		require.Positive(t, stored.Stats.Solve)
		require.Greater(t, stored.Stats.Prove, stored.Stats.Solve)
		require.Positive(t, stored.Stats.PeakMemory)
	}
}
