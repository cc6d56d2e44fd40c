package bench

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/circuits/transition"
)

func testCommon(t *testing.T) Common {
	machine, err := record.ThisMachine("test")
	require.NoError(t, err)
	return Common{Folder: t.TempDir(), Machine: machine, Repeats: 1}
}

// TestCircuits counts the smallest shape, and foretells demo's batches.
func TestCircuits(t *testing.T) {
	f, err := Circuits(t.Context(), testCommon(t), CircuitsConfig{
		Shapes: []string{"tiny"}, Transfers: []int{2, 21}, Accounts: []int{1 << 10, 1 << 20},
		Patterns: []cost.Pattern{cost.Uniform, cost.Zipf, cost.Merchant}, Seed: 1,
	})
	require.NoError(t, err)
	of := func(name string, labels ...string) float64 {
		m, ok := f.Find(name, labels...)
		require.True(t, ok, "%s %v", name, labels)
		require.Len(t, m.Values, 1)
		return m.Median
	}
	sum := 0.0
	for _, m := range f.Measurements {
		if m.Name == ConstraintsName && m.Labels["chip"] != "" {
			sum += m.Median
		}
	}
	require.InDelta(t, of(ConstraintsName, "shape", "tiny"), sum, 0)
	at := func(transfers, accounts int, pattern string) float64 {
		return of(ConstraintsPerTransferName, "transfers", strconv.Itoa(transfers), "accounts", strconv.Itoa(accounts), "pattern", pattern)
	}
	require.InDelta(t, 6096, at(21, 1<<10, "uniform"), 300, "demo is dimensioned for such batches")
	for _, pattern := range []string{"uniform", "zipf", "merchant"} {
		require.Less(t, at(21, 1<<20, pattern), at(2, 1<<20, pattern))
		require.Less(t, at(21, 1<<10, pattern), at(21, 1<<20, pattern))
	}
	require.Less(t, at(21, 1<<20, "zipf"), at(21, 1<<20, "uniform"))
	require.Less(t, at(21, 1<<20, "merchant"), at(21, 1<<20, "uniform"))

	_, err = Circuits(t.Context(), testCommon(t), CircuitsConfig{Shapes: []string{"huge"}})
	require.ErrorIs(t, err, transition.ErrUnknownShape)
	_, err = Circuits(t.Context(), testCommon(t), CircuitsConfig{Transfers: []int{0}, Accounts: []int{1 << 10}})
	require.ErrorContains(t, err, "expected at least 1")
}

// TestCapacityOf compares the slots that are taken from mean and deviation with the
// 999th of 1,000 batches, for the populations of compiled shapes.
func TestCapacityOf(t *testing.T) {
	for _, name := range []string{"demo", "small"} {
		shape, err := circuits.ShapeByName(name)
		require.NoError(t, err)
		foretold := capacityOf(1, cost.Uniform, shape.Transfers, cost.PopulationOf(shape).Accounts)
		sampler := cost.PopulationOf(shape).Sampler(rand.New(rand.NewPCG(5, 6)))
		var nodes, accounts []int
		for range 1000 {
			u := sampler.Usage(shape.Transfers)
			nodes, accounts = append(nodes, u.Nodes), append(accounts, u.Accounts)
		}
		slices.Sort(nodes)
		slices.Sort(accounts)
		require.InEpsilon(t, nodes[998], foretold.Nodes, 0.02)
		require.InDelta(t, accounts[998], foretold.Accounts, 3)
	}
}

// TestPlainSize meets a compiled plain circuit that it is not foretold from.
func TestPlainSize(t *testing.T) {
	plain, err := newPlainSize(t.Context())
	require.NoError(t, err)
	require.Equal(t, 19, plain.within(1<<20))
	require.Zero(t, plain.within(1<<17))
	require.InEpsilon(t, 315_689, plain.constraints(2), 0.005)
}
