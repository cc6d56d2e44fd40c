package aggregate

import (
	"crypto/sha256"
	"flag"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/frontend/schema"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/internal/hostile"
	"github.com/zksettle/settle/circuits/rules"
)

// exhaustive attacks the whole circuit, of one slot: `make attack-aggregate`, half an
// hour and 5 GB.
var exhaustive = flag.Bool("exhaustive", false, "attack hints and witness of the whole aggregate circuit instead of its parts")

// partsCircuit has each step of the circuit once, but for the pairing check: an addition,
// a doubling, a digit and a table entry, the bits of a coordinate and of a sum of words,
// the bits of a coefficient, and the inverse that B's y has.
type partsCircuit struct {
	P, Q pointG1
	B    sw_bn254.G2Affine
	H    frontend.Variable
}

func (c *partsCircuit) Define(api frontend.API) error {
	cv, err := newCurve(api, rules.New(api))
	if err != nil {
		return err
	}
	pairing, err := sw_bn254.NewPairing(api)
	if err != nil {
		return err
	}
	cv.assertOnCurve(&c.P)
	cv.assertOnCurve(&c.Q)
	bits := cv.fp.ToBitsCanonical(&c.P.X)
	entry := cv.lookup(point("base"), point("offset"), bits[:fixedWindow])
	acc := cv.double(cv.add(accumulate(&c.P), &c.Q))
	sum := cv.affine(cv.add(cv.add(acc, entry), cv.digit(cv.pair(&c.Q), bits[7], bits[8])))
	cv.assertOnCurve(sum)
	cv.close()
	var x, y word
	copy(x[:], bits[16:48])
	copy(y[:], bits[48:80])
	(sha2{api}).add(7, x, y)
	if _, err := gadget.LowBits(api, rangecheck.New(api), c.H); err != nil {
		return err
	}
	pairing.Ext2.Inverse(&c.B.P.Y)
	return nil
}

// pairingHints are those that only the pairing check calls, all of them gnark's.
func pairingHints() []string {
	return []string{
		"emulated.InverseHint", "fields_bn254.divE12Hint", "fields_bn254.divE2Hint", "fields_bn254.inverseE12Hint",
		"solver.InvZeroHint", "sw_bn254.pairingCheckHint",
	}
}

func harmlessLies() []hostile.Harmless {
	return []hostile.Harmless{
		{
			Hint: "cs.Bsb22CommitmentComputePlaceholder",
			Why:  "the challenge: in a proof the verifier computes it from the commitment, and the prover has no say",
		},
		{
			Hint: "emulated.mulHint", When: assertsZero, Lie: aboutTheRemainder,
			Why: "the remainder of an assertion that a value is 0: gnark takes the constant 0 for it and leaves the hint's unused",
		},
		{Hint: "hints.Randomize", Why: "blinds the commitment, as gnark asks: any value does"},
	}
}

// assertsZero tells an assertion from a product: its second factor is the constant 1 on
// one limb, and it holds. Inputs: bits of a limb, limbs, limbs of the first factor, limbs
// of the quotient, the modulus, both factors. Outputs: quotient, remainder, carries.
func assertsZero(in, honest []*big.Int) bool {
	limbs, first, quotient := in[1].Int64(), in[2].Int64(), in[3].Int64()
	holds := !slices.ContainsFunc(honest[quotient:quotient+limbs], func(v *big.Int) bool { return v.Sign() != 0 })
	return holds && int64(len(in)) == 4+limbs+first+1 && in[len(in)-1].IsInt64() && in[len(in)-1].Int64() == 1
}

// aboutTheRemainder: the quotient and the carries are the honest ones.
func aboutTheRemainder(in, honest, lie []*big.Int) bool {
	limbs, quotient := in[1].Int64(), in[3].Int64()
	same := func(a, b []*big.Int) bool {
		return slices.EqualFunc(a, b, func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
	}
	return same(honest[:quotient], lie[:quotient]) && same(honest[quotient+limbs:], lie[quotient+limbs:])
}

func hashCommitment(_ *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		h.Write(v.FillBytes(make([]byte, fr.Bytes)))
	}
	out[0].Mod(out[0].SetBytes(h.Sum(nil)), fr.Modulus())
	return nil
}

func newTarget(t *testing.T, ccs constraint.ConstraintSystem) *hostile.Target {
	t.Helper()
	logger.Disable()
	solver.RegisterHint(append(Hints(), gadget.Hints()...)...)
	target, err := hostile.New(ccs, map[solver.HintID]solver.Hint{
		solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder): hashCommitment,
	})
	require.NoError(t, err)
	return target
}

