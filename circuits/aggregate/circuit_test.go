package aggregate

import (
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
)

func fixture(t *testing.T, n int) (*Key, []settle.ProofEnvelope) {
	t.Helper()
	logger.Disable()
	inner, err := toycircuit.Ceremony()
	require.NoError(t, err)
	var hash settle.KeyHash
	key, err := NewKey(inner.VerifyingKey.(*groth16bn254.VerifyingKey), hash)
	require.NoError(t, err)
	var proofs []settle.ProofEnvelope
	for range n {
		var inputs [3]settle.Element
		for i := range inputs {
			var e fr.Element
			e.MustSetRandom()
			inputs[i] = e.Bytes()
		}
		proof, err := inner.Prove(inputs)
		require.NoError(t, err)
		proofs = append(proofs, settle.ProofEnvelope{Proof: proof, Inputs: inputs})
	}
	return key, proofs
}

func TestProofs(t *testing.T) {
	key, proofs := fixture(t, 2)
	start := time.Now()
	c, err := Assign(1, proofs[:1])
	require.NoError(t, err)
	require.NoError(t, test.IsSolved(New(key, 1), c, ecc.BN254.ScalarField()))
	t.Log("one", time.Since(start))
	start = time.Now()
	for _, n := range []int{1, 2} {
		c, err = Assign(2, proofs[:n])
		require.NoError(t, err)
		require.NoError(t, test.IsSolved(New(key, 2), c, ecc.BN254.ScalarField()))
		t.Log("two", time.Since(start))
	}
}

func TestCompileCounts(t *testing.T) {
	key, _ := fixture(t, 0)
	for _, n := range []int{1, 2} {
		start := time.Now()
		ccs, err := Compile(key, n)
		require.NoError(t, err)
		t.Log(n, ccs.GetNbConstraints(), ccs.GetNbPublicVariables(), ccs.GetCommitments(), time.Since(start))
	}
}
