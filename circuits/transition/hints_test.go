package transition

import (
	flags "flag"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/internal/hostile"
)

// exhaustive has attacks on hints and witnesses try all that they can: `make attack`.
var exhaustive = flags.Bool("exhaustive", false, "attack every output of hints and every value of witnesses, on demo too")

// harmlessLies are those that the circuit accepts.
func harmlessLies() []hostile.Harmless {
	return []hostile.Harmless{
		{
			Hint: "cs.Bsb22CommitmentComputePlaceholder",
			Why:  "the challenge: in a proof the verifier computes it from the commitment, and the prover has no say",
		},
		{
			Hint: "hints.Randomize",
			Why:  "blinds the commitment, as gnark asks: any value does",
		},
		{
			Hint: "solver.InvZeroHint",
			When: func(in, _ []*big.Int) bool { return in[0].Sign() == 0 },
			Why:  "IsZero(0) is 1 whatever stands for the inverse of 0: m = 1 - x·inverse, x·m = 0",
		},
	}
}

// TestHostileHints has each hint that the compiled circuit uses, ours and gnark's, lie
// on one call: no hint is trusted.
func TestHostileHints(t *testing.T) {
	shapes, sample := []string{"tiny"}, hostile.Sample{Calls: 1, Outputs: 24}
	if *exhaustive {
		shapes, sample = []string{"tiny", "demo"}, hostile.Sample{Calls: 12, Outputs: 2048}
	}
	for _, name := range shapes {
		shape := mustShape(t, name)
		attacked, lies := target(t, shape), new(hostile.Lies)
		for i, s := range specimens(t, shape) {
			sample.Round = i
			told, err := attacked.Lie(s.full, sample, harmlessLies())
			require.NoError(t, err, s.name)
			require.Empty(t, told.Unlisted, "accepted lies of batch %q", s.name)
			lies.Merge(told)
		}
		require.Empty(t, attacked.Gaps(lies, harmlessLies()))
		t.Logf("%s: lies %v, accepted %v", name, lies.Told, lies.Accepted)
	}
}
