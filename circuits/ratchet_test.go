package circuits_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
)

var update = flag.Bool("update", false, "rewrite testdata/constraints.csv and testdata/fingerprints.csv")

// TestRatchet compares every shape's and gadget's counts and every shape's
// fingerprint with the committed files, exactly. A change of a count is a
// decision: regenerate with make ratchet and say why in the commit.
func TestRatchet(t *testing.T) {
	constraints := [][]string{circuits.StatsColumns()}
	fingerprints := [][]string{{"circuit", "shape", "fingerprint"}}
	for _, shape := range circuits.Shapes() {
		ccs, err := circuits.Compile(shape)
		require.NoError(t, err)
		stats := circuits.StatsOf(shape, ccs)
		require.Equal(t, 3, stats.PublicInputs)
		require.Equal(t, 1, stats.Commitments)
		constraints = append(constraints, stats.Row())
		fingerprint, err := circuits.FingerprintOf(ccs)
		require.NoError(t, err)
		fingerprints = append(fingerprints, []string{settle.CircuitTransition, shape.Name, fingerprint.String()})
	}
	demo, err := circuits.ShapeByName("demo")
	require.NoError(t, err)
	costs, err := circuits.GadgetCosts(demo)
	require.NoError(t, err)
	for _, cost := range costs {
		constraints = append(constraints, []string{"gadget", cost.Gadget, "", "", "", strconv.Itoa(cost.Constraints), "", "", "", "", "", ""})
	}
	compare(t, "constraints.csv", constraints)
	compare(t, "fingerprints.csv", fingerprints)
}

func compare(t *testing.T, name string, rows [][]string) {
	path := filepath.Join("testdata", name)
	var got bytes.Buffer
	require.NoError(t, csv.NewWriter(&got).WriteAll(rows))
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "%s is not current: make ratchet rewrites it", name)
}

// TestLimits states the bounds that the design sets; the ratchet holds the
// exact figures below them.
func TestLimits(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "constraints.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	limits := map[string]int{"signature": 1400, "tree node": 600, "memory access": 30}
	for _, row := range rows {
		if limit, ok := limits[row[1]]; ok && row[0] == "gadget" {
			count, err := strconv.Atoi(row[5])
			require.NoError(t, err)
			require.LessOrEqual(t, count, limit, row[1])
			delete(limits, row[1])
		}
		if row[1] == "demo" {
			transfers, err := strconv.Atoi(row[2])
			require.NoError(t, err)
			require.GreaterOrEqual(t, transfers, 14)
			require.Equal(t, strconv.Itoa(1<<17), row[6])
		}
	}
	require.Empty(t, limits, "rows are missing")
}
