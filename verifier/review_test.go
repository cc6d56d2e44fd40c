package verifier_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestKeyIsWhatWasHashed: gnark verifies by products that a key carries beside its
// points. With stale ones the native verifier accepted, under the hash of one key,
// proofs of another, which the contract refuses.
func TestKeyIsWhatWasHashed(t *testing.T) {
	p, err := toycircuit.Setup()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	_, _, _, g2 := bn254.Generators()
	for name, change := range map[string]func(*groth16bn254.VerifyingKey){
		"alpha": func(vk *groth16bn254.VerifyingKey) { vk.G1.Alpha.Double(&vk.G1.Alpha) },
		"beta":  func(vk *groth16bn254.VerifyingKey) { vk.G2.Beta.Add(&vk.G2.Beta, &g2) },
		"gamma": func(vk *groth16bn254.VerifyingKey) { vk.G2.Gamma.Add(&vk.G2.Gamma, &g2) },
		"delta": func(vk *groth16bn254.VerifyingKey) { vk.G2.Delta.Add(&vk.G2.Delta, &g2) },
	} {
		t.Run(name, func(t *testing.T) {
			other := *p.VerifyingKey.(*groth16bn254.VerifyingKey)
			change(&other)
			changed := env
			changed.KeyHash, err = verifier.KeyHash(&other)
			require.NoError(t, err)
			require.NotEqual(t, env.KeyHash, changed.KeyHash)
			requireInvalid(t, verifier.Verify(changed, &other))
			words, err := verifier.Words(&other)
			require.NoError(t, err)
			calldata, err := verifier.Calldata(env.Proof)
			require.NoError(t, err)
			machine := newEVM(t)
			ret, err := machine.verify(machine.ours(words), calldata, env.Inputs)
			require.Error(t, err)
			require.IsType(t, new(bindings.Groth16VerifierInvalidProof), revert(ret))
		})
	}
}

// TestChallengeIsOfAnyDigest: SHA-256 as one big number mod r on L1 and gnark's
// fr.SetBytes are the same also for digests of r and more, which are 81 % of all.
func TestChallengeIsOfAnyDigest(t *testing.T) {
	above := 0
	for i := range 1_000 {
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		number := new(big.Int).SetBytes(digest[:])
		if number.Cmp(fr.Modulus()) >= 0 {
			above++
		}
		var e fr.Element
		e.SetBytes(digest[:])
		require.Zero(t, e.BigInt(new(big.Int)).Cmp(number.Mod(number, fr.Modulus())))
	}
	require.Greater(t, above, 700)
}

// TestVerifierOnWhatAnEncoderWouldNotMake: lengths and offsets that lie, cut and
// longer calldata.
func TestVerifierOnWhatAnEncoderWouldNotMake(t *testing.T) {
	p, err := toycircuit.Ceremony()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	words, err := verifier.Words(p.VerifyingKey)
	require.NoError(t, err)
	machine := newEVM(t)
	contract := machine.ours(words)
	proof, err := verifier.Calldata(env.Proof)
	require.NoError(t, err)
	honest := bindings.NewGroth16Verifier().PackVerify(proof, bigs(env.Inputs))
	accepts := func(data []byte) bool {
		_, err := machine.call(contract, data)
		return err == nil
	}
	require.True(t, accepts(honest))
	require.True(t, accepts(append(append([]byte{}, honest...), make([]byte, 100)...)), "bytes behind are read by nobody")

	// selector; offset of the proof; three inputs; length of the proof; proof.
	with := func(at int, value *big.Int) []byte {
		data := append([]byte{}, honest...)
		copy(data[4+32*at:], common.BigToHash(value).Bytes())
		return data
	}
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for _, length := range []*big.Int{new(big.Int), big.NewInt(383), big.NewInt(385), big.NewInt(416), new(big.Int).Lsh(big.NewInt(1), 64), most} {
		require.False(t, accepts(with(4, length)), "length %s", length)
	}
	for _, offset := range []*big.Int{new(big.Int), big.NewInt(96), big.NewInt(160), new(big.Int).Lsh(big.NewInt(1), 32), most} {
		require.False(t, accepts(with(0, offset)), "offset %s", offset)
	}
	for i := range 3 {
		v := new(big.Int).SetBytes(env.Inputs[i][:])
		require.False(t, accepts(with(1+i, v.Add(v, fr.Modulus()))), "input %d + r", i)
	}
	for cut := 1; cut <= len(honest); cut += 31 {
		require.False(t, accepts(honest[:len(honest)-cut]), "cut by %d", cut)
	}
}

// TestNegatedProofsAreRefused: every sign of every point. Only the pair (-A, -B) is
// the same proof, by bilinearity: Groth16 proofs are malleable, and what is settled
// is named by number and root, never by its proof.
func TestNegatedProofsAreRefused(t *testing.T) {
	p, err := toycircuit.Setup()
	require.NoError(t, err)
	env := envelope(t, p, randomInputs())
	words, err := verifier.Words(p.VerifyingKey)
	require.NoError(t, err)
	machine := newEVM(t)
	contract := machine.ours(words)
	for signs := range 32 {
		proof := decodeRaw(t, env.Proof)
		for i, negate := range []func(){
			func() { proof.Ar.Neg(&proof.Ar) },
			func() { proof.Bs.Neg(&proof.Bs) },
			func() { proof.Krs.Neg(&proof.Krs) },
			func() { proof.Commitments[0].Neg(&proof.Commitments[0]) },
			func() { proof.CommitmentPok.Neg(&proof.CommitmentPok) },
		} {
			if signs>>i&1 == 1 {
				negate()
			}
		}
		changed := env
		changed.Proof = encodeRaw(t, proof)
		native := verifier.Verify(changed, p.VerifyingKey) == nil
		_, err := machine.verify(contract, proof.MarshalSolidity(), env.Inputs)
		require.Equal(t, signs == 0 || signs == 3, native, "signs %05b", signs)
		require.Equal(t, native, err == nil, "signs %05b: native and contract differ", signs)
	}
}
