package cost

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
)

// countSignature compiles circuits of two and three signatures and returns the
// constraints of one (their difference) and of what all share (the table, the bus and
// gnark's range table).
func countSignature(t *testing.T, windowBits int) (each, fixed int) {
	t.Helper()
	const n = 2
	var counts [2]int
	for i := range counts {
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, newSignatures(windowBits, n+i))
		require.NoError(t, err)
		counts[i] = ccs.GetNbConstraints()
	}
	each = counts[1] - counts[0]
	return each, counts[0] - n*each
}

func TestSignatureCount(t *testing.T) {
	shared := map[int]int{}
	var last int
	for _, windowBits := range []int{4, 5, 6} {
		each, fixed := countSignature(t, windowBits)
		require.LessOrEqual(t, each, 1400, "window %d", windowBits)
		widths := gadget.WindowWidths(windowBits)
		rows := 0
		for _, width := range widths {
			rows += rowConstraints << width
		}
		// BestWindow's model holds up to what does not depend on the width.
		each -= lookupConstraints * len(widths)
		if last != 0 {
			require.Equal(t, last, each)
		}
		last = each
		shared[fixed-rows] = windowBits
	}
	require.Len(t, shared, 1)
	require.Equal(t, []int{3, 5, 7, 10}, []int{BestWindow(2), BestWindow(18), BestWindow(97), BestWindow(1000)})
}
