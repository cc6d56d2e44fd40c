package bus

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/poseidon"
)

// tuples are one of each kind.
func tuples() []tuple {
	return []tuple{Node{}, Access{}, FeeAccount{}, TableRow{}, Open{}, Exit{}}
}

// channelFields are the names of the fields of each channel's tuples.
func channelFields(t *testing.T) map[Channel][]string {
	t.Helper()
	channels := map[Channel][]string{}
	for _, x := range tuples() {
		for i := range reflect.TypeOf(x).NumField() {
			channels[x.channel()] = append(channels[x.channel()], reflect.TypeOf(x).Field(i).Name)
		}
	}
	require.Len(t, channels, int(Exits), "each channel has a tuple of its own")
	return channels
}

// TestTuplesHaveAllTheirFields: a tuple's fields are those of its struct, each once, in
// order.
func TestTuplesHaveAllTheirFields(t *testing.T) {
	for _, x := range tuples() {
		filled := reflect.New(reflect.TypeOf(x)).Elem()
		var want []Expr
		for i := range filled.NumField() {
			want = append(want, Const(int64(100+i)))
			filled.Field(i).Set(reflect.ValueOf(want[i]))
		}
		require.Equal(t, want, filled.Interface().(tuple).fields(), "%T", x)
	}
}

// sentTuple is sent and received once on a channel; merge, if it is set, gives two fields
// one power of β: the second is added to the first.
type sentTuple struct {
	Sent, Received []frontend.Variable
	channel        Channel
	merge          *[2]int
}

func (c *sentTuple) Define(api frontend.API) error {
	b := New(api)
	fields := func(values []frontend.Variable) []Expr {
		out := make([]Expr, len(values))
		for i, v := range values {
			out[i] = b.Free(v).Expr()
		}
		if m := c.merge; m != nil {
			out[m[0]], out[m[1]] = out[m[0]].Add(out[m[1]]), Const(0)
		}
		return out
	}
	b.add(c.channel, true, flagOne, fields(c.Sent))
	b.add(c.channel, false, flagOne, fields(c.Received))
	return b.Close()
}

// TestFieldsHaveTheirOwnPowers: for each channel and two fields of its tuples, what is
// added to one and taken from the other is noticed. With one power of β for both it is not.
func TestFieldsHaveTheirOwnPowers(t *testing.T) {
	for channel, fields := range channelFields(t) {
		n := len(fields)
		tried := func(merge *[2]int, by ...int64) error {
			sent, received := make([]frontend.Variable, n), make([]frontend.Variable, n)
			for i := range n {
				sent[i], received[i] = 1000+i, 1000+int64(i)+by[i]
			}
			blank := &sentTuple{Sent: make([]frontend.Variable, n), Received: make([]frontend.Variable, n), channel: channel, merge: merge}
			return test.IsSolved(blank, &sentTuple{Sent: sent, Received: received, channel: channel, merge: merge}, ecc.BN254.ScalarField())
		}
		require.NoError(t, tried(nil, make([]int64, n)...))
		for j := range n {
			for i := range j {
				by := make([]int64, n)
				by[i], by[j] = 7, -7
				name := fmt.Sprintf("%s: %s and %s", channel, fields[i], fields[j])
				require.NoError(t, tried(&[2]int{i, j}, by...), "%s: with one power for both it should work", name)
				require.Error(t, tried(nil, by...), name)
			}
		}
	}
}

// crossing is sent on one channel and received on another; merge gives the channel's
// number and a field one power of β.
type crossing struct {
	Sent, Received [2]frontend.Variable
	merge          *int
}

func (c *crossing) Define(api frontend.API) error {
	b := New(api)
	fields := func(channel Channel, values [2]frontend.Variable) (Channel, []Expr) {
		out := []Expr{b.Free(values[0]).Expr(), b.Free(values[1]).Expr()}
		if c.merge != nil {
			out[*c.merge] = out[*c.merge].Add(Const(int64(channel)))
			channel = Tree
		}
		return channel, out
	}
	sent, fieldsSent := fields(Fee, c.Sent)
	received, fieldsReceived := fields(Opens, c.Received)
	b.add(sent, true, flagOne, fieldsSent)
	b.add(received, false, flagOne, fieldsReceived)
	return b.Close()
}

