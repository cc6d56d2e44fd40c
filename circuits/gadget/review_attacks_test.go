package gadget

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/schnorr"
)

// times is k·p by double and add; ok is false where the sum is infinity.
func (p plane) times(k *big.Int) (sum plane, ok bool) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		if ok && sum.y.IsZero() {
			ok = false
		} else if ok {
			sum = sum.double()
		}
		if k.Bit(i) == 0 {
			continue
		}
		switch {
		case !ok:
			sum, ok = p, true
		case sum.x != p.x:
			sum = sum.chord(p)
		case sum.y == p.y:
			sum = sum.double()
		default:
			ok = false
		}
	}
	return sum, ok
}

// smallOrder returns a point of order 109 on some y² = x³ + b whose x is that of a key,
// such that doubleAdd of the point and itself, with slope 0 for 0/0 as the solver fills
// in, is a point of Grumpkin. A prover may choose any slope, and any x then has one.
func smallOrder(t *testing.T) plane {
	t.Helper()
	const order = 109
	// y² = x³ + 9, by a cofactor that leaves order 109.
	group, ok := new(big.Int).SetString(twistOrder, 10)
	require.True(t, ok)
	cofactor, rest := new(big.Int).QuoRem(group, big.NewInt(order), new(big.Int))
	require.Zero(t, rest.Sign())
	var q plane
	for x := uint64(1); ; x++ {
		q.x.SetUint64(x)
		var y2 fr.Element
		y2.Square(&q.x).Mul(&y2, &q.x)
		nine := fr.NewElement(9)
		if q.y.Sqrt(y2.Add(&y2, &nine)) == nil {
			continue
		}
		p, ok := q.times(cofactor)
		if !ok {
			continue
		}
		_, infinite := p.times(big.NewInt(order))
		require.False(t, infinite, "not of order %d", order)
		for k := int64(1); k < order; k++ {
			small, _ := p.times(big.NewInt(k))
			if scaled, ok := scaleToGrumpkin(small); ok && schnorr.OnCurve(scaled.x) {
				return scaled
			}
		}
		require.Fail(t, "no multiple will do")
	}
}

// twistOrder is the number of points of y² = x³ + 9.
const twistOrder = "21888242871839275222246405745257275088844257914179612981709665570917801014837"

// scaleToGrumpkin maps p by (x, y) ↦ (u²x, u³y), which takes y² = x³ + b to
// y² = x³ + u⁶b, such that flatStep(p) comes to lie on Grumpkin.
func scaleToGrumpkin(p plane) (plane, bool) {
	f := flatStep(p)
	var y2, x3, u6 fr.Element
	y2.Square(&f.y)
	x3.Square(&f.x).Mul(&x3, &f.x)
	u6.Sub(&y2, &x3).Inverse(&u6)
	minus17 := fr.NewElement(17)
	u6.Mul(&u6, minus17.Neg(&minus17))
	var u3, u fr.Element
	if u3.Sqrt(&u6) == nil {
		return p, false
	}
	for range 2 {
		if cubeRoot(&u, u3) {
			var u2 fr.Element
			u2.Square(&u)
			p.x.Mul(&p.x, &u2)
			p.y.Mul(&p.y, &u3)
			return p, true
		}
		u3.Neg(&u3)
	}
	return p, false
}

// cubeRoot sets u to a cube root of v, if there is one.
func cubeRoot(u *fr.Element, v fr.Element) bool {
	// r - 1 = 9·m with m prime to 3: v^((m+1)/3) or v^((2m+1)/3) is a root up to a 9th root of 1.
	m := new(big.Int).Sub(fr.Modulus(), big.NewInt(1))
	rank := 0
	for new(big.Int).Mod(m, big.NewInt(3)).Sign() == 0 {
		m.Div(m, big.NewInt(3))
		rank++
	}
	exponent := new(big.Int).ModInverse(big.NewInt(3), m)
	generator := fr.NewElement(5)
	generator.Exp(generator, m) // of the roots of 1 of order 3^rank
	u.Exp(v, exponent)
	for range pow3(rank) {
		var cube fr.Element
		cube.Square(u).Mul(&cube, u)
		if cube == v {
			return true
		}
		u.Mul(u, &generator)
	}
	return false
}

func pow3(n int) int {
	out := 1
	for range n {
		out *= 3
	}
	return out
}

// flatStep is doubleAdd(p, p) with slope 0 for the 0/0 of its first addition.
func flatStep(p plane) plane {
	middle := p.line(p, fr.Element{})
	return middle.chord(p)
}

// walk computes e·p as the circuit does, for p of a small order: ok says that the last
// step, and no other, meets two equal points, and flat is what it then gives.
func (p plane) walk(bits *big.Int) (flat plane, ok bool) {
	beta := schnorr.Beta()
	phi := p
	phi.x.Mul(&phi.x, &beta)
	acc := p.chord(phi).double()
	for i := schnorr.EndomorphismBits - 2; i >= 0; i -= 2 {
		step := p
		if bits.Bit(i+1) == 1 {
			step = phi
		}
		if bits.Bit(i) == 0 {
			step.y.Neg(&step.y)
		}
		if acc.x == step.x {
			return flatStep(step), i == 0 && acc.y == step.y
		}
		sum := acc.chord(step)
		if sum.x == acc.x {
			return acc, false
		}
		acc = sum.chord(acc)
	}
	return acc, false
}

