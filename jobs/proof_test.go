package jobs_test

import (
	"testing"

	"github.com/consensys/gnark/backend/witness"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/verifier"
)

// Real proofs of a small circuit with the public inputs of the batches.
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

	db := testdb.New(t)
	f := fleetOn(t, db.Pool, db.URL, manifest.KeyHash)
	f.seal(3)
	f.start(f.config("a", prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Keys: keys, Log: testLogger(t),
		Assign: func(_ string, tr *state.Trace) (witness.Witness, error) {
			inputs, err := tr.Data().PublicInputs(poseidon.New(), f.shape)
			if err != nil {
				return nil, err
			}
			return toycircuit.Witness([3]settle.Element{inputs[0].Bytes(), inputs[1].Bytes(), inputs[2].Bytes()})
		},
	})))
	f.awaitProofs(1, 2, 3)
	vk, _, err := provingkeys.OpenVerifyingKey(dir, id, dev)
	require.NoError(t, err)
	for n := settle.BatchNumber(1); n <= 3; n++ {
		f.awaitState(n, rivertype.JobStateCompleted)
		proof := f.proof(n)
		require.NoError(t, verifier.Verify(proof.ProofEnvelope, vk))
		require.Positive(t, proof.Stats.Solve)
		require.Greater(t, proof.Stats.Prove, proof.Stats.Solve)
		require.Positive(t, proof.Stats.PeakMemory)
	}
}
