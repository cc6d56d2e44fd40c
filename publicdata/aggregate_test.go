package publicdata_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// C is the sponge of W with zeros up to the slots, its capacity lane tag + 2^32·words +
// 2^64·proofs; Z and V are the challenge and the evaluation of D, of W.
func TestAggregateAgainstReference(t *testing.T) {
	h := poseidon.New()
	rapid.Check(t, func(t *rapid.T) {
		proofs := rapid.IntRange(1, 5).Draw(t, "proofs")
		slots := proofs + rapid.IntRange(0, 3).Draw(t, "spare")
		inputs := make([][3]fr.Element, proofs)
		var words []*big.Int
		for i := range inputs {
			for k := range inputs[i] {
				inputs[i][k] = drawElement(t)
				words = append(words, integer(inputs[i][k]))
			}
		}
		lane, ok := new(big.Int).SetString(fmt.Sprintf("%x%08x%08x", proofs, 3*slots, 3), 16)
		require.True(t, ok)
		x := [4]fr.Element{3: *new(fr.Element).SetBigInt(lane)}
		for start := 0; start < 3*slots; start += 3 {
			for k := range 3 {
				if start+k < len(words) {
					x[k].Add(&x[k], new(fr.Element).SetBigInt(words[start+k]))
				}
			}
			h.Permute4(&x)
		}
		got, err := publicdata.AggregateInputs(h, slots, inputs)
		require.NoError(t, err)
		z := naiveChallenge(x[0], words)
		requireWords(t, []*big.Int{integer(x[0]), z, naiveEvaluate(words, z)}, got[:])
	})
}

func TestAggregateRefusesOverflow(t *testing.T) {
	h := poseidon.New()
	for _, c := range []struct {
		proofs, slots int
		fits          bool
	}{{0, 3, false}, {1, 3, true}, {3, 3, true}, {4, 3, false}, {1, 0, false}} {
		_, err := publicdata.AggregateCommitment(h, c.slots, make([][3]fr.Element, c.proofs))
		_, other := publicdata.AggregateInputs(h, c.slots, make([][3]fr.Element, c.proofs))
		if c.fits {
			require.NoError(t, err)
			require.NoError(t, other)
			continue
		}
		require.ErrorIs(t, err, publicdata.ErrCapacity)
		require.ErrorIs(t, other, publicdata.ErrCapacity)
	}
}
