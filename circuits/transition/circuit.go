// Package transition is the circuit that proves one batch: a set of chips
// joined by a bus (package bus). docs/soundness.md argues why each chip's rules
// suffice; package state is the specification that it implements.
package transition

import (
	"fmt"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
)

// Circuit proves that batch Number takes the state from OldRoot to NewRoot and
// that D, committed by C, evaluates to V at Zeta. Everything but C, Zeta and V
// is witness. Slots in use form a prefix of each slice.
type Circuit struct {
	C    frontend.Variable `gnark:",public"` // commitment to D
	Zeta frontend.Variable `gnark:",public"` // evaluation point, chosen by L1 after C
	V    frontend.Variable `gnark:",public"` // D evaluated at Zeta

	Header      Header
	Accounts    []AccountSlot
	Nodes       []NodeSlot
	Transfers   []TransferSlot
	FeeAccounts []FeeSlot
	Opens       []OpenSlot
	Exits       []ExitSlot

	shape Shape

	// without names rules to leave out, so that a test can show that a forgery
	// works there and is refused here. Empty in every circuit that New returns.
	without []string
}

// Header holds the fields of D's header; the counts are computed.
type Header struct {
	Number  frontend.Variable // batch number
	OldRoot frontend.Variable
	NewRoot frontend.Variable
	Domain  frontend.Variable // what signatures are made under; L1 compares it
}

// New returns the circuit of a shape, ready to compile.
func New(shape Shape) *Circuit {
	c := &Circuit{
		Accounts:    make([]AccountSlot, shape.Accounts),
		Nodes:       make([]NodeSlot, shape.Nodes),
		Transfers:   make([]TransferSlot, shape.Transfers),
		FeeAccounts: make([]FeeSlot, shape.FeeAccounts),
		Opens:       make([]OpenSlot, shape.Opens),
		Exits:       make([]ExitSlot, shape.Exits),
		shape:       shape,
	}
	for i := range c.Transfers {
		c.Transfers[i].Signature = gadget.NewSignatureWires(shape.WindowBits)
	}
	return c
}

// Define lays out the chips. Each step has its attack tests in attack_test.go.
func (c *Circuit) Define(api frontend.API) error {
	k, err := newChips(api, c.without)
	if err != nil {
		return err
	}
	signatures, err := gadget.NewSignatureVerifier(api, k.bus, k.poseidon, c.shape.WindowBits)
	if err != nil {
		return err
	}
	k.Width("number: 32 bits", c.Header.Number, settle.BatchBits)

	if err := k.accounts(c.Accounts); err != nil {
		return fmt.Errorf("account chip: %w", err)
	}
	if err := k.tree(c.Nodes, c.Header.OldRoot, c.Header.NewRoot); err != nil {
		return fmt.Errorf("tree chip: %w", err)
	}
	records, err := k.transfers(c.Transfers, c.Header, c.shape, signatures)
	if err != nil {
		return fmt.Errorf("transfer chip: %w", err)
	}
	sections := sections{fees: k.fees(c.FeeAccounts), transfers: records, opens: k.opens(c.Opens), exits: k.exits(c.Exits)}
	if err := k.publicData(c, sections); err != nil {
		return fmt.Errorf("public data: %w", err)
	}
	if err := signatures.Close(); err != nil {
		return fmt.Errorf("signature table: %w", err)
	}
	return k.bus.Close()
}