// TestKeyOfSmallOrderIsRefused: a key's x with a y of another curve, on which the point
// has order 109. Then e·A meets ±A or ±φA on its way, an addition of equal points gives
// what the prover likes, and R can be made for it: a signature under any key, without
// knowing it. That the other points are on the curve does not help.
func TestKeyOfSmallOrderIsRefused(t *testing.T) {
	a := smallOrder(t)
	msg := newSigned(t, 6).msg
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	beta := schnorr.Beta()
	for try := 0; ; try++ {
		require.Less(t, try, 20_000, "no signature found")
		s := number(t, "small order", try)
		s.Mod(s, scalar.Modulus())
		var sg grumpkin.G1Affine
		sg.ScalarMultiplicationBase(s)
		// What the last step gives, if it adds ±A or ±φA to itself.
		flat := flatStep(a)
		if try&1 == 1 {
			flat.x.Mul(&flat.x, &beta)
		}
		if try&2 == 2 {
			flat.y.Neg(&flat.y)
		}
		minus := plane{fr.Element(sg.X), fr.Element(sg.Y)}
		minus.y.Neg(&minus.y)
		r := flat.chord(minus)
		r.y.Neg(&r.y) // s·G - flat
		h := schnorr.Challenge(r.x, a.x, msg)
		bits := h.BigInt(new(big.Int))
		if got, ok := a.walk(bits); !ok || got != flat {
			continue
		}
		equation := func(checkA bool) error {
			c := &equationCircuit{A: a.point(), R: r.point(), Windows: table.assign(s), checkA: checkA, checkR: true}
			for i := range c.Bits {
				c.Bits[i] = bits.Bit(i)
			}
			blank := &equationCircuit{Windows: NewSignatureWires(testWindow).Windows, checkA: checkA, checkR: true}
			return solveR1CS(t, compileR1CS(t, blank), c)
		}
		require.NoError(t, equation(false), "the forgery no longer works on the weak variant: this test shows nothing")
		require.Error(t, equation(true))
		forged := SignatureWires{PublicKey: a.x, PublicY: a.y, R: r.point(), Windows: table.assign(s)}
		message := SignedMessage{M: msg.M, Domain: msg.Domain, ToOwner: msg.ToOwner, ToL1: msg.ToL1}
		require.Error(t, solveR1CS(t, compileR1CS(t, newSignatureCircuit(testWindow, 1)), assignment(testWindow, forged, message)))
		t.Logf("found at try %d", try)
		return
	}
}

// TestNonceOffTheCurveIsRefused: with s·G = -e·A the chord through e·A and R may have
// any slope, so that R need not be on the curve. It takes the secret key.
func TestNonceOffTheCurveIsRefused(t *testing.T) {
	s := newSigned(t, 7)
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	for x := uint64(1); ; x++ {
		rx := fr.NewElement(x)
		if schnorr.OnCurve(rx) {
			continue
		}
		h := schnorr.Challenge(rx, s.pub, s.msg)
		e := schnorr.EndomorphismScalar(h)
		k := new(big.Int).Mul(e.BigInt(new(big.Int)), s.sk)
		k.Mod(k, scalar.Modulus())
		var point grumpkin.G1Affine
		point.ScalarMultiplicationBase(k)
		ea := plane{fr.Element(point.X), fr.Element(point.Y)}
		var slope, ry fr.Element
		slope.Double(&ea.x).Add(&slope, &rx) // its square: the sum's x is e·A's
		if slope.Sqrt(&slope) == nil {
			continue
		}
		ry.Sub(&rx, &ea.x).Mul(&ry, &slope).Add(&ry, &ea.y)
		r := Point{rx, ry}
		windows := table.assign(k.Sub(scalar.Modulus(), k))
		equation := func(checkR bool) error {
			bits := h.BigInt(new(big.Int))
			c := &equationCircuit{A: Point{s.pub, signedY(t, s.pub, 1)}, R: r, Windows: windows, checkA: true, checkR: checkR}
			for i := range c.Bits {
				c.Bits[i] = bits.Bit(i)
			}
			blank := &equationCircuit{Windows: NewSignatureWires(testWindow).Windows, checkA: true, checkR: checkR}
			return solveR1CS(t, compileR1CS(t, blank), c)
		}
		require.NoError(t, equation(false), "the equation does not hold off the curve: this test shows nothing")
		require.Error(t, equation(true))
		wires := SignatureWires{PublicKey: s.pub, PublicY: signedY(t, s.pub, 1), R: r, Windows: windows}
		require.Error(t, solveR1CS(t, compileR1CS(t, newSignatureCircuit(testWindow, 1)), assignment(testWindow, wires, s.message())))
		return
	}
}
