package transition

import (
	"testing"

	"github.com/consensys/gnark/constraint"
	csbn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
)

// quotients lists, for each constraint of a system that a wire is a quotient in, that
// wire and the side it is on. Outputs of hints are no quotients.
func quotients(ccs constraint.ConstraintSystem) (found []quotient) {
	system := ccs.(*csbn254.R1CS)
	known := wireSet{}
	for w := range ccs.GetNbPublicVariables() + ccs.GetNbSecretVariables() {
		known[w] = true
	}
	for _, instruction := range system.Instructions {
		if _, ok := system.Blueprints[instruction.BlueprintID].(*constraint.BlueprintGenericHint); !ok {
			continue
		}
		// Number of words, hint, number of inputs, inputs, first output, last output + 1.
		data, at := system.CallData[instruction.StartCallData:], 3
		for range data[2] {
			at += 1 + 2*int(data[at])
		}
		for w := data[at]; w < data[at+1]; w++ {
			known[int(w)] = true
		}
	}
	for row, r := range system.GetR1Cs() {
		for side, l := range []constraint.LinearExpression{r.L, r.R, r.O} {
			wire, n := known.missing(l)
			if n == 0 {
				continue
			}
			known[wire] = true
			if side < 2 {
				found = append(found, quotient{row, side})
			}
		}
	}
	return found
}

type quotient struct{ row, side int }

// TestNoQuotientIsFree: in no valid batch does an unchecked division divide by 0. The
// solver fills in 0 for 0/0, and a hostile prover what it likes, so that tests that
// solve would not see it.
func TestNoQuotientIsFree(t *testing.T) {
	shape := mustShape(t, "tiny")
	ccs := system(t, shape)
	solver.RegisterHint(gadget.Hints()...)
	found := quotients(ccs)
	require.Greater(t, len(found), 1500, "the divisions are no longer found")
	for _, s := range specimens(t, shape) {
		solution, err := ccs.Solve(s.full, solver.OverrideHint(solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder), hashCommitment))
		require.NoError(t, err, s.name)
		values := solution.(*csbn254.R1CSSolution)
		for _, q := range found {
			divisor := values.B[q.row]
			if q.side == 1 {
				divisor = values.A[q.row]
			}
			require.False(t, divisor.IsZero(), "%s: constraint %d divides by 0", s.name, q.row)
		}
	}
}
