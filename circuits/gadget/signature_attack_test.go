package gadget

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/schnorr"
)

// withVerifier runs a step of a verifier, weakened by weaken if not nil.
func withVerifier(api frontend.API, windowBits int, weaken func(*SignatureVerifier), step func(*SignatureVerifier) error) error {
	b := bus.New(api)
	poseidon, err := NewPoseidon(api)
	if err != nil {
		return err
	}
	v, err := NewSignatureVerifier(api, b, poseidon, windowBits)
	if err != nil {
		return err
	}
	if weaken != nil {
		weaken(v)
	}
	if err := step(v); err != nil {
		return err
	}
	if err := v.Close(); err != nil {
		return err
	}
	return b.Close()
}

// Every wire of the witness changed alone is refused. The values that are free
// are those that the next test lists, each as a whole.
func TestEveryMutatedWireIsRefused(t *testing.T) {
	s := newSigned(t, 1)
	ccs := compileR1CS(t, newSignatureCircuit(testWindow, 1))
	fresh := func() *signatureCircuit { return assignment(testWindow, s.honest(t, testWindow), s.message()) }
	require.NoError(t, solveR1CS(t, ccs, fresh()))
	mutate := func(name string, pick func(*signatureCircuit) *frontend.Variable) {
		for how, change := range map[string]func(x *fr.Element){
			"plus one": func(x *fr.Element) { one := fr.One(); x.Add(x, &one) },
			"negated":  func(x *fr.Element) { x.Neg(x) },
			"zero":     func(x *fr.Element) { x.SetZero() },
		} {
			c := fresh()
			wire := pick(c)
			x := (*wire).(fr.Element)
			change(&x)
			*wire = x
			require.Error(t, solveR1CS(t, ccs, c), "%s %s", name, how)
		}
	}
	mutate("A.x", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].PublicKey })
	mutate("A.y", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].PublicY })
	mutate("R.x", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].R.X })
	mutate("R.y", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].R.Y })
	for i := range s.honest(t, testWindow).Windows {
		mutate("window x", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].Windows[i].X })
		mutate("window y", func(c *signatureCircuit) *frontend.Variable { return &c.Signatures[0].Windows[i].Y })
	}
	mutate("m", func(c *signatureCircuit) *frontend.Variable { return &c.Messages[0].M })
	mutate("domain", func(c *signatureCircuit) *frontend.Variable { return &c.Messages[0].Domain })
	mutate("toOwner", func(c *signatureCircuit) *frontend.Variable { return &c.Messages[0].ToOwner })
	mutate("toL1", func(c *signatureCircuit) *frontend.Variable { return &c.Messages[0].ToL1 })
}

// What the circuit accepts beyond native verification (docs/adr/0002-signature.md):
// either sign of A and of R, and s + q. Each needs the secret key all the same.
func TestAcceptedReadings(t *testing.T) {
	ccs := compileR1CS(t, newSignatureCircuit(testWindow, 1))
	s := newSigned(t, 2)
	h := s.h()
	element := schnorr.EndomorphismScalar(h)
	e := element.BigInt(new(big.Int))
	for _, signs := range [][2]int64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
		w := s.wires(t, testWindow, e, signs[0], signs[1])
		require.NoError(t, solveR1CS(t, ccs, assignment(testWindow, w, s.message())), "signs %v", signs)
		// The same s under any other signs is refused.
		for _, other := range [][2]int64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
			if other == signs {
				continue
			}
			bad := s.wires(t, testWindow, e, other[0], other[1])
			bad.Windows = w.Windows
			require.Error(t, solveR1CS(t, ccs, assignment(testWindow, bad, s.message())), "s of %v under %v", signs, other)
		}
	}

	table, err := tableOf(testWindow)
	require.NoError(t, err)
	room := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), scalarBits), scalar.Modulus())
	for seed := 3; ; seed++ {
		s := newSigned(t, seed)
		element := schnorr.EndomorphismScalar(s.h())
		value := new(big.Int).Mul(element.BigInt(new(big.Int)), s.sk)
		value.Add(value, s.k).Mod(value, scalar.Modulus())
		if value.Cmp(room) >= 0 {
			continue // s + q has no 254-bit form
		}
		w := s.honest(t, testWindow)
		w.Windows = table.assign(value.Add(value, scalar.Modulus()))
		require.NoError(t, solveR1CS(t, ccs, assignment(testWindow, w, s.message())))
		return
	}
}

