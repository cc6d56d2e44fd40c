package verifier_test

import (
	"bytes"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/verifier"
)

// FuzzProof reads proofs and verifies them under a key. The bytes that are taken are those
// that a second reading takes, point by point; calldata is the same bytes without the
// count; and what verifies has the inputs that were proven, in whatever form the proof's
// points are shifted to.
func FuzzProof(f *testing.F) {
	all := loadFixtures(f)
	good := all.Setup
	raw, err := os.ReadFile("contracts/testdata/setup.vk")
	require.NoError(f, err)
	vk := groth16.NewVerifyingKey(ecc.BN254)
	_, err = vk.ReadFrom(bytes.NewReader(raw))
	require.NoError(f, err)
	key, err := verifier.NewKey(settle.CircuitTransition, shape, vk)
	require.NoError(f, err)
	f.Add([]byte(good.Raw), good.Inputs[0][:], uint64(0))
	f.Add([]byte(good.Raw), good.Inputs[0][:], uint64(7))
	f.Add([]byte(all.Ceremony.Raw), good.Inputs[0][:], uint64(1))
	f.Add([]byte(good.Raw), bytes.Repeat([]byte{0xff}, 32), uint64(0))
	f.Add([]byte(good.Proof), []byte(nil), uint64(0))
	f.Add([]byte(good.Raw[:100]), []byte(nil), uint64(0))
	f.Add(make([]byte, len(good.Raw)), []byte(nil), uint64(0))
	f.Add(withCount(good.Raw, 1<<32-1), []byte(nil), uint64(0))
	for _, at := range []int{0, 64, 192, 260, 324} { // compressed, at infinity, above the modulus
		for _, flag := range []byte{0x40, 0x80, 0xc0, 0x3f} {
			changed := bytes.Clone(good.Raw)
			changed[at] |= flag
			f.Add(changed, []byte(nil), uint64(0))
		}
	}
	outside := bytes.Clone(good.Raw)
	for i, word := range all.OffSubgroup {
		copy(outside[64+32*i:], word[:])
	}
	f.Add(outside, []byte(nil), uint64(0))
	f.Fuzz(func(t *testing.T, raw, input []byte, shift uint64) {
		var calldata []byte
		var err error
		require.Less(t, heap.Allocated(func() { calldata, err = verifier.Calldata(raw) }), uint64(1<<20), "whatever it claims")
		require.Equal(t, readsPlainly(raw), err == nil, "%v", err)
		if err != nil {
			requireInvalid(t, err)
			require.Nil(t, calldata)
			return
		}
		require.Equal(t, append(bytes.Clone(raw[:256]), raw[260:]...), calldata)

		env := settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: shape, KeyHash: key.Hash, Proof: raw, Inputs: good.Inputs}
		copy(env.Inputs[0][:], input)
		if shift != 0 {
			env.Proof = shifted(t, raw, shift)
		}
		err = key.Verify(env)
		if err != nil {
			requireInvalid(t, err)
		}
		require.Equal(t, bytes.Equal(raw, good.Raw) && env.Inputs == good.Inputs, err == nil, "%v", err)
	})
}

// readsPlainly is the second reading of a proof: A, B, C, the count, commitment and PoK,
// each coordinate canonical, each point on its curve, B in its subgroup.
func readsPlainly(raw []byte) bool {
	if len(raw) != 388 || !bytes.Equal(raw[256:260], []byte{0, 0, 0, 1}) {
		return false
	}
	on := true
	for _, at := range []int{0, 192, 260, 324} {
		x, y := new(big.Int).SetBytes(raw[at:at+32]), new(big.Int).SetBytes(raw[at+32:at+64])
		on = on && x.Cmp(fp.Modulus()) < 0 && y.Cmp(fp.Modulus()) < 0
		left, right := new(big.Int).Exp(y, big.NewInt(2), fp.Modulus()), new(big.Int).Exp(x, big.NewInt(3), nil)
		on = on && left.Cmp(right.Add(right, big.NewInt(3)).Mod(right, fp.Modulus())) == 0
	}
	var b bn254.G2Affine
	for i, c := range []*fp.Element{&b.X.A1, &b.X.A0, &b.Y.A1, &b.Y.A0} {
		on = on && c.SetBytesCanonical(raw[64+32*i:96+32*i]) == nil
	}
	return on && !b.IsInfinity() && b.IsOnCurve() && b.IsInSubGroup()
}

// shifted is the same proof of the same inputs as (k·A, B/k).
func shifted(t *testing.T, raw []byte, k uint64) []byte {
	t.Helper()
	proof := decodeRaw(t, raw)
	scalar := fr.NewElement(k)
	proof.Ar.ScalarMultiplication(&proof.Ar, new(big.Int).SetUint64(k))
	proof.Bs.ScalarMultiplication(&proof.Bs, scalar.Inverse(&scalar).BigInt(new(big.Int)))
	return encodeRaw(t, proof)
}
