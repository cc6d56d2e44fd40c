package transition

import (
	"fmt"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/gadget"
)

// Compile returns the shape's constraint system over BN254's scalar field. It
// refuses a system that does not have exactly three public inputs and one
// Groth16 commitment that commits no public input.
func Compile(shape Shape) (constraint.ConstraintSystem, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	ccs, err := gadget.CompileSystem(func() frontend.Circuit { return New(shape) })
	if err != nil {
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
