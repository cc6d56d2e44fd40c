package verifier_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestForgedPoKIsRefused carries out the forgery against a verifier that joins the
// commitment's pairing check to Groth16's with equal coefficients. On a ceremony key γ
// and the commitment's base are both the generator of G2, so only PoK - L counts there,
// and PoK + (L' - L) proves any other inputs. Keys of groth16.Setup hide it.
func TestForgedPoKIsRefused(t *testing.T) {
	for name, p := range provers(t) {
		env := envelope(t, p, randomInputs())
		vk := p.VerifyingKey.(*groth16bn254.VerifyingKey)
		require.True(t, mergedCheck(t, vk, env, fr.One()), "honest proof refused by the merged check")
		for _, changed := range [][]int{{0}, {1}, {2}, {0, 1, 2}} {
			forged, others := env, randomInputs()
			for _, i := range changed {
				forged.Inputs[i] = others[i]
			}
			var err error
			forged.Proof, err = p.ForgePoK(env.Proof, env.Inputs, forged.Inputs, fr.One())
			require.NoError(t, err)
			require.Equal(t, name == "ceremony", mergedCheck(t, vk, forged, fr.One()), "the forgery no longer works against the unsound variant, on keys that do not hide it")
			requireRefusedByAll(t, p, forged)
		}
	}
}

// TestForgedPoKUnderAnOldCoefficient: whoever could choose the proof after the
// coefficient would absorb other inputs as before. It is hashed from all that he could
// choose, so that the forged proof has another.
func TestForgedPoKUnderAnOldCoefficient(t *testing.T) {
	p, err := toycircuit.Ceremony()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	vk := p.VerifyingKey.(*groth16bn254.VerifyingKey)
	for _, of := range []settle.ProofEnvelope{env, {KeyHash: env.KeyHash, Proof: env.Proof, Inputs: randomInputs()}} {
		rho := coefficient(t, of)
		require.True(t, mergedCheck(t, vk, env, rho))
		forged := env
		forged.Inputs = of.Inputs
		forged.Inputs[2] = randomInputs()[2]
		forged.Proof, err = p.ForgePoK(env.Proof, env.Inputs, forged.Inputs, rho)
		require.NoError(t, err)
		require.True(t, mergedCheck(t, vk, forged, rho), "the forgery no longer works where the coefficient is known before the proof")
		require.False(t, mergedCheck(t, vk, forged, coefficient(t, forged)))
		requireRefusedByAll(t, p, forged)
	}
}

// coefficient is what Groth16Verifier joins the two checks with.
func coefficient(t *testing.T, env settle.ProofEnvelope) (rho fr.Element) {
	t.Helper()
	calldata, err := verifier.Calldata(env.Proof)
	require.NoError(t, err)
	rho.SetBytes(crypto.Keccak256(env.KeyHash[:], calldata, env.Inputs[0][:], env.Inputs[1][:], env.Inputs[2][:]))
	return rho
}

// requireRefusedByAll requires that nobody accepts the proof: ours, gnark's own
// verifier as ours calls it, and the contract.
func requireRefusedByAll(t *testing.T, p *toycircuit.Prover, env settle.ProofEnvelope) {
	t.Helper()
	requireInvalid(t, verifier.Verify(env, p.VerifyingKey))
	public := make(fr.Vector, len(env.Inputs))
	for i := range public {
		public[i].SetBytes(env.Inputs[i][:])
	}
	require.Error(t, groth16bn254.Verify(decodeRaw(t, env.Proof), p.VerifyingKey.(*groth16bn254.VerifyingKey), public,
		backend.WithVerifierHashToFieldFunction(sha256.New())))
	words, err := verifier.Words(p.VerifyingKey)
	require.NoError(t, err)
	calldata, err := verifier.Calldata(env.Proof)
	require.NoError(t, err)
	machine := newEVM(t)
	ret, err := machine.verify(machine.ours(words), calldata, env.Inputs)
	require.Error(t, err)
	require.IsType(t, new(bindings.Groth16VerifierInvalidProof), revert(ret))
}

// mergedCheck is one product of both checks with a coefficient for the commitment's
// that whoever makes the proof knows: unsound.
func mergedCheck(t *testing.T, vk *groth16bn254.VerifyingKey, env settle.ProofEnvelope, rho fr.Element) bool {
	t.Helper()
	proof := decodeRaw(t, env.Proof)
	commitment := proof.Commitments[0]
	encoded := commitment.RawBytes()
	digest := sha256.Sum256(encoded[:])
	var l bn254.G1Affine
	l.Add(&vk.G1.K[0], &commitment)
	for i, scalar := range append(env.Inputs[:], digest) {
		var term bn254.G1Affine
		term.ScalarMultiplication(&vk.G1.K[i+1], new(big.Int).SetBytes(scalar[:]))
		l.Add(&l, &term)
	}
	neg := func(p bn254.G1Affine) bn254.G1Affine { return *new(bn254.G1Affine).Neg(&p) }
	times := func(p bn254.G1Affine) bn254.G1Affine {
		return *new(bn254.G1Affine).ScalarMultiplication(&p, rho.BigInt(new(big.Int)))
	}
	ok, err := bn254.PairingCheck(
		[]bn254.G1Affine{proof.Ar, neg(proof.Krs), neg(vk.G1.Alpha), neg(l), times(commitment), times(proof.CommitmentPok)},
		[]bn254.G2Affine{proof.Bs, vk.G2.Delta, vk.G2.Beta, vk.G2.Gamma, vk.CommitmentKeys[0].GSigmaNeg, vk.CommitmentKeys[0].G},
	)
	require.NoError(t, err)
	return ok
}

// TestSplitErrorsAreRefused: an error of the commitment's equation does not
// cancel one of Groth16's in the joined check either way.
func TestSplitErrorsAreRefused(t *testing.T) {
	_, _, g1, _ := bn254.Generators()
	for name, change := range map[string]func(*groth16bn254.Proof){
		"pok":        func(p *groth16bn254.Proof) { p.CommitmentPok.Add(&p.CommitmentPok, &g1) },
		"pok zero":   func(p *groth16bn254.Proof) { p.CommitmentPok = bn254.G1Affine{} },
		"commitment": func(p *groth16bn254.Proof) { p.Commitments[0].Add(&p.Commitments[0], &g1) },
		"both": func(p *groth16bn254.Proof) {
			p.Commitments[0].Add(&p.Commitments[0], &g1)
			p.CommitmentPok.Add(&p.CommitmentPok, &g1)
		},
		"c": func(p *groth16bn254.Proof) { p.Krs.Add(&p.Krs, &g1) },
	} {
		for kind, p := range provers(t) {
			t.Run(name+"/"+kind, func(t *testing.T) {
				env := envelope(t, p, randomInputs())
				proof := decodeRaw(t, env.Proof)
				change(proof)
				env.Proof = encodeRaw(t, proof)
				requireRefusedByAll(t, p, env)
			})
		}
	}
}
