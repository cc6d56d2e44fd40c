package aggregate

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/std/math/emulated"

	"github.com/zksettle/settle/circuits/rules"
)

type (
	baseField   = emulated.Field[sw_bn254.BaseField]
	baseElement = emulated.Element[sw_bn254.BaseField]
	pointG1     = sw_bn254.G1Affine
)

// curve is G1 of BN254 (y² = x³ + 3, prime order, no point with x = 0 or y = 0 but
// infinity) over the emulated base field, with incomplete additions that fail
// closed: equal points leave the slope of a chord free, so close
// constrains the two x-coordinates of every chord to differ. Opposite points have no
// chord. Every sum is then the true one (docs/adr/0009-aggregation.md). That an
// honest prover never meets an exceptional case is what offsets are for.
type curve struct {
	*rules.Rules
	api       frontend.API
	fp        *baseField
	product   frontend.Variable // zero if two x-coordinates are equal that must differ
	offsets   int
	thirdRoot *baseElement
}

// differentChords is the rule without which the slopes of equal points are free.
const differentChords = "curve: chords go through different points"

func newCurve(api frontend.API, stated *rules.Rules) (*curve, error) {
	field, err := emulated.NewField[sw_bn254.BaseField](api)
	if err != nil {
		return nil, fmt.Errorf("emulated base field: %w", err)
	}
	return &curve{Rules: stated, api: api, fp: field, thirdRoot: field.NewElement(thirdRootOne())}, nil
}

// thirdRootOne is the cube root of one β for which φ(x, y) = (βx, y) is
// multiplication by eigenvalue().
func thirdRootOne() *big.Int {
	return mustInt("2203960485148121921418603742825762020974279258880205651966")
}

// eigenvalue is λ with φ(P) = λP on G1.
func eigenvalue() *big.Int {
	return mustInt("4407920970296243842393367215006156084916469457145843978461")
}

func mustInt(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic("aggregate: not a number: " + s)
	}
	return v
}

// accumulator is a point whose y is a sum of products, y = Σ coefs·Π terms, which
// the next step consumes without reducing it.
type accumulator struct {
	x     *baseElement
	terms [][]*baseElement
	coefs []int
}

func accumulate(p *pointG1) accumulator {
	return accumulator{x: &p.X, terms: [][]*baseElement{{&p.Y}}, coefs: []int{1}}
}

// affine reduces y.
func (c *curve) affine(a accumulator) *pointG1 {
	return &pointG1{X: *a.x, Y: *c.fp.Eval(a.terms, a.coefs)}
}

// add returns a + q: slope·(q.x - a.x) = q.y - a.y, x = slope² - a.x - q.x, and
// y = slope·(q.x - x) - q.y.
func (c *curve) add(a accumulator, q *pointG1) accumulator {
	dx := c.fp.Sub(&q.X, a.x)
	slope := c.slope(chordHint, a, &q.X, &q.Y)
	terms := append([][]*baseElement{{slope, dx}, {&q.Y}}, a.terms...)
	c.fp.AssertEvalIsZero(terms, append([]int{1, -1}, a.coefs...))
	c.assertDifferent(a.x, &q.X)
	x := c.fp.Eval([][]*baseElement{{slope, slope}, {a.x}, {&q.X}}, []int{1, -1, -1})
	return accumulator{x: x, terms: [][]*baseElement{{slope, c.fp.Sub(&q.X, x)}, {&q.Y}}, coefs: []int{1, -1}}
}

// double returns 2a: slope·2y = 3x². No point of the curve has y = 0.
func (c *curve) double(a accumulator) accumulator {
	slope := c.slope(tangentHint, a)
	terms, coefs := [][]*baseElement{{a.x, a.x}}, []int{-3}
	for i, term := range a.terms {
		terms = append(terms, append([]*baseElement{slope}, term...))
		coefs = append(coefs, 2*a.coefs[i])
	}
	c.fp.AssertEvalIsZero(terms, coefs)
	x := c.fp.Eval([][]*baseElement{{slope, slope}, {a.x}}, []int{1, -2})
	// y' = slope·(a.x - x) - y
	out := accumulator{x: x, terms: [][]*baseElement{{slope, c.fp.Sub(a.x, x)}}, coefs: []int{1}}
	for i, term := range a.terms {
		out.terms, out.coefs = append(out.terms, term), append(out.coefs, -a.coefs[i])
	}
	return out
}