// secondReading returns a signature whose h has a second reading h + r when hi is
// held to 126 bits alone, made with the e of that reading, and that reading's bits.
func secondReading(t *testing.T) (signed, SignatureWires, *big.Int) {
	t.Helper()
	for seed := 100; ; seed++ {
		s := newSigned(t, seed)
		h := s.h()
		reading := new(big.Int).Add(h.BigInt(new(big.Int)), fr.Modulus())
		if reading.BitLen() > 254 {
			continue
		}
		low := new(big.Int).And(reading, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
		var element fr.Element
		element.SetBigInt(low)
		e := schnorr.EndomorphismScalar(element)
		return s, s.wires(t, testWindow, e.BigInt(new(big.Int)), 1, 1), reading
	}
}

// firstOfTwo keeps every other range check: the bound on hi, not on r>>128 - hi.
type firstOfTwo struct {
	frontend.Rangechecker
	seen int
}

func (r *firstOfTwo) Check(v frontend.Variable, bits int) {
	if r.seen++; r.seen%2 == 1 {
		r.Rangechecker.Check(v, bits)
	}
}

type weakCircuit struct {
	Signature SignatureWires
	Message   SignedMessage
	weaken    *weakening
}

type weakening struct{ apply func(*SignatureVerifier) }

func (c *weakCircuit) Define(api frontend.API) error {
	return withVerifier(api, testWindow, c.weaken.apply, func(v *SignatureVerifier) error {
		return v.Verify(c.Signature, c.Message)
	})
}

func TestSecondReadingOfHIsRefused(t *testing.T) {
	s, wires, reading := secondReading(t)
	hostile := override{lowBitsHint, func(_ *big.Int, _, out []*big.Int) error {
		for i := range out {
			out[i].SetUint64(uint64(reading.Bit(i)))
		}
		return nil
	}}
	weak := compileR1CS(t, &weakCircuit{
		Signature: NewSignatureWires(testWindow),
		weaken: &weakening{func(v *SignatureVerifier) {
			v.ranges = &firstOfTwo{Rangechecker: v.ranges}
		}},
	})
	require.NoError(t, solveR1CS(t, weak, &weakCircuit{Signature: wires, Message: s.message()}, hostile),
		"the attack no longer works on the weak variant: this test shows nothing")
	ccs := compileR1CS(t, newSignatureCircuit(testWindow, 1))
	require.Error(t, solveR1CS(t, ccs, assignment(testWindow, wires, s.message()), hostile))
	require.Error(t, solveR1CS(t, ccs, assignment(testWindow, wires, s.message())))
}

// Other low bits, with a signature made for the e that they give.
func TestHostileLowBitsAreRefused(t *testing.T) {
	ccs := compileR1CS(t, newSignatureCircuit(testWindow, 1))
	s := newSigned(t, 4)
	h := s.h()
	two := big.NewInt(2)
	for name, bend := range map[string]func(bits []*big.Int){
		"zero":       func(b []*big.Int) { clearAll(b) },
		"flip low":   func(b []*big.Int) { b[0].Sub(big.NewInt(1), b[0]) },
		"flip high":  func(b []*big.Int) { b[127].Sub(big.NewInt(1), b[127]) },
		"carry":      func(b []*big.Int) { b[0].Add(b[0], two); b[1].Sub(b[1], big.NewInt(1)) },
		"two bits":   func(b []*big.Int) { b[3].Add(b[3], two); b[4].Sub(b[4], big.NewInt(1)) },
		"all in one": func(b []*big.Int) { v := h.BigInt(new(big.Int)); clearAll(b); b[0].Set(v) },
	} {
		bits := make([]*big.Int, schnorr.EndomorphismBits)
		for i := range bits {
			bits[i] = new(big.Int).SetUint64(uint64(h.BigInt(new(big.Int)).Bit(i)))
		}
		bend(bits)
		low, boolean := new(big.Int), true
		for i, b := range bits {
			low.Add(low, new(big.Int).Lsh(b, uint(i)))
			boolean = boolean && b.BitLen() <= 1 && b.Sign() >= 0
		}
		var element fr.Element
		element.SetBigInt(low)
		e := schnorr.EndomorphismScalar(element)
		wires := s.wires(t, testWindow, e.BigInt(new(big.Int)), 1, 1)
		err := solveR1CS(t, ccs, assignment(testWindow, wires, s.message()), override{lowBitsHint, func(_ *big.Int, _, out []*big.Int) error {
			for i := range out {
				out[i].Mod(bits[i], fr.Modulus())
			}
			return nil
		}})
		require.Error(t, err, "%s (boolean: %v)", name, boolean)
	}
}

func clearAll(b []*big.Int) {
	for _, x := range b {
		x.SetInt64(0)
	}
}

// equationCircuit is Verify behind the hash: e's bits are given. With curve
// checks off, points off the curve satisfy it.
type equationCircuit struct {
	A, R    Point
	Bits    [schnorr.EndomorphismBits]frontend.Variable
	Windows []Point

	checkA, checkR bool
}

func (c *equationCircuit) Define(api frontend.API) error {
	return withVerifier(api, testWindow, nil, func(v *SignatureVerifier) error {
		xSquared := api.Mul(c.A.X, c.A.X)
		if c.checkA {
			v.assertOnCurve(c.A)
		}
		if c.checkR {
			v.assertOnCurve(c.R)
		}
		if err := v.base.lookup(c.Windows); err != nil {
			return err
		}
		v.equation(v.base.sum(c.Windows), c.R, v.endomorphismMul(c.A, xSquared, c.Bits[:], v.beta))
		return nil
	})
}

func TestOffCurvePointsAreRefused(t *testing.T) {
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	blank := func(checkA, checkR bool) *equationCircuit {
		return &equationCircuit{Windows: NewSignatureWires(testWindow).Windows, checkA: checkA, checkR: checkR}
	}
	// A is on another curve y² = x³ + b, where the same formulas add; R is the
	// third point of the line through e·A and -s·G.
	a := plane{fr.NewElement(5), fr.NewElement(6)}
	bits := number(t, "off curve", 0)
	var sg grumpkin.G1Affine
	s := big.NewInt(123456789)
	sg.ScalarMultiplicationBase(s)
	ea := a.endomorphism(bits)
	minus := plane{fr.Element(sg.X), fr.Element(sg.Y)}
	minus.y.Neg(&minus.y)
	r := ea.chord(minus)
	r.y.Neg(&r.y)
	c := blank(false, false)
	c.A, c.R, c.Windows = a.point(), r.point(), table.assign(s)
	for i := range c.Bits {
		c.Bits[i] = bits.Bit(i)
	}
	require.NoError(t, solveR1CS(t, compileR1CS(t, blank(false, false)), c), "the equation does not hold off the curve: this test shows nothing")
	require.Error(t, solveR1CS(t, compileR1CS(t, blank(true, false)), c))
	require.Error(t, solveR1CS(t, compileR1CS(t, blank(false, true)), c))
}

// plane is the affine formulas over any curve y² = x³ + b.
type plane struct{ x, y fr.Element }

func (p plane) point() Point { return Point{p.x, p.y} }

func (p plane) line(q plane, slope fr.Element) plane {
	var out plane
	out.x.Square(&slope).Sub(&out.x, &p.x).Sub(&out.x, &q.x)
	out.y.Sub(&p.x, &out.x).Mul(&out.y, &slope).Sub(&out.y, &p.y)
	return out
}

func (p plane) chord(q plane) plane {
	var dx, slope fr.Element
	dx.Sub(&p.x, &q.x)
	slope.Sub(&p.y, &q.y).Div(&slope, &dx)
	return p.line(q, slope)
}

func (p plane) double() plane {
	var three, slope, y2 fr.Element
	three.SetUint64(3)
	y2.Double(&p.y)
	slope.Square(&p.x).Mul(&slope, &three).Div(&slope, &y2)
	return p.line(p, slope)
}

func (p plane) endomorphism(bits *big.Int) plane {
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
		acc = acc.chord(step).chord(acc)
	}
	return acc
}

// Inside endomorphismMul, acc = [a + λb]P meets ±P, ±φP or -(2acc + S) only if
// some (a', b') ≠ 0 with |a'|, |b'| < 2^68 has a' + λb' = 0 modulo q. Then q
// divides the norm a'² - a'b' + b'² > 0, which is below q.
func TestEndomorphismNeverMeetsItself(t *testing.T) {
	q, lambda := scalar.Modulus(), schnorr.Lambda()
	cube := new(big.Int).Mul(lambda, lambda)
	cube.Add(cube, lambda).Add(cube, big.NewInt(1)).Mod(cube, q)
	require.Zero(t, cube.Sign(), "1 + λ + λ² = 0 gives the norm its form")
	bound := new(big.Int).Lsh(big.NewInt(3), 2*68)
	require.Negative(t, bound.Cmp(q))
	// The parts reach 2^66 at most, so 2·part ± 1 stays below 2^68.
	part := big.NewInt(2)
	for range schnorr.EndomorphismSteps {
		part.Lsh(part, 1).Add(part, big.NewInt(1))
	}
	require.LessOrEqual(t, part.BitLen(), 66)
}
