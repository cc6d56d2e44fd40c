package gadget

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// PublicInputs is the number of public inputs of every circuit: a digest, a challenge
// and the evaluation there.
const PublicInputs = 3

// ErrSystem reports a compiled system that breaks what the verifier relies on.
var ErrSystem = errors.New("constraint system breaks an assumption of the verifier")

// CompileSystem returns the constraint system of a circuit over BN254's scalar field; each
// call of circuit returns it anew. It refuses a system that does not have exactly three
// public inputs and one Groth16 commitment that commits no public input (ErrSystem).
func CompileSystem(circuit func() frontend.Circuit) (constraint.ConstraintSystem, error) {
	// NewSchema refuses unknown tag options, which Compile would ignore: a
	// misspelt "public" would silently become secret.
	if _, err := frontend.NewSchema(ecc.BN254.ScalarField(), circuit()); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit())
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	if err := checkSystem(ccs); err != nil {
		return nil, err
	}
	return ccs, nil
}

func checkSystem(ccs constraint.ConstraintSystem) error {
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
