package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
)

// Circuits of one chip each, which are compiled to count what a further slot adds.

type accessSlot struct {
	Active, Index, Previous, Balance frontend.Variable
	Leaf                             Leaf
}

type memoryCost struct{ Accesses []accessSlot }

// memoryCostShape numbers the accesses' times.
func memoryCostShape() Shape { return Shape{Capacity: settle.Capacity{Transfers: 3}} }

func newMemoryCost(n int) *memoryCost { return &memoryCost{make([]accessSlot, n)} }

// Define implements frontend.Circuit.
func (c *memoryCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	for i, a := range c.Accesses {
		before := k.freeLeaf(a.Leaf)
		after := before
		after.nonce, after.balance = before.nonce.Add(bus.Const(1)), k.bus.Free(a.Balance).Expr()
		k.readWrite(k.bus.Free(a.Active), k.bus.Free(a.Index).Expr(), a.Previous, memoryCostShape(), i, 1, before, after)
	}
	return k.bus.Close()
}

type signatureCost struct {
	Signatures []gadget.SignatureWires
	Messages   []gadget.SignedMessage
	windowBits int
}

func newSignatureCost(windowBits, n int) *signatureCost {
	c := &signatureCost{Messages: make([]gadget.SignedMessage, n), windowBits: windowBits}
	for range n {
		c.Signatures = append(c.Signatures, gadget.NewSignatureWires(windowBits))
	}
	return c
}

// Define implements frontend.Circuit.
func (c *signatureCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	verifier, err := gadget.NewSignatureVerifier(api, k.bus, k.poseidon, c.windowBits)
	if err != nil {
		return err
	}
	for i := range c.Signatures {
		if err := verifier.Verify(c.Signatures[i], c.Messages[i]); err != nil {
			return err
		}
	}
	if err := verifier.Close(); err != nil {
		return err
	}
	return k.bus.Close()
}

type dataCost struct {
	C, Zeta, V    frontend.Variable
	Active, Words []frontend.Variable
}

func newDataCost(n int) *dataCost {
	return &dataCost{Active: make([]frontend.Variable, n), Words: make([]frontend.Variable, n)}
}

// Define implements frontend.Circuit.
func (c *dataCost) Define(api frontend.API) error {
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
