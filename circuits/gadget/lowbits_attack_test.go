package gadget

import (
	"math/big"
	"testing"

	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/schnorr"
)

type lowBitsCircuit struct{ H frontend.Variable }

func (c *lowBitsCircuit) Define(api frontend.API) error {
	_, err := LowBits(api, rangecheck.New(api), c.H)
	return err
}

// TestBitsThatCarryAreRefused: bits of the right sum that are no bits. A digit of the
// endomorphism scalar other than 0 and 1 can name a point of the curve (φ² for β + 1),
// and then many scalars would pass for one h.
func TestBitsThatCarryAreRefused(t *testing.T) {
	ccs := compileR1CS(t, new(lowBitsCircuit))
	c := &lowBitsCircuit{H: number(t, "h", 7).Rsh(number(t, "h", 7), 3)}
	require.NoError(t, solveR1CS(t, ccs, c))
	for i := range 127 {
		require.Error(t, solveR1CS(t, ccs, c, override{lowBitsHint, func(q *big.Int, in, out []*big.Int) error {
			err := lowBitsHint(q, in, out)
			out[i].Add(out[i], big.NewInt(2))
			out[i+1].Sub(out[i+1], big.NewInt(1)).Mod(out[i+1], q)
			return err
		}}), "bit %d", i)
	}
}

// TestOtherPointOfTheSameOrdinateIsRefused: λ·s gives φ(s·G), which has the y of s·G
// and another x.
func TestOtherPointOfTheSameOrdinateIsRefused(t *testing.T) {
	s := newSigned(t, 5)
	e := schnorr.EndomorphismScalar(s.h())
	sum := new(big.Int).Mul(e.BigInt(new(big.Int)), s.sk)
	sum.Add(sum, s.k).Mul(sum, schnorr.Lambda()).Mod(sum, scalar.Modulus())
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	w := s.honest(t, testWindow)
	w.Windows = table.assign(sum)
	require.Error(t, solveR1CS(t, compileR1CS(t, newSignatureCircuit(testWindow, 1)), assignment(testWindow, w, s.message())))
}

// unbound leaves one bit of LowBits unchecked.
type unbound struct {
	frontend.API
	bit, seen int
}

func (u *unbound) AssertIsBoolean(v frontend.Variable) {
	if u.seen++; u.seen-1 != u.bit {
		u.API.AssertIsBoolean(v)
	}
}

type weakLowBits struct {
	H   frontend.Variable
	bit int // not constrained to be one
}

func (c *weakLowBits) Define(api frontend.API) error {
	_, err := LowBits(&unbound{API: api, bit: c.bit}, rangecheck.New(api), c.H)
	return err
}

// TestEachBitIsBoolean: bit i is larger by 2^(128-i) and hi smaller by 1, so that no
// other bit, no sum and no width gives it away.
func TestEachBitIsBoolean(t *testing.T) {
	ccs := compileR1CS(t, new(lowBitsCircuit))
	h := number(t, "h", 7)
	h.Rsh(h, 3)
	for i := range schnorr.EndomorphismBits {
		lie := override{lowBitsHint, func(q *big.Int, in, out []*big.Int) error {
			err := lowBitsHint(q, in, out)
			out[i].Add(out[i], new(big.Int).Lsh(big.NewInt(1), uint(schnorr.EndomorphismBits-i)))
			return err
		}}
		require.Error(t, solveR1CS(t, ccs, &lowBitsCircuit{H: h}, lie), "bit %d", i)
		weak := compileR1CS(t, &weakLowBits{bit: i})
		require.NoError(t, solveR1CS(t, weak, &weakLowBits{H: h}, lie), "bit %d: the lie does not work on the weak variant: this test shows nothing", i)
	}
}
