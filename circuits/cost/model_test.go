package cost

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
)

// TestModel compares the model with every shape that is committed as compiled,
// exactly, and with compiled circuits of odd sizes, where hashes of constants are
// cheaper by a few constraints.
func TestModel(t *testing.T) {
	f, err := os.Open("../testdata/constraints.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	committed := map[string]int{}
	for _, row := range rows {
		if row[0] == settle.CircuitTransition {
			committed[row[1]], err = strconv.Atoi(row[5])
			require.NoError(t, err)
		}
	}
	for _, shape := range transition.Shapes() {
		m, err := NewModel(shape.WindowBits)
		require.NoError(t, err)
		require.Equal(t, committed[shape.Name], m.Constraints(shape.Capacity), shape.Name)
		for _, p := range m.Parts(shape.Capacity) {
			require.Positive(t, p.Constraints, p.Name)
		}
	}
	const windowBits = 3
	m, err := NewModel(windowBits)
	require.NoError(t, err)
	for _, c := range []settle.Capacity{
		{Transfers: 1, Accounts: 1, Nodes: 1, FeeAccounts: 1},
		{Transfers: 2, Accounts: 7, Nodes: 3, FeeAccounts: 1, Opens: 0, Exits: 4},
		{Transfers: 7, Accounts: 2, Nodes: 30, FeeAccounts: 5, Opens: 3, Exits: 0},
	} {
		ccs, err := transition.Compile(transition.Shape{Name: "other", WindowBits: windowBits, Capacity: c})
		require.NoError(t, err)
		require.InDelta(t, ccs.GetNbConstraints(), m.Constraints(c), 5, "%+v", c)
	}
}
