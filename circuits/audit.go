package circuits

import (
	"fmt"

	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zksettle/settle/circuits/transition"
)

// ViolationError is a rule of the circuit that a witness breaks.
type ViolationError = transition.ViolationError

// Audit names every rule of the transition circuit that a full witness breaks, those
// too that the circuit states for all slots at once (range checks, the bus): none for
// a witness that can be proven. It evaluates the rules natively, on a circuit of the
// shape that has everything else. An error means that this could not be done: a hint
// or a division refused its inputs, which Solve reports too.
func Audit(shape Shape, full witness.Witness) ([]ViolationError, error) {
	var auditor transition.Auditor
	system, err := auditor.CompileAudited(shape)
	if err != nil {
		return nil, err
	}
	_, err = system.Solve(full, solver.WithHints(auditor.Look))
	if broken := auditor.Findings(); len(broken) > 0 {
		return broken, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return nil, nil
}
