package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/bench/report"
)

type benchAllCmd struct {
	Out     string   `help:"Folder for the results NAME.json, NAME.csv and report.html." default:".settle/bench" type:"path"`
	Only    []string `help:"Names of the benchmarks to run. Without it all are run."`
	Repeats int      `help:"Number of measured repetitions." default:"3"`
	Warmups int      `help:"Number of warm-up repetitions, which are not measured." default:"1"`
	Memory  uint64   `help:"Largest number of bytes of memory for a benchmark. 0 means all that is available." default:"0"`
	KeysDir string   `help:"Folder that holds the proving keys. Development keys are made there if there are none." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
	Tiny    bool     `help:"Run the smallest form of each benchmark once. This shows that it works. The figures mean nothing."`
	Fresh   bool     `help:"Begin anew. Without it the results of an interrupted run are kept."`
}

// benchmark is one of the row that bench all runs.
type benchmark struct {
	name  string
	takes time.Duration // first guess: 3 repetitions and a warm-up on 2 cores, keys made
	tiny  time.Duration
	small []string // arguments of the tiny form; the other one takes the command's defaults
	setup func(c benchAllCmd, a *app, args []string) (measured, error)
}

// setUp makes a benchmark of a command with its defaults, as if args were given.
func setUp[C interface{ measured(a *app) measured }](c benchAllCmd, a *app, args []string) (measured, error) {
	var of C
	parser, err := kong.New(&of, kong.Name("settle-bench"), vars())
	if err != nil {
		return nil, err
	}
	for _, f := range parser.Model.Flags {
		if f.Name == "keys-dir" {
			args = append(args, "--keys-dir", c.KeysDir)
		}
	}
	if _, err := parser.Parse(args); err != nil {
		return nil, err
	}
	return of.measured(a), nil
}

// benchmarks is the row, quick ones first: what is wrong shows early.
func benchmarks() []benchmark {
	return []benchmark{
		{name: "circuits", takes: 25 * time.Second, tiny: 15 * time.Second, small: []string{"--shape", "tiny"}, setup: setUp[benchCircuitsCmd]},
		{name: "gas", takes: 60 * time.Second, tiny: 20 * time.Second, small: []string{"--shape", "tiny", "--project", "tiny"}, setup: setUp[benchGasCmd]},
		{name: "prove", takes: 150 * time.Second, tiny: 20 * time.Second, small: []string{"--shape", "tiny", "--parallel", "1"}, setup: setUp[benchProveCmd]},
		{name: "pipeline", takes: 120 * time.Second, tiny: 15 * time.Second, small: []string{"--shape", "tiny", "--workers", "1", "--batches", "2"}, setup: setUp[benchPipelineCmd]},
		{name: "api", takes: 60 * time.Second, tiny: 10 * time.Second, small: []string{"--shape", "tiny", "--accounts", "64", "--transfers", "200"}, setup: setUp[benchAPICmd]},
		{name: "e2e", takes: 90 * time.Second, tiny: 15 * time.Second, small: []string{"--shape", "tiny", "--rate", "2", "--duration", "3s", "--seal-age", "1s"}, setup: setUp[benchE2ECmd]},
		{name: "growth", takes: 10 * time.Second, tiny: 3 * time.Second, small: []string{"--worker", "1,2,8"}, setup: setUp[benchGrowthCmd]}, // from the others' results
	}
}

// Run measures everything at demo.
func (c benchAllCmd) Run(a *app) error {
	row, err := c.row(a)
	if err != nil {
		return err
	}
	since, err := c.since()
	if err != nil {
		return err
	}
	shown := newBenchProgress(a.Stderr)
	clock := newRowClock(row, shown.event)
	flags := benchFlags{Out: c.Out, Repeats: c.Repeats, Warmups: c.Warmups, Memory: c.Memory, Fresh: c.Fresh}
	if c.Tiny {
		flags.Repeats, flags.Warmups = 1, 0
	}
	common, err := flags.common(clock.event)
	if err != nil {
		return err
	}
	common.Since = since
	err = c.each(a, row, common, clock)
	shown.done()
	if err != nil {
		if a.Ctx.Err() != nil {
			fmt.Fprintln(a.Stderr, "bench: stopped; the same command goes on where it was")
		}
		return err
	}
	page, err := report.Write(c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stderr, "bench: all done in %s\n", time.Since(clock.begun).Round(time.Second))
	if _, err := fmt.Fprintln(a.Stdout, page); err != nil {
		return err
	}
	return os.Remove(c.mark())
}

// planned is a benchmark about to run.
type planned struct {
	name  string
	takes time.Duration
	run   measured
}

func (c benchAllCmd) row(a *app) ([]planned, error) {
	known := benchmarks()
	for _, name := range c.Only {
		if !slices.ContainsFunc(known, func(b benchmark) bool { return b.name == name }) {
			return nil, fmt.Errorf("--only %s: there is no such benchmark", name)
		}
	}
	var row []planned
	for _, b := range known {
		if len(c.Only) > 0 && !slices.Contains(c.Only, b.name) {
			continue
		}
		takes, args := b.takes, []string{}
		if c.Tiny {
			takes, args = b.tiny, b.small
		}
		run, err := b.setup(c, a, args)
		if err != nil {
			return nil, fmt.Errorf("benchmark %s: %w", b.name, err)
		}
		row = append(row, planned{b.name, takes, run})
	}
	return row, nil
}

func (c benchAllCmd) each(a *app, row []planned, common bench.Common, clock *rowClock) error {
	for i, b := range row {
		clock.next(i)
		if i > 0 {
			common.Machine.Load = record.LoadNow() // of this benchmark, not of the row
		}
		f, err := b.run(a.Ctx, common)
		if err != nil {
			return err
		}
		clock.end(f)
		if _, err := report.Write(c.Out); err != nil {
			return err
		}
	}
	return nil
}

// mark is a file that lies in the folder until the whole row is done.
func (c benchAllCmd) mark() string { return filepath.Join(c.Out, ".all") }

// since is when the row began that this run is to finish. Results since then are kept.
func (c benchAllCmd) since() (time.Time, error) {
	text, err := os.ReadFile(c.mark())
	if err == nil && !c.Fresh {
		if t, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
			return t, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, fmt.Errorf("go on with an interrupted row of benchmarks: %w", err)
	}
	now := time.Now().UTC()
	return now, record.Replace(c.mark(), []byte(now.Format(time.RFC3339Nano)))
}

// rowClock foresees the end of the row: first guesses, scaled by how long those that
// are done really took.
type rowClock struct {
	row            []planned
	show           func(record.Event)
	begun, current time.Time
	at             int
	spent, guessed time.Duration
}

func newRowClock(row []planned, show func(record.Event)) *rowClock {
	return &rowClock{row: row, show: show, begun: time.Now()}
}

func (c *rowClock) next(i int) { c.at, c.current = i, time.Now() }

// end counts a benchmark that really ran.
func (c *rowClock) end(f *record.File) {
	if f.Finished.Before(c.begun) {
		c.show(record.Event{Task: c.row[c.at].name, Number: c.at + 1, Tasks: len(c.row), Phase: "kept from the interrupted run", Elapsed: time.Since(c.begun), Left: c.later(1)})
		return
	}
	c.spent, c.guessed = c.spent+time.Since(c.current), c.guessed+c.row[c.at].takes
}

// event shows a task of a benchmark as a part of the row.
func (c *rowClock) event(e record.Event) {
	here := time.Since(c.current) + e.Left // of this benchmark, as it foresees itself
	scale := float64(c.spent+here) / float64(c.guessed+c.row[c.at].takes)
	c.show(record.Event{
		Task: c.row[c.at].name, Number: c.at + 1, Tasks: len(c.row), Phase: fmt.Sprintf("%s (%d of %d), %s", e.Task, e.Number, e.Tasks, e.Phase),
		Elapsed: time.Since(c.begun), Left: e.Left + c.later(scale),
	})
}

// later is what benchmarks after this one take.
func (c *rowClock) later(scale float64) time.Duration {
	var left time.Duration
	for _, b := range c.row[c.at+1:] {
		left += b.takes
	}
	return time.Duration(scale * float64(left))
}
