package circuits

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle/circuits/diagnosis"
	"github.com/zksettle/settle/circuits/transition"
)

// Audit names every rule of the transition circuit that a full witness breaks, those
// too that the circuit states for all slots at once (range checks, the bus): none for
// a witness that can be proven. It evaluates the rules natively, on a circuit of the
// shape that has everything else. An error means that this could not be done: a hint
// or a division refused its inputs, which diagnosis.Solve reports too.
func Audit(shape Shape, full witness.Witness) ([]diagnosis.ViolationError, error) {
	audit, err := diagnosis.NewAudit(transition.New(shape))
	if err != nil {
		return nil, fmt.Errorf("audit shape %s: %w", shape.Name, err)
	}
	broken, err := audit.Run(full)
	if err != nil && !errors.Is(err, diagnosis.ErrBroken) {
		return broken, fmt.Errorf("audit: %w", err)
	}
	return broken, nil
}

// Locate returns the code that states a constraint of a shape's circuit, by the number in
// gnark's errors (diagnosis.Locate).
func Locate(shape Shape, number int) (diagnosis.Origin, error) {
	return diagnosis.Locate(func() (constraint.ConstraintSystem, error) { return Compile(shape) }, number)
}
