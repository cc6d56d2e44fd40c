package bus_test

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"

	"github.com/zksettle/settle/circuits/bus"
)

// position is what two chips tell each other: the place of a node and its digest.
type position struct{ Place, Digest frontend.Variable }

// exchange has two chips. One sends two tuples, and the other receives two.
type exchange struct{ Sent, Received [2]position }

// Define states nothing about order: the bus alone holds that what is received was sent.
func (c *exchange) Define(api frontend.API) error {
	b := bus.New(api)
	node := func(p position) bus.Node {
		digest := b.Free(p.Digest).Expr()
		return bus.Node{Level: bus.Const(0), Position: b.Free(p.Place).Expr(), Old: digest, New: digest}
	}
	for i := range c.Sent {
		b.Tree.Send(bus.One(), node(c.Sent[i]))
		b.Tree.Receive(bus.One(), node(c.Received[i]))
	}
	return b.Close()
}

// Two chips of one circuit exchange tuples over a channel. The circuit has a witness if and
// only if the tuples received are those sent, in whatever order.
func Example() {
	solves := func(sent, received [2]position) bool {
		return test.IsSolved(&exchange{}, &exchange{Sent: sent, Received: received}, ecc.BN254.ScalarField()) == nil
	}
	fmt.Println("same order:", solves([2]position{{1, 10}, {2, 20}}, [2]position{{1, 10}, {2, 20}}))
	fmt.Println("swapped:", solves([2]position{{1, 10}, {2, 20}}, [2]position{{2, 20}, {1, 10}}))
	fmt.Println("one changed:", solves([2]position{{1, 10}, {2, 20}}, [2]position{{1, 10}, {2, 21}}))
	// Output:
	// same order: true
	// swapped: true
	// one changed: false
}
