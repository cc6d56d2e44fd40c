package verifier_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestPoKAbsorptionIsRefused carries out the forgery against a verifier that
// joins the commitment's pairing check to Groth16's with equal coefficients. On
// a ceremony key γ and the commitment's base are both the generator of G2, so
// only PoK - L counts there, and PoK + (L' - L) proves any other inputs.
func TestPoKAbsorptionIsRefused(t *testing.T) {
	p, err := toycircuit.Ceremony()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	vk := p.VerifyingKey.(*groth16bn254.VerifyingKey)
	proof := decodeRaw(t, env.Proof)
	require.True(t, mergedCheck(t, vk, proof, env.Inputs), "honest proof refused by the merged check")

	forgedInputs := env.Inputs
	forgedInputs[2] = randomInputs()[2]
	var from, to fr.Element
	from.SetBytes(env.Inputs[2][:])
	to.SetBytes(forgedInputs[2][:])
	to.Sub(&to, &from)
	var shift bn254.G1Affine
	shift.ScalarMultiplication(&vk.G1.K[3], to.BigInt(new(big.Int)))
	proof.CommitmentPok.Add(&proof.CommitmentPok, &shift)
	require.True(t, mergedCheck(t, vk, proof, forgedInputs), "the forgery no longer works against the unsound variant")

	env.Proof, env.Inputs = encodeRaw(t, proof), forgedInputs
	requireInvalid(t, verifier.Verify(env, vk))
	words, err := verifier.Words(vk)
	require.NoError(t, err)
	calldata, err := verifier.Calldata(env.Proof)
	require.NoError(t, err)
	machine := newEVM(t)
	ret, err := machine.verify(machine.ours(words), calldata, forgedInputs)
	require.Error(t, err)
	require.IsType(t, new(bindings.Groth16VerifierInvalidProof), revert(ret))
}

// mergedCheck is the unsound variant: one product, equal coefficients.
func mergedCheck(t *testing.T, vk *groth16bn254.VerifyingKey, proof *groth16bn254.Proof, inputs [3]settle.Element) bool {
	t.Helper()
	commitment := proof.Commitments[0]
	encoded := commitment.RawBytes()
	digest := sha256.Sum256(encoded[:])
	var l bn254.G1Affine
	l.Add(&vk.G1.K[0], &commitment)
	for i, scalar := range append(inputs[:], digest) {
		var term bn254.G1Affine
		term.ScalarMultiplication(&vk.G1.K[i+1], new(big.Int).SetBytes(scalar[:]))
		l.Add(&l, &term)
	}
	neg := func(p bn254.G1Affine) bn254.G1Affine { return *new(bn254.G1Affine).Neg(&p) }
	ok, err := bn254.PairingCheck(
		[]bn254.G1Affine{proof.Ar, neg(proof.Krs), neg(vk.G1.Alpha), neg(l), commitment, proof.CommitmentPok},
		[]bn254.G2Affine{proof.Bs, vk.G2.Delta, vk.G2.Beta, vk.G2.Gamma, vk.CommitmentKeys[0].GSigmaNeg, vk.CommitmentKeys[0].G},
	)
	require.NoError(t, err)
	return ok
}

// TestSplitErrorsAreRefused: an error of the commitment's equation does not
// cancel one of Groth16's in the joined check either way.
func TestSplitErrorsAreRefused(t *testing.T) {
	p, err := toycircuit.Ceremony()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	words, err := verifier.Words(p.VerifyingKey)
	require.NoError(t, err)
	machine := newEVM(t)
	contract := machine.ours(words)
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
		t.Run(name, func(t *testing.T) {
			proof := decodeRaw(t, env.Proof)
			change(proof)
			changed := env
			changed.Proof = encodeRaw(t, proof)
			requireInvalid(t, verifier.Verify(changed, p.VerifyingKey))
			_, err := machine.verify(contract, proof.MarshalSolidity(), env.Inputs)
			require.Error(t, err)
		})
	}
}
