package aggregate

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/rules"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// stepCircuit runs one step of Circuit.Define alone.
type stepCircuit struct {
	Circuit
	step string
}

func (c *stepCircuit) Define(api frontend.API) error {
	d, err := newDefinition(api, &c.Circuit)
	if err != nil {
		return err
	}
	if c.step == "opening" {
		return d.opening()
	}
	return d.points()
}

func runStep(in *inner, step string, assignment *Circuit, without ...string) error {
	c := &stepCircuit{Circuit: *New(in.key, len(assignment.Slots)), step: step}
	c.without = without
	return test.IsSolved(c, &stepCircuit{Circuit: *assignment}, ecc.BN254.ScalarField())
}

// open assigns flags and inputs and the (C, Z, V) that the circuit would compute from
// them with any flags, so that only the broken rule is in the way.
func open(t *testing.T, in *inner, flags ...int64) *Circuit {
	c := in.assign(in.statements(1))
	slot := c.Slots[0]
	c.Slots = nil
	words, used := []fr.Element{}, int64(0)
	for i, flag := range flags {
		slot.Active = flag
		var active fr.Element
		active.SetInt64(flag)
		used += flag
		for k := range slot.Inputs {
			var e fr.Element
			e.SetUint64(uint64(100*i + k + 1))
			slot.Inputs[k] = e
			words = append(words, *e.Mul(&e, &active))
		}
		c.Slots = append(c.Slots, slot)
	}
	require.GreaterOrEqual(t, used, int64(0))
	digest := poseidon.New().SpongeOf(publicdata.AggregateTag, uint32(used), words)
	z := publicdata.Challenge(digest, words)
	c.C, c.Z, c.V = digest, z, publicdata.Evaluate(words, z)
	return c
}

func TestOpeningRules(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	require.NoError(t, runStep(in, "opening", open(t, in, 1, 1, 0)))
	for _, attack := range []struct {
		rule  string
		flags []int64
	}{
		{"opening: active is boolean", []int64{1, 2, 0}},
		{"opening: slot 0 is used", []int64{0, 0, 0}},
		{"opening: active slots are a prefix", []int64{1, 0, 1}},
	} {
		c := open(t, in, attack.flags...)
		require.Error(t, runStep(in, "opening", c), attack.rule)
		require.NoError(t, runStep(in, "opening", c, attack.rule), attack.rule)
	}
	for rule, change := range map[string]func(*Circuit){
		"opening: C is the digest of W": func(c *Circuit) { c.C = 7 },
		"opening: V is W at Z":          func(c *Circuit) { c.V = 7 },
	} {
		c := open(t, in, 1, 1, 0)
		change(c)
		require.Error(t, runStep(in, "opening", c), rule)
		require.NoError(t, runStep(in, "opening", c, rule), rule)
	}
	// An unused slot that claims a batch, or a used one that hides it, has another C.
	claimed, hidden := open(t, in, 1, 1, 0), open(t, in, 1, 1, 0)
	claimed.Slots[2].Active, hidden.Slots[1].Active = 1, 0
	require.Error(t, runStep(in, "opening", claimed))
	require.Error(t, runStep(in, "opening", hidden))
	reordered := open(t, in, 1, 1, 0)
	reordered.Slots[0], reordered.Slots[1] = reordered.Slots[1], reordered.Slots[0]
	require.Error(t, runStep(in, "opening", reordered))
}

// The number of used slots is in C: two zero words more are another C.
func TestCountIsInC(t *testing.T) {
	h := poseidon.New()
	zero := [3]fr.Element{}
	one, err := publicdata.AggregateCommitment(h, 3, [][3]fr.Element{zero})
	require.NoError(t, err)
	two, err := publicdata.AggregateCommitment(h, 3, [][3]fr.Element{zero, zero})
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	_, err = publicdata.AggregateCommitment(h, 3, make([][3]fr.Element, 4))
	require.ErrorIs(t, err, publicdata.ErrCapacity)
	_, err = publicdata.AggregateCommitment(h, 3, nil)
	require.ErrorIs(t, err, publicdata.ErrCapacity)
}

func TestPointRules(t *testing.T) {
	t.Parallel()
	in := newInner(t)
	honest := in.statements(1)
	require.NoError(t, runStep(in, "points", in.assign(honest)))
	for name, wire := range map[string]func(*Proof) *pointG1{
		"A":   func(p *Proof) *pointG1 { return &p.A },
		"C":   func(p *Proof) *pointG1 { return &p.C },
		"D":   func(p *Proof) *pointG1 { return &p.Commitment },
		"PoK": func(p *Proof) *pointG1 { return &p.Knowledge },
	} {
		off := bn254.G1Affine{}
		off.X.SetUint64(5)
		off.Y.SetUint64(7)
		for _, bad := range []bn254.G1Affine{{}, off} {
			c := in.assign(honest)
			*wire(&c.Slots[0].Proof) = sw_bn254.NewG1Affine(bad)
			require.Error(t, runStep(in, "points", c), name)
			require.NoError(t, runStep(in, "points", c, "points: "+name+" is on the curve"), name)
		}
	}
	c := in.assign(honest)
	c.Slots[0].Proof.B = sw_bn254.NewG2Affine(bn254.G2Affine{})
	require.Error(t, runStep(in, "points", c))
	require.NoError(t, runStep(in, "points", c, "points: B is not at infinity"))
}

