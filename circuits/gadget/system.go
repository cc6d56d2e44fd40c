package gadget

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark/constraint"
)

// PublicInputs is the number of public inputs of every circuit: a digest, a challenge
// and the evaluation there.
const PublicInputs = 3

// ErrSystem reports a compiled system that breaks what the verifier relies on.
var ErrSystem = errors.New("constraint system breaks an assumption of the verifier")

// CheckSystem refuses a system that does not have exactly three public inputs and one
// Groth16 commitment that commits no public input.
func CheckSystem(ccs constraint.ConstraintSystem) error {
	if n := ccs.GetNbPublicVariables() - 1; n != PublicInputs { // the constant wire counts as public
		return fmt.Errorf("%w: %d public inputs, want %d", ErrSystem, n, PublicInputs)
	}
	commitments, ok := ccs.GetCommitments().(constraint.Groth16Commitments)
	if !ok || len(commitments) != 1 {
		return fmt.Errorf("%w: want one Groth16 commitment, got %T of %d", ErrSystem, ccs.GetCommitments(), len(commitments))
	}
	if n := len(commitments[0].PublicAndCommitmentCommitted); n != 0 {
		return fmt.Errorf("%w: %d public inputs are committed", ErrSystem, n)
	}
	return nil
}
