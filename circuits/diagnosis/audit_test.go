package diagnosis

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/rules"
)

// two is a circuit of two slots, each of which lists a fee account that one look-up takes.
type two struct {
	Sum   frontend.Variable `gnark:",public"`
	Slots [2]struct{ Active, Token frontend.Variable }
}

func (c *two) Define(api frontend.API) error {
	r, b := rules.New(api), bus.New(api)
	sum := frontend.Variable(0)
	for i, s := range c.Slots {
		active := b.Flag(r.Boolean("slot: active is boolean", s.Active))
		r.Width("slot: token has 3 bits", s.Token, 3)
		b.Fee.Lookup(active, bus.FeeAccount{Token: bus.Const(int64(5 + i)), Index: bus.Const(0)})
		b.Fee.List(bus.Times(b.Free(s.Active)), bus.FeeAccount{Token: b.Free(s.Token).Expr(), Index: bus.Const(0)})
		sum = api.Add(sum, s.Token)
	}
	r.Equal("sum: of the tokens", c.Sum, sum)
	return b.Close()
}

// TestAudit names each broken rule, where it is stated, and what was found.
func TestAudit(t *testing.T) {
	audit, err := NewAudit(new(two))
	require.NoError(t, err)
	tuples := audit.Tuples()
	require.Len(t, tuples, 4)
	require.Equal(t, Tuple{Channel: bus.Fee, Sent: false, At: 5, Fields: 2}, tuples[0])
	require.Equal(t, Tuple{Channel: bus.Fee, Sent: true, At: 8, Fields: 2}, tuples[1])

	run := func(sum int, slots ...[2]int) ([]ViolationError, error) {
		c := &two{Sum: sum}
		for i, s := range slots {
			c.Slots[i].Active, c.Slots[i].Token = s[0], s[1]
		}
		w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
		require.NoError(t, err)
		return audit.Run(w)
	}
	for range 2 { // what was found before is forgotten
		found, err := run(11, [2]int{1, 5}, [2]int{1, 6})
		require.NoError(t, err)
		require.Empty(t, found)

		found, err = run(16, [2]int{1, 5}, [2]int{2, 9})
		require.ErrorIs(t, err, ErrBroken)
		for i := range found {
			require.NotEmpty(t, found[i].Code+found[i].Rule)
			found[i].Code = ""
		}
		require.Equal(t, []ViolationError{
			{Rule: "slot: active is boolean", Place: 1, Found: "expected 0 or 1, got 2"},
			{Rule: "slot: token has 3 bits", Place: 1, Found: "expected a value of at most 3 bits, got 9"},
			{Rule: "sum: of the tokens", Place: 0, Found: "expected both sides equal, got 2"},
			{Rule: "bus: fee", Place: 0, Found: "(6, 0) is received and not sent, copies: 2"},
			{Rule: "bus: fee", Place: 1, Found: "(9, 0) is sent and not received, copies: 2"},
		}, found)
	}
}
