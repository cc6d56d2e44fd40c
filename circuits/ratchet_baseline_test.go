package circuits_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/baseline"
)

// baselineRows compiles the plain circuit that Settle's is measured against.
func baselineRows(t *testing.T) (constraints [][]string) {
	t.Helper()
	for _, transfers := range []int{1, 2} {
		ccs, err := baseline.Compile(transfers)
		require.NoError(t, err)
		n := strconv.Itoa(transfers)
		constraints = append(constraints, []string{"baseline", n, n, "", "", strconv.Itoa(ccs.GetNbConstraints()), "", "", "", "", "", "", "", ""})
	}
	return constraints
}