// TestChannelsHaveTheirOwnPower: a tuple of another channel whose field is less by what
// the channel's number is more.
func TestChannelsHaveTheirOwnPower(t *testing.T) {
	for i := range 2 {
		received := [2]frontend.Variable{100, 200}
		received[i] = 100*(i+1) - int(Opens-Fee)
		forged := func(merge *int) error {
			return test.IsSolved(&crossing{merge: merge}, &crossing{[2]frontend.Variable{100, 200}, received, merge}, ecc.BN254.ScalarField())
		}
		require.NoError(t, forged(&i), "with one power for both it should work")
		require.Error(t, forged(nil), "field %d", i)
	}
}

// With α = β, the denominator of a pair (f0, f1) on the channel Tree, which is 1, is
// α - 1 - f0·α - f1·α² = -(1 - s·α)(1 - t·α) for f0 = 1-s-t, f1 = s·t. As with dependent
// challenges, 1/(ab) - 2/(ac) + 1/(bc) = 0 for b - a = c - b, and nothing matches.
func TestEqualChallengesForge(t *testing.T) {
	require.Equal(t, Channel(1), Tree)
	product := func(s, t int64) pair { return pair{1 - s - t, s * t} }
	const a, b, c = 10, 17, 24
	forged := assign(
		[]pair{product(a, b), product(b, c)},
		[]pair{product(a, c), product(a, c)},
	)
	unsound := &exchange{configure: &variant{func(bus *Bus) {
		bus.challenges = func(_ frontend.API, root frontend.Variable) (alpha, beta frontend.Variable, err error) {
			return root, root, nil
		}
	}}}
	require.NoError(t, solved(unsound, forged), "the forgery no longer works on the unsound variant: this test shows nothing")
	require.Error(t, solved(new(exchange), forged))
}

// drawn is what the bus draws from a commitment.
type drawn struct{ Root, Alpha, Beta frontend.Variable }

func (c *drawn) Define(api frontend.API) error {
	alpha, beta, err := New(api).challenges(api, c.Root)
	api.AssertIsEqual(alpha, c.Alpha)
	api.AssertIsEqual(beta, c.Beta)
	return err
}

// TestChallengesAreDerived: α is the commitment and β = P4(α, tag, 0, 0)[1], as package
// poseidon computes it and as it was when the keys were made.
func TestChallengesAreDerived(t *testing.T) {
	for root, stored := range map[string]string{
		"0": "13703318134490452324088731936253350471247414485080818029199786834944024731074",
		"1": "7696652085633547452038431051094207076466541363821247708097189731566479755566",
		"1234567890123456789012345678901234567890":                                      "396475599097118159121880294646295118416992253379913348384677771290837263230",
		"21888242871839275222246405745257275088548364400416034343698204186575808495616": "11821859865113349409794233543594071351444329519280576118567677022167700954309",
	} {
		var alpha, beta, one fr.Element
		_, err := alpha.SetString(root)
		require.NoError(t, err)
		_, err = beta.SetString(stored)
		require.NoError(t, err)
		lanes := [4]fr.Element{alpha, poseidon.Tag("settle/bus/beta/v1")}
		poseidon.New().Permute4(&lanes)
		require.Equal(t, lanes[1].String(), beta.String(), root)
		require.NoError(t, test.IsSolved(new(drawn), &drawn{alpha, alpha, beta}, ecc.BN254.ScalarField()))
		one.SetOne()
		require.Error(t, test.IsSolved(new(drawn), &drawn{alpha, alpha, *one.Add(&one, &beta)}, ecc.BN254.ScalarField()))
		require.Error(t, test.IsSolved(new(drawn), &drawn{alpha, beta, beta}, ecc.BN254.ScalarField()))
	}
}
