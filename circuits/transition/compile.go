package transition

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle/circuits/gadget"
)

// Compile returns the shape's constraint system over BN254's scalar field. It
// refuses a system that does not have exactly three public inputs and one
// Groth16 commitment that commits no public input.
func Compile(shape Shape) (constraint.ConstraintSystem, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	// NewSchema refuses unknown tag options, which Compile would ignore: a
	// misspelt "public" would silently become secret.
	if _, err := frontend.NewSchema(ecc.BN254.ScalarField(), New(shape)); err != nil {
		return nil, fmt.Errorf("shape %s: %w", shape.Name, err)
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, New(shape))
	if err != nil {
		return nil, fmt.Errorf("compile shape %s: %w", shape.Name, err)
	}
	if err := gadget.CheckSystem(ccs); err != nil {
		return nil, fmt.Errorf("shape %s: %w", shape.Name, err)
	}
	return ccs, nil
}

// check refuses sizes that the circuit has no chips for.
func (s Shape) check() error {
	switch {
	case s.Transfers < 1 || s.Accounts < 1 || s.Nodes < 1 || s.FeeAccounts < 1:
		return fmt.Errorf("shape %s: every kind of slot needs at least one, got %+v", s.Name, s.Capacity)
	case s.L1Ops != 0:
		return fmt.Errorf("shape %s: the circuit has no chip for L1 operations, got %+v", s.Name, s.Capacity)
	}
	return nil
}
