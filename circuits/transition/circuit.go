// Package transition is the circuit that proves one batch: a set of chips
// joined by a bus (package bus). docs/soundness.md argues why each chip's rules
// suffice; package state is the specification that it implements.
package transition

import (
	"fmt"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"

	"github.com/zksettle/settle/circuits/bus"
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

	shape Shape
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
		shape:       shape,
	}
	for i := range c.Transfers {
		c.Transfers[i].Signature = gadget.NewSignatureWires(shape.WindowBits)
	}
	return c
}

// chips is what the steps of Define share.
type chips struct {
	api      frontend.API
	bus      *bus.Bus
	poseidon *gadget.Poseidon
	ranges   frontend.Rangechecker
}

func newChips(api frontend.API) (*chips, error) {
	poseidon, err := gadget.NewPoseidon(api)
	if err != nil {
		return nil, err
	}
	return &chips{api: api, bus: bus.New(api), poseidon: poseidon, ranges: rangecheck.New(api)}, nil
}

// Define lays out the chips. Each step has its attack tests in attack_test.go.
func (c *Circuit) Define(api frontend.API) error {
	k, err := newChips(api)
	if err != nil {
		return err
	}
	signatures, err := gadget.NewSignatureVerifier(api, k.bus, k.poseidon, c.shape.WindowBits)
	if err != nil {
		return err
	}
	k.ranges.Check(c.Header.Number, 32)

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
	fees := k.fees(c.FeeAccounts)
	if err := k.publicData(c, fees, records); err != nil {
		return fmt.Errorf("public data: %w", err)
	}
	if err := signatures.Close(); err != nil {
		return fmt.Errorf("signature table: %w", err)
	}
	return k.bus.Close()
}

// boolean commits a witness flag and constrains it to 0 or 1.
func (k *chips) boolean(v frontend.Variable) bus.Wire {
	k.api.AssertIsBoolean(v)
	return k.bus.Free(v)
}

// prefix constrains boolean flags to 1…1 0…0.
func (k *chips) prefix(flags []frontend.Variable) {
	for i := 1; i < len(flags); i++ {
		k.api.AssertIsEqual(k.api.Mul(flags[i], k.api.Sub(1, flags[i-1])), 0)
	}
}

// increasing constrains value > previous, both below 2^bits, where active is 1.
func (k *chips) increasing(active, previous, value frontend.Variable, bits int) {
	gap := k.api.Sub(value, previous, 1)
	k.ranges.Check(k.api.Mul(active, gap), bits)
}

// nonZero constrains v ≠ 0 where active is 1.
func (k *chips) nonZero(active, v frontend.Variable) {
	k.api.AssertIsDifferent(k.api.Select(active, v, 1), 0)
}
