package gadget

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
)

// slopeCircuit is an addition whose quotient is an input, as it is for a prover, where
// the solver would fill in 0 for 0/0.
type slopeCircuit struct {
	P, Q, Sum     Point
	Slope, Second frontend.Variable

	step string
}

func (c *slopeCircuit) Define(api frontend.API) error {
	x := curve{api}
	x.assertOnCurve(c.P)
	x.assertOnCurve(c.Q)
	p, q := c.P, c.Q
	var sum Point
	switch c.step {
	case "add":
		api.AssertIsEqual(api.Mul(c.Slope, api.Sub(p.X, q.X)), api.Sub(p.Y, q.Y))
		sum = x.chord(p, q, c.Slope)
	case "double":
		api.AssertIsEqual(api.Mul(c.Slope, api.Mul(p.Y, 2)), api.Mul(p.X, p.X, 3))
		sum = x.chord(p, p, c.Slope)
	default: // doubleAdd, p + q + p
		api.AssertIsEqual(api.Mul(c.Slope, api.Sub(p.X, q.X)), api.Sub(p.Y, q.Y))
		middle := api.Sub(api.Mul(c.Slope, c.Slope), p.X, q.X)
		api.AssertIsEqual(api.Mul(api.Add(c.Second, c.Slope), api.Sub(p.X, middle)), api.Mul(p.Y, 2))
		sum.X = api.Sub(api.Mul(c.Second, c.Second), middle, p.X)
		sum.Y = api.Sub(api.Mul(c.Second, api.Sub(p.X, sum.X)), p.Y)
	}
	api.AssertIsEqual(sum.X, c.Sum.X)
	api.AssertIsEqual(sum.Y, c.Sum.Y)
	return nil
}

// TestFreeSlopes computes with quotients of the prover's choice. For different points,
// and for a doubling, another slope than the true one is refused; for equal points any
// slope is accepted and gives a "sum" of the prover's choice, which is why the ADR
// argues for each addition that its points differ (TestEndomorphismNeverMeetsItself,
// TestZeroScalarHasNoSolution, TestRowOfAnotherWindowIsRefused); opposite points have
// no slope at all.
func TestFreeSlopes(t *testing.T) {
	_, g := evenMultiple(number(t, "p", 1))
	_, h := evenMultiple(number(t, "q", 2))
	p, q := plane{fr.Element(g.X), fr.Element(g.Y)}, plane{fr.Element(h.X), fr.Element(h.Y)}
	opposite := p
	opposite.y.Neg(&opposite.y)
	var dx, chord, two fr.Element
	dx.Sub(&p.x, &q.x)
	chord.Sub(&p.y, &q.y).Div(&chord, &dx)
	var tangent, divisor fr.Element
	two.SetUint64(2)
	divisor.Mul(&p.y, &two)
	tangent.Square(&p.x)
	three := fr.NewElement(3)
	tangent.Mul(&tangent, &three).Div(&tangent, &divisor)
	second := func(a, b plane, slope fr.Element) (fr.Element, plane) {
		middle := a.line(b, slope)
		var s, d fr.Element
		d.Sub(&a.x, &middle.x)
		s.Double(&a.y).Div(&s, &d).Sub(&s, &slope)
		// x = s² - a.x - middle.x, y = s·(a.x - x) - a.y
		return s, a.line(middle, s)
	}
	wrong := fr.NewElement(12345)
	solve := func(step string, p, q plane, slope, s fr.Element, sum plane) error {
		return test.IsSolved(&slopeCircuit{step: step}, &slopeCircuit{P: p.point(), Q: q.point(), Slope: slope, Second: s, Sum: sum.point(), step: step}, ecc.BN254.ScalarField())
	}
	none := fr.Element{}
	require.NoError(t, solve("add", p, q, chord, none, p.chord(q)))
	require.Error(t, solve("add", p, q, wrong, none, p.line(q, wrong)))
	require.Error(t, solve("add", p, opposite, wrong, none, p.line(opposite, wrong)))
	require.NoError(t, solve("add", p, p, wrong, none, p.line(p, wrong)), "equal points no longer leave the slope free: this test shows nothing")

	require.NoError(t, solve("double", p, p, tangent, none, p.double()))
	require.Error(t, solve("double", p, p, wrong, none, p.line(p, wrong)))

	s, sum := second(p, q, chord)
	require.Equal(t, p.chord(q).chord(p), sum)
	require.NoError(t, solve("double and add", p, q, chord, s, sum))
	s, sum = second(p, q, wrong)
	require.Error(t, solve("double and add", p, q, wrong, s, sum), "the first slope")
	_, sum = second(p, q, chord)
	require.Error(t, solve("double and add", p, q, chord, wrong, p.line(p.line(q, chord), wrong)), "the second slope")
	require.Error(t, solve("double and add", p, opposite, chord, s, sum))
	s, sum = second(p, p, wrong)
	require.NoError(t, solve("double and add", p, p, wrong, s, sum), "equal points no longer leave the slope free: this test shows nothing")
}