// TestHostileHints has each hint lie on one call: no hint is trusted. On the parts of
// the circuit by default; they call the hints of the whole but for pairingHints, of
// which TestResidueWitnessIsNotZero has one lie.
func TestHostileHints(t *testing.T) {
	logger.Disable()
	var ccs constraint.ConstraintSystem
	var assignment frontend.Circuit
	sample := hostile.Sample{Calls: 2, Outputs: 12}
	if *exhaustive {
		in := newInner(t)
		var err error
		ccs, err = Compile(in.key, 1)
		require.NoError(t, err)
		assignment, sample = in.assign(in.statements(1)), hostile.Sample{Calls: 1, Outputs: 4}
	} else {
		ccs = compiled(t, new(partsCircuit))
		_, _, _, g2 := bn254.Generators()
		assignment = &partsCircuit{
			P: sw_bn254.NewG1Affine(point("p")), Q: sw_bn254.NewG1Affine(point("q")), B: sw_bn254.NewG2Affine(g2),
			H: new(big.Int).Rsh(fr.Modulus(), 1),
		}
	}
	target := newTarget(t, ccs)
	full, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	lies, err := target.Lie(full, sample, harmlessLies())
	require.NoError(t, err)
	require.Empty(t, lies.Unlisted)
	require.Empty(t, target.Gaps(lies, harmlessLies()))
	t.Logf("lies %v, accepted %v", lies.Told, lies.Accepted)
	if *exhaustive {
		parts := newTarget(t, compiled(t, new(partsCircuit)))
		require.ElementsMatch(t, target.Hints(), append(slices.Clone(parts.Hints()), pairingHints()...), "the parts no longer call the hints of the whole")
	}
}

// TestEveryWitnessValueMatters changes each limb, input and flag of the whole circuit,
// with -exhaustive; TestMutatedStatements is its quick sister.
func TestEveryWitnessValueMatters(t *testing.T) {
	if !*exhaustive {
		return
	}
	in := newInner(t)
	ccs, err := Compile(in.key, 1)
	require.NoError(t, err)
	full, err := frontend.NewWitness(in.assign(in.statements(1)), ecc.BN254.ScalarField())
	require.NoError(t, err)
	labels := []string{"C", "Z", "V"}
	variable := reflect.TypeOf((*frontend.Variable)(nil)).Elem()
	_, err = schema.Walk(ecc.BN254.ScalarField(), New(in.key, 1), variable, func(leaf schema.LeafInfo, _ reflect.Value) error {
		if leaf.Visibility == schema.Secret {
			labels = append(labels, leaf.FullName())
		}
		return nil
	})
	require.NoError(t, err)
	result, err := newTarget(t, ccs).Mutate([]hostile.Labelled{{Name: "one proof", Witness: full, Labels: labels}}, nil, hostile.All)
	require.NoError(t, err)
	require.Empty(t, result.Unlisted)
	t.Logf("%d values, %d changes", len(labels), result.Tried)
}

// acceptAll is a pairing check that leaves everything else in force.
type acceptAll struct{}

func (acceptAll) PairingCheck([]*pointG1, []*sw_bn254.G2Affine) error { return nil }

// TestForgeryByEqualPointsInACircuit: the whole circuit, and not only its sums, refuses
// a chord through two equal points: A = offset/(1 + λ), whose first digit is the offset
// when the coefficient begins with two positive signs, as one in four does.
func TestForgeryByEqualPointsInACircuit(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	offset, err := bn254.HashToG1([]byte("offset 1"), []byte("settle/aggregate/v1"))
	require.NoError(t, err)
	var factor fr.Element
	factor.SetBigInt(eigenvalue())
	one := fr.One()
	factor.Add(&factor, &one).Inverse(&factor)
	s := in.statements(1)
	s[0].Ar = times(offset, factor)
	solve := func(without ...string) error {
		c := New(in.key, 1)
		c.without, c.decide = without, acceptAll{}
		return test.IsSolved(c, in.assign(s), ecc.BN254.ScalarField())
	}
	for range 60 {
		s[0].inputs[0].MustSetRandom() // another transcript
		// With two negative signs the points are opposite, and no chord exists.
		if solve() != nil && solve(differentChords) == nil {
			return
		}
	}
	require.Fail(t, "equal points are accepted, or did not come about")
}
