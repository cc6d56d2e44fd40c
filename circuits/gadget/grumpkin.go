package gadget

import (
	"math/big"

	"github.com/consensys/gnark/frontend"
)

// Point is an affine point of Grumpkin, y² = x³ - 17 over the circuit's own
// field. Infinity has no representation, and none of the additions below makes
// it: where the sum would be infinity they have no solution.
type Point struct{ X, Y frontend.Variable }

// curve is Grumpkin's affine arithmetic with incomplete additions. Whoever calls
// add or doubleAdd argues why its exceptional cases cannot occur
// (docs/adr/0002-signature.md): for equal points the slope is the prover's to
// choose.
type curve struct{ api frontend.API }

// assertOnCurve constrains p to the curve, in 4 constraints. It returns x²,
// which a doubling needs.
func (c curve) assertOnCurve(p Point) (xSquared frontend.Variable) {
	xSquared = c.api.Mul(p.X, p.X)
	c.api.AssertIsEqual(c.api.Mul(p.Y, p.Y), c.api.Sub(c.api.Mul(xSquared, p.X), 17))
	return xSquared
}

// add returns p + q in 3 constraints. p = -q has no solution; p = q leaves the
// slope free.
func (c curve) add(p, q Point) Point {
	slope := c.api.DivUnchecked(c.api.Sub(p.Y, q.Y), c.api.Sub(p.X, q.X))
	return c.chord(p, q, slope)
}

func (c curve) chord(p, q Point, slope frontend.Variable) Point {
	x := c.api.Sub(c.api.Mul(slope, slope), p.X, q.X)
	return Point{X: x, Y: c.api.Sub(c.api.Mul(slope, c.api.Sub(p.X, x)), p.Y)}
}

// double returns 2p in 3 constraints, given p.X². It is complete on the curve:
// the order is odd, so no point has y = 0.
func (c curve) double(p Point, xSquared frontend.Variable) Point {
	slope := c.api.DivUnchecked(c.api.Mul(xSquared, 3), c.api.Mul(p.Y, 2))
	return c.chord(p, p, slope)
}

// doubleAdd returns (p + q) + p in 5 constraints, by the two slopes alone: y of
// p + q is never computed (Halo, eprint 2019/1021, section 6.2). q = -p and
// 2p = -q have no solution; q = p leaves a slope free.
func (c curve) doubleAdd(p, q Point) Point {
	first := c.api.DivUnchecked(c.api.Sub(p.Y, q.Y), c.api.Sub(p.X, q.X))
	firstSquared := c.api.Mul(first, first)
	sum := c.api.Sub(firstSquared, p.X, q.X)
	second := c.api.Sub(c.api.DivUnchecked(c.api.Mul(p.Y, 2), c.api.Sub(p.X, sum)), first)
	// x = second² - p.X - sum, in which p.X cancels.
	x := c.api.Add(c.api.Sub(c.api.Mul(second, second), firstSquared), q.X)
	return Point{X: x, Y: c.api.Sub(c.api.Mul(second, c.api.Sub(p.X, x)), p.Y)}
}

// endomorphismMul returns e·p for the endomorphism scalar e of 128 boolean bits,
// low bit first, in 7 constraints a pair and 3. p is on the curve; xSquared is
// p.X². The bits are constrained by the caller.
func (c curve) endomorphismMul(p Point, xSquared frontend.Variable, bits []frontend.Variable, beta *big.Int) Point {
	// 2(p + φp) = -φ²(2p), as 1 + φ + φ² = 0.
	acc := c.double(p, xSquared)
	acc = Point{X: c.api.Mul(acc.X, new(big.Int).Mul(beta, beta)), Y: c.api.Neg(acc.Y)}
	betaLess1 := new(big.Int).Sub(beta, big.NewInt(1))
	for i := len(bits) - 2; i >= 0; i -= 2 {
		sign, phi := bits[i], bits[i+1]
		acc = c.doubleAdd(acc, Point{
			X: c.api.Add(p.X, c.api.Mul(phi, p.X, betaLess1)),
			Y: c.api.Mul(c.api.Sub(c.api.Mul(sign, 2), 1), p.Y),
		})
	}
	return acc
}
