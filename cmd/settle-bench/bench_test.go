package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/internal/command"
)

// TestBenchAllHasEveryBenchmark: a subcommand that measures is in the row, in a form
// that its flags allow, small too.
func TestBenchAllHasEveryBenchmark(t *testing.T) {
	var names []string
	for _, b := range benchmarks() {
		names = append(names, b.name)
		require.Positive(t, b.takes, b.name)
		require.Positive(t, b.tiny, b.name)
	}
	var commands cli
	parser, err := program().Parser(&commands)
	require.NoError(t, err)
	for _, c := range parser.Model.Leaves(true) {
		name := c.Path()
		if name == "all" || strings.HasPrefix(name, "compare") || strings.HasPrefix(name, "report") {
			continue
		}
		require.Contains(t, names, name)
	}
	a := &app{&command.App{Ctx: t.Context(), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}}
	for _, tiny := range []bool{false, true} {
		row, err := benchAllCmd{Out: t.TempDir(), KeysDir: t.TempDir(), Tiny: tiny}.row(a)
		require.NoError(t, err)
		require.Len(t, row, len(names))
	}
	row, err := benchAllCmd{Only: []string{"gas", "prove"}}.row(a)
	require.NoError(t, err)
	require.Len(t, row, 2)
	_, err = benchAllCmd{Only: []string{"weather"}}.row(a)
	require.ErrorContains(t, err, "weather")
}

// TestBenchAllGoesOn: what an interrupted row has measured is kept, and only by the
// command that goes on with it.
func TestBenchAllGoesOn(t *testing.T) {
	c := benchAllCmd{Out: t.TempDir()}
	a := &app{&command.App{Ctx: t.Context(), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}}
	ran := map[string]int{}
	broken := errors.New("broken")
	fail := true
	toy := func(name string) planned {
		return planned{name, time.Second, func(ctx context.Context, common bench.Common) (*record.File, error) {
			return record.Run{
				Benchmark: name, Folder: common.Folder, Since: common.Since, Progress: common.Progress, Memory: 1,
				Tasks: []record.Task{{Name: "task", Repeats: 1, Run: func(_ context.Context, s *record.Sample) error {
					ran[name]++
					s.Rate("speed", 1)
					if name == "second" && fail {
						return broken
					}
					return nil
				}}},
			}.Do(ctx)
		}}
	}
	row := []planned{toy("first"), toy("second"), toy("third")}
	measureAll := func() (shown []record.Event, err error) {
		since, err := c.since()
		require.NoError(t, err)
		clock := newRowClock(row, func(e record.Event) { shown = append(shown, e) })
		return shown, errors.Join(c.each(a, row, bench.Common{Folder: c.Out, Since: since, Progress: clock.event}, clock))
	}
	_, err := measureAll()
	require.ErrorIs(t, err, broken)
	fail = false
	_, err = measureAll()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"first": 1, "second": 2, "third": 1}, ran)
	require.NoError(t, os.Remove(c.mark()))
	_, err = measureAll()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"first": 2, "second": 3, "third": 2}, ran)
	c.Fresh = true
	_, err = measureAll()
	require.NoError(t, err)
	require.Equal(t, 3, ran["first"])
}

// TestRowClock: what is left is what the benchmark says and the guesses of those that
// follow, scaled by how wrong the guesses were.
func TestRowClock(t *testing.T) {
	var last record.Event
	clock := newRowClock([]planned{{name: "a", takes: time.Minute}, {name: "b", takes: 2 * time.Minute}}, func(e record.Event) { last = e })
	clock.next(0)
	clock.event(record.Event{Task: "t", Number: 1, Tasks: 3, Phase: "1 of 5", Left: 2 * time.Minute})
	require.Equal(t, "t (1 of 3), 1 of 5", last.Phase)
	require.Equal(t, 6*time.Minute, last.Left.Round(time.Second))
	clock.end(&record.File{Finished: time.Now().Add(time.Hour)})
	clock.next(1)
	clock.event(record.Event{Left: time.Minute})
	require.Equal(t, "b", last.Task)
	require.Equal(t, 2, last.Number)
	require.Equal(t, time.Minute, last.Left.Round(time.Second))
}

