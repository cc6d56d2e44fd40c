package circuits_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
)

var (
	update = flag.Bool("update", false, "rewrite testdata/constraints.csv and fingerprints.csv")
	all    = flag.Bool("all", false, "compile every shape (some minutes, 8 GB) instead of the two smallest")
)

// TestRatchet compares shapes' and gadgets' counts and shapes' fingerprints with
// the committed files, exactly. A change of a count is a decision: regenerate with
// make ratchet and say why in the commit. By default the two smallest shapes are
// compiled; CI compiles all shapes and aggregate circuits, one after another.
func TestRatchet(t *testing.T) {
	require.False(t, *update && !*all, "-update needs -all: a partial file would lose rows")
	constraints, fingerprints := [][]string{cost.StatsColumns()}, [][]string{{"circuit", "shape", "fingerprint"}}
	for i, shape := range circuits.Shapes() {
		if i >= 2 && !*all {
			break
		}
		ccs, err := circuits.Compile(shape)
		require.NoError(t, err)
		stats := cost.StatsOf(shape, ccs)
		require.Equal(t, 3, stats.PublicInputs)
		require.Equal(t, 1, stats.Commitments)
		constraints = append(constraints, stats.Row())
		fingerprint, err := circuits.FingerprintOf(ccs)
		require.NoError(t, err)
		fingerprints = append(fingerprints, []string{settle.CircuitTransition, shape.Name, fingerprint.String()})
	}
	demo, err := circuits.ShapeByName("demo")
	require.NoError(t, err)
	parts, err := cost.Parts(demo)
	require.NoError(t, err)
	for _, part := range parts {
		each := strconv.Itoa(int(math.Ceil(part.Each)))
		constraints = append(constraints, []string{"gadget", part.Name, "", "", "", each, "", "", "", "", "", "", "", ""})
	}
	if *all {
		rows, prints := aggregateRows(t)
		constraints, fingerprints = append(constraints, rows...), append(fingerprints, prints...)
	}
	constraints = append(constraints, baselineRows(t)...)
	compare(t, filepath.Join("testdata", "constraints.csv"), constraints)
	compare(t, "fingerprints.csv", fingerprints)
}

// compare checks that each row stands in the file, and with -all that no other does.
func compare(t *testing.T, path string, rows [][]string) {
	var got bytes.Buffer
	require.NoError(t, csv.NewWriter(&got).WriteAll(rows))
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	if *all {
		require.Equal(t, string(file), got.String(), "%s is not current: make ratchet rewrites it", path)
		return
	}
	committed, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows {
		require.Contains(t, committed, row, "%s is not current: make ratchet rewrites it", path)
	}
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
	shapes := map[string]struct{ transfers, perTransfer, domain int }{
		"demo": {14, 1 << 30, 1 << 17}, "small": {97, 10_800, 1 << 20}, "medium": {212, 9_800, 1 << 21}, "large": {1000, 8_400, 1 << 23},
	}
	for _, row := range rows {
		if limit, ok := limits[row[1]]; ok && row[0] == "gadget" {
			count, err := strconv.Atoi(row[5])
			require.NoError(t, err)
			require.LessOrEqual(t, count, limit, row[1])
			delete(limits, row[1])
		}
		if limit, ok := shapes[row[1]]; ok {
			number := func(column int) int {
				n, err := strconv.Atoi(row[column])
				require.NoError(t, err)
				return n
			}
			require.GreaterOrEqual(t, number(2), limit.transfers, row[1])
			require.LessOrEqual(t, number(8), limit.perTransfer, row[1])
			require.Equal(t, limit.domain, number(6), row[1])
			fill, err := strconv.ParseFloat(row[7], 64)
			require.NoError(t, err)
			least := 0.97
			if row[1] == "demo" {
				least = 0.85
			}
			require.GreaterOrEqual(t, fill, least, row[1])
			delete(shapes, row[1])
		}
	}
	require.Empty(t, limits, "gadget rows are missing")
	require.Empty(t, shapes, "shape rows are missing")
}
