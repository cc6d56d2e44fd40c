package aggregate

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// ErrInnerProof reports a proof that cannot be put in a slot.
var ErrInnerProof = errors.New("inner proof")

// Assign returns the assignment of 1 to slots proofs, in the order of their batches.
// Slots that are left repeat the first proof, inactive. It does not verify the
// proofs: the circuit does. ErrInnerProof; publicdata.ErrCapacity.
func Assign(slots int, proofs []settle.ProofEnvelope) (*Circuit, error) {
	c := &Circuit{Slots: make([]Slot, slots)}
	inputs := make([][3]fr.Element, len(proofs))
	for i := range proofs {
		if i >= slots {
			break // AggregateInputs says so
		}
		slot, err := assignSlot(&proofs[i], &inputs[i])
		if err != nil {
			return nil, fmt.Errorf("proof %d: %w", i, err)
		}
		c.Slots[i] = slot
	}
	public, err := publicdata.AggregateInputs(poseidon.New(), slots, inputs)
	if err != nil {
		return nil, err
	}
	c.C, c.Z, c.V = public[0], public[1], public[2]
	for i := len(proofs); i < slots; i++ {
		c.Slots[i] = c.Slots[0]
		c.Slots[i].Active = 0
	}
	return c, nil
}

func assignSlot(envelope *settle.ProofEnvelope, inputs *[3]fr.Element) (Slot, error) {
	var slot Slot
	for i := range inputs {
		if err := inputs[i].SetBytesCanonical(envelope.Inputs[i][:]); err != nil {
			return slot, fmt.Errorf("%w: input %d: %w", ErrInnerProof, i, err)
		}
		slot.Inputs[i] = inputs[i]
	}
	proof, err := gnarkcodec.Proof(envelope.Proof)
	if err != nil {
		return slot, fmt.Errorf("%w: %w", ErrInnerProof, err)
	}
	slot.Active = 1
	slot.Proof = proofOf(proof)
	return slot, nil
}

func proofOf(p *groth16bn254.Proof) Proof {
	return Proof{
		A: sw_bn254.NewG1Affine(p.Ar), B: sw_bn254.NewG2Affine(p.Bs), C: sw_bn254.NewG1Affine(p.Krs),
		Commitment: sw_bn254.NewG1Affine(p.Commitments[0]), Knowledge: sw_bn254.NewG1Affine(p.CommitmentPok),
	}
}
