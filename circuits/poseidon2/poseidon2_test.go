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

	"github.com/zksettle/settle/circuits/cost"
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
		got, before := cost.WiresOf(ours), cost.WiresOf(theirs)
		require.Equal(t, before.B-boxes, got.B, "width %d", width)
	}
}

// TestKnownAnswers holds the gadget to the authors' implementation, for the lanes 0, 1, 2, …: the answers that
// package poseidon is held to as well, all lanes at width 4 and the outer ones at width 8.
func TestKnownAnswers(t *testing.T) {
	for width, answers := range map[int]map[int]string{
		4: {
			0: "0x01bd538c2ee014ed5141b29e9ae240bf8db3fe5b9a38629a9647cf8d76c01737",
			1: "0x239b62e7db98aa3a2a8f6a0d2fa1709e7a35959aa6c7034814d9daa90cbac662",
			2: "0x04cbb44c61d928ed06808456bf758cbf0c18d1e15a7b6dbc8245fa7515d5e3cb",
			3: "0x2e11c5cff2a22c64d01304b778d78f6998eff1ab73163a35603f54794c30847a",
		},
		8: {
			0: "0x1d1a50bcde871247856df135d56a4ca61af575f1140ed9b1503c77528cf345df",
			7: "0x0b19bfa00c8f1d505074130e7f8b49a8624b1905e280ceca5ba11099b081b265",
		},
	} {
		var c answered
		for lane := range width {
			c.In = append(c.In, lane)
		}
		c.answers = answers
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &answered{In: make([]frontend.Variable, width), answers: answers})
		require.NoError(t, err)
		w, err := frontend.NewWitness(&c, ecc.BN254.ScalarField())
		require.NoError(t, err)
		_, err = ccs.Solve(w)
		require.NoError(t, err, "width %d", width)
	}
}

// answered states some lanes of the permutation of In, as constants.
type answered struct {
	In      []frontend.Variable
	answers map[int]string
}

func (c *answered) Define(api frontend.API) error {
	p, err := poseidon2.New(api, len(c.In))
	if err != nil {
		return err
	}
	x := append([]frontend.Variable(nil), c.In...)
	if err := p.Permute(x); err != nil {
		return err
	}
	for lane, answer := range c.answers {
		api.AssertIsEqual(x[lane], answer)
	}
	return nil
}

// TestRefusals: what the gadget has no constants for is an error, and so is another number of lanes.
func TestRefusals(t *testing.T) {
	define := func(field *big.Int, lanes int) error {
		_, err := frontend.Compile(field, r1cs.NewBuilder, &permute{In: make([]frontend.Variable, lanes), Out: make([]frontend.Variable, lanes)})
		return err
	}
	require.ErrorContains(t, define(ecc.BN254.ScalarField(), 12), "expected 4 or 8")
	require.ErrorContains(t, define(ecc.BLS12_381.ScalarField(), 4), "expected that of BN254's scalars")
	_, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &tooFew{})
	require.ErrorContains(t, err, "1 lanes given")
}

type tooFew struct{ In frontend.Variable }

func (c *tooFew) Define(api frontend.API) error {
	p, err := poseidon2.New(api, 4)
	if err != nil {
		return err
	}
	return p.Permute([]frontend.Variable{c.In})
}
