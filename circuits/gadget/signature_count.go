package gadget

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle/circuits/bus"
)

// signatureCircuit verifies signatures and nothing else: for counting and tests.
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

// CountSignature compiles circuits of n and n + 1 signatures and returns the
// constraints of one signature (their difference) and of what all share (the
// table, the bus and gnark's range table).
func CountSignature(windowBits, n int) (each, fixed int, err error) {
	var counts [2]int
	for i := range counts {
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newSignatureCircuit(windowBits, n+i))
		if err != nil {
			return 0, 0, fmt.Errorf("compile %d signatures: %w", n+i, err)
		}
		counts[i] = ccs.GetNbConstraints()
	}
	each = counts[1] - counts[0]
	return each, counts[0] - n*each, nil
}
