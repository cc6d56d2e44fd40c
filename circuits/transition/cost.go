package transition

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
)

// Cost is what one more slot of a chip adds to a circuit.
type Cost struct {
	Gadget      string `json:"gadget"`
	Constraints int    `json:"constraints"` // rounded up
}

// Costs measures each chip by compiling it alone with 8 and with 40 slots: the
// difference leaves out tables, which a circuit has once.
func Costs(shape Shape) ([]Cost, error) {
	const few, many = 8, 40
	var costs []Cost
	for _, chip := range []struct {
		name string
		slot func(n int) frontend.Circuit
	}{
		{"signature", func(n int) frontend.Circuit { return newSignatureCost(shape, n) }},
		{"tree node", func(n int) frontend.Circuit { return &treeCost{Nodes: make([]NodeSlot, n)} }},
		{"memory access", func(n int) frontend.Circuit { return &memoryCost{Accesses: make([]accessSlot, n), shape: shape} }},
		{"account", func(n int) frontend.Circuit { return &accountCost{Accounts: make([]AccountSlot, n)} }},
		{"transfer", func(n int) frontend.Circuit { return newTransferCost(shape, n) }},
		{"data word", func(n int) frontend.Circuit {
			return &dataCost{Active: make([]frontend.Variable, n), Words: make([]frontend.Variable, n)}
		}},
	} {
		var counts [2]int
		for i, n := range []int{few, many} {
			ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, chip.slot(n))
			if err != nil {
				return nil, fmt.Errorf("cost of %s: %w", chip.name, err)
			}
			counts[i] = ccs.GetNbConstraints()
		}
		const more = many - few
		costs = append(costs, Cost{chip.name, (counts[1] - counts[0] + more - 1) / more})
	}
	return costs, nil
}

type treeCost struct {
	Nodes            []NodeSlot
	OldRoot, NewRoot frontend.Variable
}

func (c *treeCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	if err := k.tree(c.Nodes, c.OldRoot, c.NewRoot); err != nil {
		return err
	}
	return k.bus.Close()
}

type accountCost struct{ Accounts []AccountSlot }

func (c *accountCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	if err := k.accounts(c.Accounts); err != nil {
		return err
	}
	return k.bus.Close()
}

type accessSlot struct {
	Active, Index, Previous, Balance frontend.Variable
	Leaf                             Leaf
}

type memoryCost struct {
	Accesses []accessSlot
	shape    Shape
}

func (c *memoryCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	for i, a := range c.Accesses {
		before := k.freeLeaf(a.Leaf)
		after := before
		after.nonce, after.balance = before.nonce.Add(bus.Const(1)), k.bus.Free(a.Balance).Expr()
		k.readWrite(k.bus.Free(a.Active), k.bus.Free(a.Index).Expr(), a.Previous, c.shape, i, 1, before, after)
	}
	return k.bus.Close()
}

type signatureCost struct {
	Signatures []gadget.SignatureWires
	Messages   []gadget.SignedMessage
	windowBits int
}

func newSignatureCost(shape Shape, n int) *signatureCost {
	c := &signatureCost{Messages: make([]gadget.SignedMessage, n), windowBits: shape.WindowBits}
	for range n {
		c.Signatures = append(c.Signatures, gadget.NewSignatureWires(shape.WindowBits))
	}
	return c
}

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

type transferCost struct {
	Transfers []TransferSlot
	Header    Header
	shape     Shape
}

func newTransferCost(shape Shape, n int) *transferCost {
	shape.Transfers = n
	return &transferCost{Transfers: New(shape).Transfers, shape: shape}
}

func (c *transferCost) Define(api frontend.API) error {
	k, err := newChips(api, nil)
	if err != nil {
		return err
	}
	verifier, err := gadget.NewSignatureVerifier(api, k.bus, k.poseidon, c.shape.WindowBits)
	if err != nil {
		return err
	}
	if _, err := k.transfers(c.Transfers, c.Header, c.shape, verifier); err != nil {
		return err
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
