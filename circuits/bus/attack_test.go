package bus

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
)

// With α = β², tag at a free power, the denominator of a pair (f0, f1) is
// β² - f1·β - f0 = (β-s)(β-t) for f1 = s+t, f0 = -s·t. For b = a+k, c = a+2k
// the identity 1/(ab) - 2/(ac) + 1/(bc) = 0 holds with a, b, c read as β-a, …:
// the tuples ab and bc are sent, ac is received twice, and nothing matches.
func TestDependentChallengesForge(t *testing.T) {
	product := func(s, t int64) pair { return pair{-s * t, s + t} }
	const a, b, c = 10, 17, 24
	forged := assign(
		[]pair{product(a, b), product(b, c)},
		[]pair{product(a, c), product(a, c)},
	)
	unsound := &exchange{configure: &variant{func(bus *Bus) {
		bus.firstPower = 0
		bus.challenges = func(api frontend.API, root frontend.Variable) (frontend.Variable, frontend.Variable, error) {
			return api.Mul(root, root), root, nil // what two callbacks of multicommit hand out
		}
	}}}
	require.NoError(t, solved(unsound, forged), "the forgery no longer works on the unsound variant: this test shows nothing")
	require.Error(t, solved(new(exchange), forged))
	require.Error(t, solved(&exchange{configure: &variant{func(bus *Bus) { bus.firstPower = 0 }}}, forged),
		"independence of α and β alone must refuse it")
}

// latePadding has one slot whose field is not committed, and whose quotient is
// the prover's to choose: the circuit that a 0/0 in DivUnchecked amounts to.
type latePadding struct {
	Minted   [2]frontend.Variable
	Quotient frontend.Variable
}

func (c *latePadding) Define(api frontend.API) error {
	b := New(api)
	pads := 0
	b.divide = func(api frontend.API, flag, denominator frontend.Variable) frontend.Variable {
		if pads++; pads == 1 {
			// flag = denominator = 0: the constraint q·0 = 0 holds for every q.
			api.AssertIsEqual(api.Mul(c.Quotient, 0), flag)
			return c.Quotient
		}
		return api.DivUnchecked(flag, denominator)
	}
	off := b.Derived(api.Sub(c.Minted[0], c.Minted[0]))
	b.add(Tree, true, off, []Expr{Const(0), Const(0)})
	b.add(Tree, false, flagOne, []Expr{b.Free(c.Minted[0]).Expr(), b.Free(c.Minted[1]).Expr()})
	return b.Close()
}

// TestFreeQuotientBalancesAnything shows what one uncommitted padding field is
// worth: a tuple that nobody sent is received. The quotient is found by running
// the balance with the engine's challenge, which the prover knows before it
// chooses an uncommitted wire.
func TestFreeQuotientBalancesAnything(t *testing.T) {
	minted := [2]frontend.Variable{1, 1_000_000}
	needed := new(big.Int)
	probe := &probeCircuit{out: needed}
	require.NoError(t, test.IsSolved(probe, &probeCircuit{Minted: minted}, ecc.BN254.ScalarField()))
	forged := &latePadding{Minted: minted, Quotient: needed}
	require.NoError(t, test.IsSolved(new(latePadding), forged, ecc.BN254.ScalarField()))

	honest := assign(nil, []pair{{1, 1_000_000}})
	require.Error(t, solved(new(exchange), honest), "with every slot committed the same tuple must be refused")
}

// probeCircuit computes the quotient that balances the minted tuple.
type probeCircuit struct {
	Minted [2]frontend.Variable
	out    *big.Int
}

func (c *probeCircuit) Define(api frontend.API) error {
	b := New(api)
	b.challenges = func(api frontend.API, root frontend.Variable) (frontend.Variable, frontend.Variable, error) {
		alpha, beta, err := independentChallenges(api, root)
		if err != nil {
			return nil, nil, err
		}
		f := fingerprints{api: api, wires: b.wires, powers: []frontend.Variable{1, beta}, products: map[productKey]frontend.Variable{}, first: 1}
		c.out.Set(api.Inverse(api.Sub(alpha, f.of(b.entries[0]))).(*big.Int))
		b.entries = nil
		return alpha, beta, nil
	}
	b.add(Tree, false, flagOne, []Expr{b.Free(c.Minted[0]).Expr(), b.Free(c.Minted[1]).Expr()})
	return b.Close()
}
