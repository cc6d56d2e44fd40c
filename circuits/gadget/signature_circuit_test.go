package gadget

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/bus"
)

// signatureCircuit verifies signatures and nothing else.
type signatureCircuit struct {
	Signatures []SignatureWires
	Messages   []SignedMessage

	windowBits int
}

func newSignatureCircuit(windowBits, n int) *signatureCircuit {
	c := &signatureCircuit{Signatures: make([]SignatureWires, n), Messages: make([]SignedMessage, n), windowBits: windowBits}
	for i := range c.Signatures {
		c.Signatures[i] = NewSignatureWires(windowBits)
	}
	return c
}

func (c *signatureCircuit) Define(api frontend.API) error {
	b := bus.New(api)
	poseidon, err := NewPoseidon(api)
	if err != nil {
		return err
	}
	v, err := NewSignatureVerifier(api, b, poseidon, c.windowBits)
	if err != nil {
		return err
	}
	for i, w := range c.Signatures {
		if err := v.Verify(w, c.Messages[i]); err != nil {
			return err
		}
	}
	if err := v.Close(); err != nil {
		return err
	}
	return b.Close()
}