// slope asks a hint for the slope at a, whose y the hint computes from its terms.
func (c *curve) slope(hint solver.Hint, a accumulator, more ...*baseElement) *baseElement {
	inputs := append([]*baseElement{a.x}, more...)
	for _, term := range a.terms {
		inputs = append(inputs, term...)
	}
	out, err := c.fp.NewHint(hint, 1, inputs...)
	if err != nil {
		panic(err) // a wrong number of inputs, which is ours
	}
	return out[0]
}

// assertDifferent makes close constrain the x-coordinates u and v to differ modulo p.
// Both are reduced: integers below 2^254 < 2p. So u = v modulo p only if their
// difference d is 0 or ±p, and then d·(d² - p²) is 0 also modulo r; that it is 0 for
// other u and v has a probability below 2^-250, and costs completeness only.
func (c *curve) assertDifferent(u, v *baseElement) {
	if !c.On(differentChords) {
		return
	}
	d := c.api.Sub(c.native(u), c.native(v))
	p := new(big.Int).Mod(fp.Modulus(), c.api.Compiler().Field())
	factor := c.api.Mul(d, c.api.Sub(c.api.Mul(d, d), p.Mul(p, p)))
	if c.product == nil {
		c.product = factor
		return
	}
	c.product = c.api.Mul(c.product, factor)
}

// native is the value of a reduced element as an integer modulo r.
func (c *curve) native(e *baseElement) frontend.Variable {
	sum := frontend.Variable(0)
	for i, limb := range c.fp.Reduce(e).Limbs {
		sum = c.api.Add(sum, c.api.Mul(limb, new(big.Int).Lsh(big.NewInt(1), uint(64*i))))
	}
	return sum
}

// close constrains what assertDifferent was given.
func (c *curve) close() {
	if c.product != nil {
		c.Equal(differentChords, c.api.Mul(c.product, c.api.Inverse(c.product)), 1)
	}
}

// assertOnCurve constrains p to the curve; infinity, (0, 0), is not on it.
func (c *curve) assertOnCurve(p *pointG1) {
	c.fp.AssertEvalIsZero([][]*baseElement{{&p.Y, &p.Y}, {&p.X, &p.X, &p.X}, {c.fp.NewElement(3)}}, []int{1, -1, -1})
}

// constant returns a fixed point.
func (c *curve) constant(p bn254.G1Affine) *pointG1 {
	return &pointG1{X: *c.fp.NewElement(p.X.BigInt(new(big.Int))), Y: *c.fp.NewElement(p.Y.BigInt(new(big.Int)))}
}

// offset returns the next of a sequence of points that nobody knows a relation
// between (RFC 9380 on a published seed).
func (c *curve) offset() bn254.G1Affine {
	c.offsets++
	p, err := bn254.HashToG1(fmt.Appendf(nil, "offset %d", c.offsets), []byte("settle/aggregate/v1"))
	if err != nil {
		panic(err) // only for tags that are too long
	}
	return p
}

// scalar is a coefficient a + λb, where a and b are Σ ±2^k, one sign per bit, high
// bits last: odd, below 2^64 in absolute value. Different bits are different
// coefficients modulo r, and none is 0.
type scalar struct{ a, b []frontend.Variable }

// coefficientBits is the number of bits of a scalar, half of them for each part.
const coefficientBits = 128

func newScalar(bits []frontend.Variable) scalar {
	return scalar{bits[:len(bits)/2], bits[len(bits)/2:]}
}

// value is the scalar in the circuit's field, which has the order of the curve.
func (c *curve) value(s scalar) frontend.Variable {
	part := func(bits []frontend.Variable) frontend.Variable {
		sum := frontend.Variable(0)
		for k, bit := range bits {
			sum = c.api.Add(sum, c.api.Mul(bit, new(big.Int).Lsh(big.NewInt(1), uint(k+1))))
		}
		return c.api.Sub(sum, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(len(bits))), big.NewInt(1)))
	}
	return c.api.Add(part(s.a), c.api.Mul(part(s.b), eigenvalue()))
}

// signedPair holds P + φP and P - φP, up to sign the four digits of a step.
type signedPair struct{ plus, minus *pointG1 }

