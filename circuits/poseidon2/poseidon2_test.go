package poseidon2_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	native "github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	gnark "github.com/consensys/gnark/std/permutation/poseidon2"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/internal/wirecount"
	"github.com/zksettle/settle/circuits/poseidon2"
	"github.com/zksettle/settle/poseidon"
)

// permute states that Out is the permutation of In.
type permute struct {
	In, Out []frontend.Variable
	theirs  bool // gnark's gadget
}

func (c *permute) Define(api frontend.API) error {
	x := append([]frontend.Variable(nil), c.In...)
	if c.theirs {
		partial := map[int]int{4: poseidon.PartialRounds4, 8: poseidon.PartialRounds8}[len(x)]
		p, err := gnark.NewPoseidon2FromParameters(api, len(x), poseidon.FullRounds, partial)
		if err != nil {
			return err
		}
		if err := p.Permutation(x); err != nil {
			return err
		}
	} else {
		p, err := poseidon2.New(api, len(x))
		if err != nil {
			return err
		}
		if err := p.Permute(x); err != nil {
			return err
		}
	}
	for i := range x {
		api.AssertIsEqual(x[i], c.Out[i])
	}
	return nil
}

func compile(t *testing.T, width int, theirs bool) constraint.ConstraintSystem {
	t.Helper()
	c := &permute{In: make([]frontend.Variable, width), Out: make([]frontend.Variable, width), theirs: theirs}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	require.NoError(t, err)
	return ccs
}

// TestAgainstNative holds the gadget to the native permutation, for random lanes and for those of 0, 1 and -1,
// and refuses each lane of the result when it is another.
func TestAgainstNative(t *testing.T) {
	for width, partial := range map[int]int{4: poseidon.PartialRounds4, 8: poseidon.PartialRounds8} {
		ccs := compile(t, width, false)
		permutation := native.NewPermutation(width, poseidon.FullRounds, partial)
		for kind := range 8 {
			x := make([]fr.Element, width)
			for i := range x {
				switch kind {
				case 0: // stays 0
				case 1:
					x[i].SetOne()
				case 2:
					x[i].SetInt64(-1)
				default:
					_, err := x[i].SetRandom()
					require.NoError(t, err)
				}
			}
			c := &permute{}
			for _, e := range x {
				c.In = append(c.In, e)
			}
			require.NoError(t, permutation.Permutation(x))
			for _, e := range x {
				c.Out = append(c.Out, e)
			}
			require.NoError(t, solve(t, ccs, c))
			for i, right := range c.Out {
				var wrong fr.Element
				e := right.(fr.Element)
				one := fr.One()
				wrong.Add(&e, &one)
				c.Out[i] = wrong
				require.Error(t, solve(t, ccs, c), "width %d, lane %d", width, i)
				c.Out[i] = right
			}
		}
	}
}

func solve(t *testing.T, ccs constraint.ConstraintSystem, c *permute) error {
	t.Helper()
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	require.NoError(t, err)
	_, err = ccs.Solve(w)
	return err
}

// TestWires: as many constraints as gnark's gadget, and fewer wires in B, by one for each S-box. The right sides
// hold the squares and what the S-boxes' inputs consist of: the inputs of the permutation and each S-box's result.
func TestWires(t *testing.T) {
	for width, constraints := range map[int]int{4: 264, 8: 363} {
		boxes := constraints / 3
		ours, theirs := compile(t, width, false), compile(t, width, true)
		require.Equal(t, constraints+width, ours.GetNbConstraints(), "the assertions on the result count too")
		require.Equal(t, theirs.GetNbConstraints(), ours.GetNbConstraints())
		got, before := wirecount.Of(ours), wirecount.Of(theirs)
		require.Equal(t, before.B-boxes, got.B, "width %d", width)
	}
}

func TestOtherWidths(t *testing.T) {
	_, err := poseidon2.New(nil, 12)
	require.ErrorContains(t, err, "expected 4 or 8")
	p, err := poseidon2.New(nil, 4)
	require.NoError(t, err)
	require.ErrorContains(t, p.Permute([]frontend.Variable{big.NewInt(1)}), "1 lanes given")
}