// loopCircuit is gnark's Miller loop for one variable point of the twist.
type loopCircuit struct {
	P pointG1
	Q sw_bn254.G2Affine
}

func (c *loopCircuit) Define(api frontend.API) error {
	pairing, err := sw_bn254.NewPairing(api)
	if err != nil {
		return err
	}
	_, err = pairing.MillerLoop([]*pointG1{&c.P}, []*sw_bn254.G2Affine{&c.Q})
	return err
}

// A point of the twist outside the subgroup, of a small order or with a part of one,
// and a point off the twist, are refused by the Miller loop's own check.
func TestBOutsideSubgroup(t *testing.T) {
	t.Parallel()
	_, _, g1, g2 := bn254.Generators()
	solve := func(q bn254.G2Affine) error {
		return test.IsSolved(new(loopCircuit), &loopCircuit{sw_bn254.NewG1Affine(g1), sw_bn254.NewG2Affine(q)}, ecc.BN254.ScalarField())
	}
	for _, order := range cofactorPrimes() {
		require.Error(t, solve(twistPoint(t, order)), "a point of order %s", order)
	}
	low := twistPoint(t, cofactorPrimes()[0])
	var mixed bn254.G2Affine
	mixed.Add(&g2, &low)
	require.True(t, mixed.IsOnCurve())
	require.Error(t, solve(mixed), "the generator and a point of order 10069")
	off := g2
	off.X.A0.SetUint64(1)
	require.Error(t, solve(off))
}

// sumCircuit computes Σ scalars·points + Σ fixed and shows the result to a test.
type sumCircuit struct {
	Points  []pointG1
	Bits    [][]frontend.Variable
	Fixed   []frontend.Variable
	fixed   []bn254.G1Affine
	without []string
	out     *bn254.G1Affine
}

func (s *sumCircuit) Define(api frontend.API) error {
	c, err := newCurve(api, rules.New(api).Without(s.without...))
	if err != nil {
		return err
	}
	var points []*pointG1
	var scalars []scalar
	for i := range s.Points {
		c.assertOnCurve(&s.Points[i])
		for _, b := range s.Bits[i] {
			api.AssertIsBoolean(b)
		}
		points, scalars = append(points, &s.Points[i]), append(scalars, newScalar(s.Bits[i]))
	}
	sum, err := c.sum(points, scalars)
	if err != nil {
		return err
	}
	if len(s.fixed) > 0 {
		sum = c.fixedSum(sum, s.fixed, s.Fixed)
	}
	c.close()
	if s.out != nil {
		s.out.X, s.out.Y = concrete(&sum.X), concrete(&sum.Y)
	}
	return nil
}

// sumOf returns what the circuit computes for the points with coefficients of hash h.
func sumOf(points []bn254.G1Affine, h []*big.Int, fixed []bn254.G1Affine, k []fr.Element, without ...string) (bn254.G1Affine, error) {
	var out bn254.G1Affine
	c := &sumCircuit{Points: make([]pointG1, len(points)), Fixed: make([]frontend.Variable, len(k)), fixed: fixed, without: without, out: &out}
	w := &sumCircuit{}
	for i := range points {
		w.Points = append(w.Points, sw_bn254.NewG1Affine(points[i]))
		bits := make([]frontend.Variable, coefficientBits)
		for b := range bits {
			bits[b] = h[i].Bit(b)
		}
		w.Bits, c.Bits = append(w.Bits, bits), append(c.Bits, make([]frontend.Variable, coefficientBits))
	}
	for i := range k {
		w.Fixed = append(w.Fixed, k[i])
	}
	err := test.IsSolved(c, w, ecc.BN254.ScalarField())
	return out, err
}

