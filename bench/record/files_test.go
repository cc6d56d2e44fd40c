package record_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle/bench/record"
)

func file(benchmark string, measurements ...record.Measurement) *record.File {
	return &record.File{Format: record.Format, Benchmark: benchmark, Measurements: measurements}
}

func measurement(name string, source record.Source, better record.Better, values ...float64) record.Measurement {
	return record.Measurement{
		Task: "task", Value: record.Value{Name: name, Unit: "u", Source: source, Better: better},
		Values: values, Summary: record.Summarize(values),
	}
}

func TestSummariesAreComputedAnew(t *testing.T) {
	folder := t.TempDir()
	m := measurement("x", record.Measured, record.Lower, 3, 1, 2)
	m.Summary = record.Summary{Median: 99, Least: 99, Most: 99}
	require.NoError(t, file("toy", m).Write(folder))
	f, err := record.Read(record.Path(folder, "toy"))
	require.NoError(t, err)
	require.Equal(t, record.Summary{Median: 2, Least: 1, Most: 3}, f.Measurements[0].Summary)
}

func TestDamagedFiles(t *testing.T) {
	folder := t.TempDir()
	path := record.Path(folder, "toy")
	require.NoError(t, file("toy", measurement("x", record.Measured, record.Lower, 1)).Write(folder))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, data := range map[string]string{
		"cut":        string(whole[:len(whole)/2]),
		"empty":      "",
		"no object":  "[]",
		"other form": `{"format":"settle/bench/v0","benchmark":"toy"}`,
		"no name":    `{"format":"settle/bench/v1"}`,
		"a path":     `{"format":"settle/bench/v1","benchmark":"../toy"}`,
		"no values":  strings.Replace(string(whole), "1\n      ]", "]", 1),
		"no source":  strings.Replace(string(whole), `"measured"`, `"guessed"`, 1),
	} {
		require.NotEqual(t, string(whole), data, name)
		require.NoError(t, os.WriteFile(path, []byte(data), 0o644))
		_, err := record.Read(path)
		require.ErrorIs(t, err, record.ErrFormat, name)

		p := newPlan(t)
		p.folder = folder
		_, err = p.run().Do(t.Context())
		require.ErrorIs(t, err, record.ErrFormat, name)
		require.Empty(t, p.calls, name)
	}
	p := newPlan(t)
	p.folder = folder
	r := p.run()
	r.Fresh = true
	_, err = r.Do(t.Context())
	require.NoError(t, err)
}

func TestFolders(t *testing.T) {
	folder := t.TempDir()
	_, err := record.ReadAll(folder)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = record.ReadAll(filepath.Join(folder, "toy.json"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, file("b").Write(folder))
	require.NoError(t, file("a").Write(folder))
	files, err := record.ReadAll(folder)
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Equal(t, "a", files[0].Benchmark)
	files, err = record.ReadAll(record.Path(folder, "b"))
	require.NoError(t, err)
	require.Len(t, files, 1)

	require.NoError(t, file("a").WriteJSON(filepath.Join(folder, "copy.json")))
	_, err = record.ReadAll(folder)
	require.ErrorContains(t, err, "one run of each")
}

// TestReplaceIsWholeOrNothing: a failed write leaves the old file and no rest.
func TestReplaceIsWholeOrNothing(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "new", "file")
	require.NoError(t, record.Replace(path, []byte("one")))
	require.NoError(t, record.Replace(path, []byte("two")))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "two", string(data))

	inTheWay := filepath.Join(folder, "new", "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(inTheWay, "full"), 0o755))
	require.Error(t, record.Replace(inTheWay, []byte("three")))
	entries, err := os.ReadDir(filepath.Join(folder, "new"))
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing temporary is left")
}

func TestCounts(t *testing.T) {
	f := file("toy",
		measurement("time", record.Measured, record.Lower, 1, 2), measurement("constraints", record.Counted, record.Lower, 5, 5),
		measurement("gas", record.Counted, record.Lower, 5, 6), measurement("later", record.Projected, record.Lower, 5))
	f.Machine.CPU = "this one"
	counts := f.Counts()
	require.Len(t, counts.Measurements, 1)
	require.Equal(t, "constraints", counts.Measurements[0].Name)
	require.Equal(t, []float64{5}, counts.Measurements[0].Values)
	require.Zero(t, counts.Machine)
	require.Len(t, f.Measurements[1].Values, 2, "the run itself stays")
	path := filepath.Join(t.TempDir(), "toy.json")
	require.NoError(t, counts.WriteJSON(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(data), "machine")
	require.NotContains(t, string(data), "started")
}

func TestQuantiles(t *testing.T) {
	require.InDelta(t, 2.5, record.Quantile([]float64{1, 2, 3, 4}, 0.5), 1e-12)
	require.InDelta(t, 7, record.Quantile([]float64{7}, 0.99), 0)
	require.InDelta(t, 3.7, record.Quantile([]float64{1, 2, 3, 4}, 0.9), 1e-12)
	require.Zero(t, record.Summary{}.Spread())
	require.InDelta(t, 1, record.Summary{Median: -2, Least: -3, Most: -1}.Spread(), 1e-12)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 50).Draw(t, "values")
		slices.Sort(values)
		p, q := rapid.Float64Range(0, 1).Draw(t, "p"), rapid.Float64Range(0, 1).Draw(t, "q")
		low, high := record.Quantile(values, min(p, q)), record.Quantile(values, max(p, q))
		require.LessOrEqual(t, low, high+1e-6)
		require.InDelta(t, values[0], record.Quantile(values, 0), 0)
		require.InDelta(t, values[len(values)-1], record.Quantile(values, 1), 0)
	})
}

func TestThisMachine(t *testing.T) {
	m, err := record.ThisMachine("v1")
	require.NoError(t, err)
	require.Equal(t, "v1", m.Commit)
	require.Len(t, m.Build, 16)
	require.Positive(t, m.Cores)
	require.NotEmpty(t, m.CPU)
}
