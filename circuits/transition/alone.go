package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
)

// Parts of the circuit that stand alone, as circuits of their own. What one of them costs
// is measured on these (package cost); nothing is proven with them.

// AccessesAlone is the circuit of at most three accesses to the batch memory, which share
// one flag. Their times are numbered as in AccessesAloneShape.
func AccessesAlone(n int) frontend.Circuit { return &accessesAlone{Accesses: make([]accessSlot, n)} }

// AccessesAloneShape is the shape that the accesses of AccessesAlone are numbered by.
func AccessesAloneShape() Shape { return Shape{Capacity: settle.Capacity{Transfers: 3}} }

type accessSlot struct {
	Index, Previous, Balance frontend.Variable
	Leaf                     Leaf
}

type accessesAlone struct {
	Active   frontend.Variable
	Accesses []accessSlot
}

// Define implements frontend.Circuit.
func (c *accessesAlone) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	active := k.boolean("transfer: kinds are boolean", c.Active)
	for i, a := range c.Accesses {
		before := k.freeLeaf(a.Leaf)
		after := before
		after.nonce, after.balance = before.nonce.Add(bus.Const(1)), k.bus.Free(a.Balance).Expr()
		k.readWrite(active, k.bus.Free(a.Index).Expr(), a.Previous, AccessesAloneShape(), i, 1, before, after)
	}
	return k.bus.Close()
}

// DataAlone is the circuit of n words of public data: their commitment and evaluation.
func DataAlone(n int) frontend.Circuit {
	return &dataAlone{Active: make([]frontend.Variable, n), Words: make([]frontend.Variable, n)}
}

type dataAlone struct {
	C, Zeta, V    frontend.Variable
	Active, Words []frontend.Variable
}

// Define implements frontend.Circuit.
func (c *dataAlone) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	body := make([]wordPair, len(c.Words))
	for i := range body {
		body[i] = wordPair{c.Active[i], c.Words[i]}
	}
	header := []frontend.Variable{c.Words[0]}
	if err := k.commitment(c.C, header, body); err != nil {
		return err
	}
	k.evaluation(c.Zeta, c.V, header, body)
	return nil
}