// Sums agree with gnark-crypto for random points and scalars and for repeated points.
func TestSums(t *testing.T) {
	t.Parallel()
	p, q := point("p"), point("q")
	var k [2]fr.Element
	k[0].MustSetRandom()
	k[1].SetZero()
	for name, points := range map[string][]bn254.G1Affine{"one": {p}, "two": {p, q}, "equal": {p, p}} {
		var h []*big.Int
		var want bn254.G1Affine
		for range points {
			var e fr.Element
			e.MustSetRandom()
			h = append(h, e.BigInt(new(big.Int)))
		}
		for i := range points {
			want = plus(want, times(points[i], scalarOf(h[i])))
		}
		fixed := []bn254.G1Affine{point("k0"), point("k1")}
		for i := range fixed {
			want = plus(want, times(fixed[i], k[i]))
		}
		got, err := sumOf(points, h, fixed, k[:])
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

// Rule differentChords: a point that is chosen so that the first chord goes through two equal points,
// offset = P + φP, leaves its slope to the prover: the sum is wrong, and accepted
// without the rule that chords go through different points.
func TestForgeryByEqualPoints(t *testing.T) {
	t.Parallel()
	offset, err := bn254.HashToG1(fmt.Appendf(nil, "offset %d", 1), []byte("settle/aggregate/v1"))
	require.NoError(t, err)
	var factor fr.Element
	factor.SetBigInt(eigenvalue())
	one := fr.One()
	factor.Add(&factor, &one).Inverse(&factor)
	p := times(offset, factor)
	h := new(big.Int).Lsh(big.NewInt(1), coefficientBits)
	h.Sub(h, big.NewInt(1)) // all signs positive: the first digit is P + φP
	want := times(p, scalarOf(h))
	got, err := sumOf([]bn254.G1Affine{p}, []*big.Int{h}, nil, nil, differentChords)
	require.NoError(t, err)
	require.NotEqual(t, want, got)
	_, err = sumOf([]bn254.G1Affine{p}, []*big.Int{h}, nil, nil)
	require.Error(t, err)
}

// differCircuit shows assertDifferent two representations of coordinates.
type differCircuit struct{ U, V baseElement }

func (c *differCircuit) Define(api frontend.API) error {
	cv, err := newCurve(api, rules.New(api))
	if err != nil {
		return err
	}
	cv.fp.Mul(&c.U, &c.V) // checks the widths of both
	cv.assertDifferent(&c.U, &c.V)
	cv.close()
	return nil
}

func TestAssertDifferent(t *testing.T) {
	t.Parallel()
	p := fp.Modulus()
	solve := func(u, v *big.Int) error {
		return test.IsSolved(new(differCircuit), &differCircuit{limbs(u), limbs(v)}, ecc.BN254.ScalarField())
	}
	small := big.NewInt(12345)
	require.NoError(t, solve(small, big.NewInt(12346)))
	require.Error(t, solve(small, small))
	require.Error(t, solve(new(big.Int).Add(small, p), small), "u = v + p")
	require.Error(t, solve(small, new(big.Int).Add(small, p)), "v = u + p")
	require.NoError(t, solve(new(big.Int).Add(small, p), big.NewInt(12346)))
}

// limbs is an element of any integer below 2^256.
func limbs(v *big.Int) baseElement {
	var out baseElement
	mask := new(big.Int).SetUint64(1<<64 - 1)
	for i := range 4 {
		limb := new(big.Int).Rsh(v, uint(64*i))
		out.Limbs = append(out.Limbs, limb.And(limb, mask))
	}
	return out
}

// Different signs are different coefficients: the shortest non-zero vector of the
// lattice of (a, b) with a + λb = 0 modulo r is longer than any difference of two.
func TestCoefficientsAreDistinct(t *testing.T) {
	r := fr.Modulus()
	// Gauss' reduction of (r, 0), (-λ, 1).
	u, v := [2]*big.Int{r, big.NewInt(0)}, [2]*big.Int{new(big.Int).Neg(eigenvalue()), big.NewInt(1)}
	dot := func(a, b [2]*big.Int) *big.Int {
		x := new(big.Int).Mul(a[0], b[0])
		return x.Add(x, new(big.Int).Mul(a[1], b[1]))
	}
	for {
		if dot(u, u).Cmp(dot(v, v)) > 0 {
			u, v = v, u
		}
		m := new(big.Int).Lsh(dot(u, v), 1)
		m.Add(m, dot(u, u)).Div(m, new(big.Int).Lsh(dot(u, u), 1)) // rounded
		if m.Sign() == 0 {
			break
		}
		for i := range v {
			v[i] = new(big.Int).Sub(v[i], new(big.Int).Mul(m, u[i]))
		}
	}
	// Two parts differ by less than 2^65 each.
	require.Positive(t, dot(u, u).Cmp(new(big.Int).Lsh(big.NewInt(1), 131)))
	square := new(big.Int).Mul(eigenvalue(), eigenvalue())
	square.Add(square, eigenvalue()).Add(square, big.NewInt(1)).Mod(square, r)
	require.Zero(t, square.Sign(), "λ is a cube root of one")
	p := point("p")
	var phi bn254.G1Affine
	phi.Y = p.Y
	var beta fp.Element
	beta.SetBigInt(thirdRootOne())
	phi.X.Mul(&p.X, &beta)
	var lambda fr.Element
	lambda.SetBigInt(eigenvalue())
	require.Equal(t, times(p, lambda), phi)
}
