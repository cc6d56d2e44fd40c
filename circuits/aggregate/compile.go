package aggregate

import (
	"fmt"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/gadget"
)

// Compile returns the constraint system of a number of slots for an inner key, 1.2 M
// constraints and 0.42 M for each slot: half a minute and 4 GB for two slots.
func Compile(key *Key, slots int) (constraint.ConstraintSystem, error) {
	if slots < 1 {
		return nil, fmt.Errorf("%d slots, expected at least 1", slots)
	}
	ccs, err := gadget.CompileSystem(func() frontend.Circuit { return New(key, slots) })
	if err != nil {
		return nil, fmt.Errorf("aggregate circuit of %d slots: %w", slots, err)
	}
	return ccs, nil
}
