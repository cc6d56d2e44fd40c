package aggregate

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// TestNewKeyRefusesBadPoints: each point of an inner key at infinity or off its curve, and
// each of G2 outside the subgroup.
func TestNewKeyRefusesBadPoints(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	outside := twistPoint(t, cofactorPrimes()[0])
	g1 := map[string]func(*groth16bn254.VerifyingKey) *bn254.G1Affine{
		"alpha": func(k *groth16bn254.VerifyingKey) *bn254.G1Affine { return &k.G1.Alpha },
	}
	for j := range in.vk.G1.K {
		g1["K"+string('0'+rune(j))] = func(k *groth16bn254.VerifyingKey) *bn254.G1Affine { return &k.G1.K[j] }
	}
	g2 := map[string]func(*groth16bn254.VerifyingKey) *bn254.G2Affine{
		"beta":      func(k *groth16bn254.VerifyingKey) *bn254.G2Affine { return &k.G2.Beta },
		"gamma":     func(k *groth16bn254.VerifyingKey) *bn254.G2Affine { return &k.G2.Gamma },
		"delta":     func(k *groth16bn254.VerifyingKey) *bn254.G2Affine { return &k.G2.Delta },
		"G":         func(k *groth16bn254.VerifyingKey) *bn254.G2Affine { return &k.CommitmentKeys[0].G },
		"GSigmaNeg": func(k *groth16bn254.VerifyingKey) *bn254.G2Affine { return &k.CommitmentKeys[0].GSigmaNeg },
	}
	refused := func(name string) {
		_, err := NewKey(in.vk, settle.KeyHash{1})
		require.ErrorIs(t, err, ErrInnerKey, name)
	}
	for name, at := range g1 {
		p := at(in.vk)
		good := *p
		*p = bn254.G1Affine{}
		refused(name + " at infinity")
		*p = good
		p.X.SetUint64(5)
		refused(name + " off the curve")
		*p = good
	}
	for name, at := range g2 {
		p := at(in.vk)
		good := *p
		for _, bad := range []bn254.G2Affine{{}, outside} {
			*p = bad
			refused(name)
		}
		*p = good
		p.X.A0.SetUint64(5)
		refused(name + " off the curve")
		*p = good
	}
	_, err := NewKey(in.vk, settle.KeyHash{1})
	require.NoError(t, err)
}