// result writes a result file with one value of each kind.
func result(t *testing.T, constraints float64, seconds ...float64) string {
	t.Helper()
	folder := t.TempDir()
	_, err := record.Run{
		Benchmark: "toy", Folder: folder, Memory: 1,
		Tasks: []record.Task{{Name: "task", Repeats: len(seconds), Run: func() func(context.Context, *record.Sample) error {
			i := 0
			return func(_ context.Context, s *record.Sample) error {
				s.Count("constraints", "constraints", record.Lower, constraints, "shape", "tiny")
				s.Seconds("prove", time.Duration(seconds[i]*float64(time.Second)))
				i++
				return nil
			}
		}()}},
	}.Do(t.Context())
	require.NoError(t, err)
	return folder
}

func bencher(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var c cli
	parser, err := program().Parser(&c)
	require.NoError(t, err)
	parsed, err := parser.Parse(args)
	require.NoError(t, err)
	var out bytes.Buffer
	err = parsed.Run(&app{&command.App{Ctx: t.Context(), Stdout: &out, Stderr: &out}})
	return out.String(), err
}

func TestBenchCompare(t *testing.T) {
	old, slower, larger := result(t, 100, 1, 1.1), result(t, 100, 3, 3.1), result(t, 101, 1, 1.1)
	out, err := bencher(t, "compare", old, slower)
	require.NoError(t, err)
	require.Regexp(t, `worse +2\.9\d\d +1\.05 s \[1 s – 1\.10 s\], n=2 +3\.05 s \[3 s – 3\.10 s\], n=2 +toy: task: prove +measured`, out)
	require.Regexp(t, `equal +1\.000 +100 constraints, n=2 .* toy: task: constraints \(shape tiny\) +counted`, out)

	out, err = bencher(t, "compare", "--counts-only", old, slower)
	require.NoError(t, err, "never for a time")
	require.NotContains(t, out, "prove")
	out, err = bencher(t, "compare", "--counts-only", filepath.Join(old, "toy.json"), larger)
	require.ErrorIs(t, err, errCountsChanged)
	require.Regexp(t, `worse +1\.010 `, out)
	_, err = bencher(t, "compare", old, larger)
	require.NoError(t, err)

	out, err = bencher(t, "compare", "--json", old, slower)
	require.NoError(t, err)
	var found record.Comparison
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Len(t, found.Differences, 2)
	require.Equal(t, record.Worse, found.Differences[0].Verdict)

	_, err = bencher(t, "compare", old, t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBenchCountsAreUpdated(t *testing.T) {
	counts := t.TempDir()
	_, err := bencher(t, "compare", "--update", counts, result(t, 100, 1))
	require.ErrorContains(t, err, "--counts-only")
	for _, constraints := range []float64{100, 101} {
		now := result(t, constraints, 1)
		_, err = bencher(t, "compare", "--counts-only", "--update", counts, now)
		require.NoError(t, err)
		_, err = bencher(t, "compare", "--counts-only", counts, now)
		require.NoError(t, err)
	}
	_, err = bencher(t, "compare", "--counts-only", counts, result(t, 100, 1))
	require.ErrorIs(t, err, errCountsChanged)
}

func TestBenchReport(t *testing.T) {
	folder := result(t, 100, 1)
	out, err := bencher(t, "report", folder)
	require.NoError(t, err)
	page, err := os.ReadFile(strings.TrimSpace(out))
	require.NoError(t, err)
	require.Contains(t, string(page), "100 constraints")
}

// TestBenchProgress: lines where there is no terminal, with the time that is left.
func TestBenchProgress(t *testing.T) {
	var out bytes.Buffer
	p := newBenchProgress(&out)
	for _, left := range []time.Duration{90 * time.Second, 0} {
		p.event(record.Event{Task: "prove demo", Number: 2, Tasks: 3, Phase: "1 of 5", Elapsed: time.Minute, Left: left})
	}
	p.done()
	require.Equal(t, fmt.Sprint("bench: prove demo (2 of 3): 1 of 5, about 1m30s left, 1m0s gone\n",
		"bench: prove demo (2 of 3): 1 of 5, nearly done, 1m0s gone\n"), out.String())

	var drawn bytes.Buffer
	p = newBenchProgress(&drawn)
	p.Terminal = true
	p.event(record.Event{Task: "prove demo", Number: 2, Tasks: 3, Phase: "1 of 5", Elapsed: time.Minute, Left: time.Minute})
	p.done()
	require.Contains(t, drawn.String(), "about 1m0s left  50%")
}
