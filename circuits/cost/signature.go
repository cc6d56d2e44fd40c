package cost

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
)

// signatures is the circuit of some signatures and their table.
type signatures struct {
	Signatures []gadget.SignatureWires
	Messages   []gadget.SignedMessage

	windowBits int
}

func newSignatures(windowBits, n int) *signatures {
	c := &signatures{Messages: make([]gadget.SignedMessage, n), windowBits: windowBits}
	for range n {
		c.Signatures = append(c.Signatures, gadget.NewSignatureWires(windowBits))
	}
	return c
}

// Define implements frontend.Circuit.
func (c *signatures) Define(api frontend.API) error {
	poseidon, err := gadget.NewPoseidon(api)
	if err != nil {
		return err
	}
	b := bus.New(api)
	verifier, err := gadget.NewSignatureVerifier(api, b, poseidon, c.windowBits)
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
	return b.Close()
}

// lookupConstraints is the cost of one window of one signature (an addition and
// a bus term), rowConstraints that of a table row.
const (
	lookupConstraints = 6
	rowConstraints    = 1
)

// tableConstraints is what the table of a window width costs a circuit, whatever the
// number of its signatures.
func tableConstraints(windowBits int) int {
	cost := 0
	for _, width := range gadget.WindowWidths(windowBits) {
		cost += rowConstraints << width
	}
	return cost
}

// BestWindow returns the window width with the fewest constraints for a circuit
// that verifies n signatures.
func BestWindow(n int) int {
	best, least := 0, 0
	for bits := 2; bits <= gadget.MaxWindowBits; bits++ {
		cost := n*len(gadget.WindowWidths(bits))*lookupConstraints + tableConstraints(bits)
		if best == 0 || cost < least {
			best, least = bits, cost
		}
	}
	return best
}
