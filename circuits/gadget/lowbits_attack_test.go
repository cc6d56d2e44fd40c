package gadget

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/stretchr/testify/require"
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
