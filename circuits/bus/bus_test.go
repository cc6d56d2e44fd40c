package bus

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/rules"
)

const slots = 4

// exchange sends and receives pairs on one channel and configures the bus under test. It
// goes below the channels' types: its tuples are shorter, and its flags may be any number.
type exchange struct {
	Sent, Received         [slots][2]frontend.Variable
	SentFlag, ReceivedFlag [slots]frontend.Variable

	channels  [2]Channel // of sends, of receives; zero means Tree
	configure *variant
}

func (c *exchange) Define(api frontend.API) error {
	b := New(api)
	if c.configure != nil {
		c.configure.apply(b)
	}
	channel := func(i int) Channel {
		if c.channels[i] == 0 {
			return Tree
		}
		return c.channels[i]
	}
	for i := range slots {
		s, r := c.Sent[i], c.Received[i]
		sendFlag, receiveFlag := b.Free(c.SentFlag[i]), b.Free(c.ReceivedFlag[i])
		b.add(channel(0), true, sendFlag, []Expr{b.Free(s[0]).Expr(), b.Free(s[1]).Expr()})
		b.add(channel(1), false, receiveFlag, []Expr{b.Free(r[0]).Expr(), b.Free(r[1]).Expr()})
	}
	return b.Close()
}

// variant weakens a bus; behind a pointer, because the engine compares circuits.
type variant struct{ apply func(*Bus) }

type pair [2]int64

func assign(sent, received []pair, flags ...[]int64) *exchange {
	c := new(exchange)
	for i := range slots {
		c.SentFlag[i], c.ReceivedFlag[i] = 0, 0
		c.Sent[i], c.Received[i] = [2]frontend.Variable{0, 0}, [2]frontend.Variable{0, 0}
		if i < len(sent) {
			c.Sent[i], c.SentFlag[i] = [2]frontend.Variable{sent[i][0], sent[i][1]}, 1
		}
		if i < len(received) {
			c.Received[i], c.ReceivedFlag[i] = [2]frontend.Variable{received[i][0], received[i][1]}, 1
		}
	}
	if len(flags) == 2 {
		for i := range slots {
			c.SentFlag[i], c.ReceivedFlag[i] = flags[0][i], flags[1][i]
		}
	}
	return c
}

func solved(circuit, assignment *exchange) error {
	return test.IsSolved(circuit, assignment, ecc.BN254.ScalarField())
}

func TestBalance(t *testing.T) {
	cases := []struct {
		name           string
		sent, received []pair
		ok             bool
	}{
		{"nothing", nil, nil, true},
		{"same order", []pair{{1, 2}, {3, 4}}, []pair{{1, 2}, {3, 4}}, true},
		{"permuted", []pair{{1, 2}, {3, 4}, {5, 6}}, []pair{{5, 6}, {1, 2}, {3, 4}}, true},
		{"repeated on both sides", []pair{{1, 2}, {1, 2}}, []pair{{1, 2}, {1, 2}}, true},
		{"sent twice, received once", []pair{{1, 2}, {1, 2}}, []pair{{1, 2}}, false},
		{"never sent", nil, []pair{{1, 2}}, false},
		{"never received", []pair{{1, 2}}, nil, false},
		{"one field differs", []pair{{1, 2}}, []pair{{1, 3}}, false},
		{"fields swapped", []pair{{1, 2}}, []pair{{2, 1}}, false},
		{"zero tuple received", nil, []pair{{0, 0}}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := solved(new(exchange), assign(c.sent, c.received))
			if c.ok {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
		})
	}
}

func TestMultiplicityCountsCopies(t *testing.T) {
	sent, received := []pair{{7, 8}}, []pair{{7, 8}, {7, 8}, {7, 8}}
	table := assign(sent, received, []int64{3, 0, 0, 0}, []int64{1, 1, 1, 0})
	require.NoError(t, solved(new(exchange), table))
	table = assign(sent, received, []int64{2, 0, 0, 0}, []int64{1, 1, 1, 0})
	require.Error(t, solved(new(exchange), table))
}

func TestChannelsAreApart(t *testing.T) {
	c := &exchange{channels: [2]Channel{Tree, Fee}}
	require.Error(t, solved(c, assign([]pair{{1, 2}}, []pair{{1, 2}})))
}

// linear checks that shared wires and linear forms give the tuple that they spell.
type linear struct {
	X, Y, Flag frontend.Variable
	Sum, Shift frontend.Variable
}