func (c *curve) pair(p *pointG1) signedPair {
	phi := pointG1{X: *c.fp.Mul(&p.X, c.thirdRoot), Y: p.Y}
	// P = φP only for x = 0, which no point of the curve has.
	negative := pointG1{X: phi.X, Y: *c.fp.Neg(&phi.Y)}
	return signedPair{c.affine(c.add(accumulate(p), &phi)), c.affine(c.add(accumulate(p), &negative))}
}

// digit selects a·P + b·φP for signs a, b = ±1 given as bits.
func (c *curve) digit(p signedPair, a, b frontend.Variable) *pointG1 {
	differ := c.api.Add(a, b, c.api.Mul(-2, a, b))
	y := c.fp.Select(differ, &p.minus.Y, &p.plus.Y)
	return &pointG1{
		X: *c.fp.Select(differ, &p.minus.X, &p.plus.X),
		Y: *c.fp.Select(a, y, c.fp.Neg(y)),
	}
}

// sum returns Σ scalars[i]·points[i] by Straus' method. The points are on the
// curve and the bits boolean. It starts at an offset, and takes it off at the end.
func (c *curve) sum(points []*pointG1, scalars []scalar) (*pointG1, error) {
	if len(points) != len(scalars) || len(points) == 0 {
		return nil, errors.New("aggregate: as many scalars as points")
	}
	pairs := make([]signedPair, len(points))
	for i, p := range points {
		pairs[i] = c.pair(p)
	}
	start := c.offset()
	acc := accumulate(c.constant(start))
	steps := len(scalars[0].a)
	for k := steps - 1; k >= 0; k-- {
		if k < steps-1 {
			acc = c.double(acc)
		}
		for i := range pairs {
			acc = c.add(acc, c.digit(pairs[i], scalars[i].a[k], scalars[i].b[k]))
		}
	}
	var end bn254.G1Affine
	end.ScalarMultiplication(&start, new(big.Int).Lsh(big.NewInt(1), uint(steps-1)))
	end.Neg(&end)
	return c.affine(c.add(acc, c.constant(end))), nil
}

// yOf rebuilds an accumulator's y from its terms: {y}, {s, d} {y} with signs + -,
// or {s, d} {s', d'} {y} with signs + - +, or {s, d} {y} with signs + - as a tangent
// of an affine point.
func yOf(p *big.Int, in []*big.Int) (*big.Int, error) {
	y := new(big.Int)
	switch len(in) {
	case 1:
		return y.Mod(in[0], p), nil
	case 3:
		y.Mul(in[0], in[1])
		y.Sub(y, in[2])
	case 5:
		y.Mul(in[0], in[1])
		y.Sub(y, new(big.Int).Mul(in[2], in[3]))
		y.Add(y, in[4])
	default:
		return nil, fmt.Errorf("an accumulator of %d terms", len(in))
	}
	return y.Mod(y, p), nil
}

// chordHint gives the slope through an accumulator and a point: x, x', y', terms.
func chordHint(_ *big.Int, inputs, outputs []*big.Int) error {
	return emulated.UnwrapHint(inputs, outputs, func(p *big.Int, in, out []*big.Int) error {
		if len(in) < 4 {
			return fmt.Errorf("a chord of %d inputs", len(in))
		}
		y, err := yOf(p, in[3:])
		if err != nil {
			return err
		}
		ratio(p, new(big.Int).Sub(in[2], y), new(big.Int).Sub(in[1], in[0]), out[0])
		return nil
	})
}

// tangentHint gives the slope of the tangent at an accumulator: x, terms.
func tangentHint(_ *big.Int, inputs, outputs []*big.Int) error {
	return emulated.UnwrapHint(inputs, outputs, func(p *big.Int, in, out []*big.Int) error {
		if len(in) < 2 {
			return fmt.Errorf("a tangent of %d inputs", len(in))
		}
		y, err := yOf(p, in[1:])
		if err != nil {
			return err
		}
		x := new(big.Int).Mul(in[0], in[0])
		ratio(p, x.Mul(x, big.NewInt(3)), y.Lsh(y, 1), out[0])
		return nil
	})
}

// ratio sets out to n/d modulo p, or 0 where d is.
func ratio(p, n, d, out *big.Int) {
	d.Mod(d, p)
	if d.Sign() == 0 {
		out.SetInt64(0)
		return
	}
	out.Mul(n, d.ModInverse(d, p)).Mod(out, p)
}

// Hints lists the hints of this package, for registration with the solver.
func Hints() []solver.Hint { return []solver.Hint{chordHint, tangentHint} }