func (c *linear) Define(api frontend.API) error {
	b := New(api)
	x, y, flag := b.Free(c.X), b.Free(c.Y), b.Free(c.Flag)
	sum, shift := b.Free(c.Sum), b.Free(c.Shift)
	b.add(Tree, true, flag, []Expr{x.Expr().Scale(4).Add(y.Expr()).Add(Const(3)), y.Expr().Add(Const(-1))})
	b.add(Tree, false, flag, []Expr{sum.Expr(), shift.Expr()})
	b.add(Fee, true, flagOne, []Expr{x.Expr()})
	b.add(Fee, false, flagOne, []Expr{x.Expr()})
	return b.Close()
}

func TestLinearForms(t *testing.T) {
	field := ecc.BN254.ScalarField()
	require.NoError(t, test.IsSolved(new(linear), &linear{X: 5, Y: 6, Flag: 1, Sum: 29, Shift: 5}, field))
	require.Error(t, test.IsSolved(new(linear), &linear{X: 5, Y: 6, Flag: 1, Sum: 28, Shift: 5}, field))
}

// notAWire commits something that is not one wire.
type notAWire struct {
	X, Y     frontend.Variable
	constant bool
}

func (c *notAWire) Define(api frontend.API) error {
	b := New(api)
	if c.constant {
		b.Free(1)
	} else {
		b.Free(api.Add(c.X, c.Y))
	}
	return b.Close()
}

func TestFreeTakesWiresOnly(t *testing.T) {
	for _, c := range []*notAWire{{}, {constant: true}} {
		_, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
		require.ErrorContains(t, err, "Free needs a w")
	}
}

func TestCloseOnce(t *testing.T) {
	b := &Bus{closed: true}
	require.ErrorIs(t, b.Close(), ErrClosed)
}

// typed uses one channel of each type as chips do.
type typed struct {
	Flag, Times frontend.Variable
	X           frontend.Variable
	misuse      func(b *Bus, flag Flag, x Expr)
}

func (c *typed) Define(api frontend.API) error {
	b := New(api)
	flag, x := b.Flag(rules.New(api).Boolean("flag is boolean", c.Flag)), b.Free(c.X).Expr()
	if c.misuse != nil {
		c.misuse(b, flag, x)
		return b.Close()
	}
	open := Open{Number: Const(0), Owner: x, L1: Const(7)}
	b.Opens.Send(flag, open)
	b.Opens.Receive(flag, open)
	b.Fee.List(Times(b.Free(c.Times)), FeeAccount{Token: x, Index: Const(3)})
	for range 3 {
		b.Fee.Lookup(One(), FeeAccount{Token: x, Index: Const(3)})
	}
	b.Fee.Lookup(b.DerivedFlag(flag.Bool), FeeAccount{Token: x, Index: Const(3)})
	return b.Close()
}

// TestTypedChannels: a row is listed as often as it is looked up, and a flag is boolean.
func TestTypedChannels(t *testing.T) {
	field := ecc.BN254.ScalarField()
	require.NoError(t, test.IsSolved(new(typed), &typed{Flag: 0, Times: 3, X: 5}, field))
	require.NoError(t, test.IsSolved(new(typed), &typed{Flag: 1, Times: 4, X: 5}, field))
	require.Error(t, test.IsSolved(new(typed), &typed{Flag: 1, Times: 3, X: 5}, field))
	require.Error(t, test.IsSolved(new(typed), &typed{Flag: 2, Times: 5, X: 5}, field))
}

// TestTuplesAreWhole: a field or a flag that is not set is no 0.
func TestTuplesAreWhole(t *testing.T) {
	for want, misuse := range map[string]func(b *Bus, flag Flag, x Expr){
		"field 2 is not set":                    func(b *Bus, flag Flag, x Expr) { b.Tree.Send(flag, Node{Level: x, Position: x, New: x}) },
		"channel fee: field 1 is not set":       func(b *Bus, _ Flag, x Expr) { b.Fee.Lookup(One(), FeeAccount{Token: x}) },
		"opens: the flag is not a wire":         func(b *Bus, _ Flag, x Expr) { b.Opens.Receive(Flag{}, Open{Number: x, Owner: x, L1: x}) },
		"fee: the flag is not a wire":           func(b *Bus, _ Flag, x Expr) { b.Fee.List(Multiplicity{}, FeeAccount{Token: x, Index: x}) },
		"fee: the flag is not a wire of this b": func(b *Bus, _ Flag, x Expr) { b.Fee.List(Times(Wire{}), FeeAccount{Token: x, Index: x}) },
	} {
		_, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &typed{misuse: misuse})
		require.ErrorContains(t, err, want)
	}
}
