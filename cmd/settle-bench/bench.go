package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/bench/report"
)

// benchCmd is the benchmark harness. Each benchmark is in a file of its own, bench_NAME.go.
type benchCmd struct {
	Circuits benchCircuitsCmd `cmd:"" help:"Count constraints: by chip, per transfer over sizes of batches and states, and beside a plain rollup circuit; compiles only."`
	Prove    benchProveCmd    `cmd:"" help:"Measure proofs by shape: compile, keys, assign, solve, prove, verify, memory, side by side; beside groth16.Prove alone, its pieces, and a plain rollup circuit."`
	Pipeline benchPipelineCmd `cmd:"" help:"Measure from transfers waiting in Postgres to stored proofs, with worker processes, against groth16.Prove back to back."`
	API      benchAPICmd      `cmd:"" name:"api" help:"Measure durable submissions per second over REST, and their latency."`
	Gas      benchGasCmd      `cmd:"" help:"Measure what a settlement costs on L1, by part, and foresee it for larger shapes and groups of batches."`
	E2E      benchE2ECmd      `cmd:"" name:"e2e" help:"Measure from submission to settlement at a stated load, and what transfers cost."`
	Growth   benchGrowthCmd   `cmd:"" help:"Foretell fleets of 1 to 500 workers by simulation, and what 1,000 and 10,000 transfers a second take, from the results of prove, pipeline and gas."`
	All      benchAllCmd      `cmd:"" help:"Run every benchmark at the smallest useful size: 10 minutes on 2 cores once keys are made."`
	Load     benchLoadCmd     `cmd:"" hidden:"" help:"Generate the load of a benchmark."`
	Raw      benchRawCmd      `cmd:"" hidden:"" help:"Prove by gnark's prover alone, for a benchmark."`
	Report   benchReportCmd   `cmd:"" help:"Make one HTML page, which needs no network, of all results of a folder."`
	Compare  benchCompareCmd  `cmd:"" help:"Say which differences between two results exceed the spread of their repetitions."`
}

// benchFlags are common to all benchmarks.
type benchFlags struct {
	Out     string `help:"Folder for the results: NAME.json, NAME.csv, report.html." default:".settle/bench" type:"path"`
	Repeats int    `help:"Repetitions that count." default:"5"`
	Warmups int    `help:"Repetitions before them that do not count." default:"1"`
	Memory  uint64 `help:"Bytes that the benchmark may take; 0 for what is available." default:"0"`
	Fresh   bool   `help:"Begin anew; without it an interrupted run of the same settings, machine and build is resumed."`
}

// common checks the flags and describes the machine.
func (c benchFlags) common(progress func(record.Event)) (bench.Common, error) {
	if c.Repeats < 1 || c.Warmups < 0 {
		return bench.Common{}, fmt.Errorf("--repeats %d and --warmups %d: expected at least 1 and 0", c.Repeats, c.Warmups)
	}
	machine, err := record.ThisMachine(version)
	if err != nil {
		return bench.Common{}, err
	}
	return bench.Common{
		Folder: c.Out, Machine: machine, Repeats: c.Repeats, Warmups: c.Warmups, Memory: c.Memory, Fresh: c.Fresh, Progress: progress,
	}, nil
}

// measured runs one benchmark.
type measured func(ctx context.Context, c bench.Common) (*record.File, error)

// measure runs a benchmark with progress on standard error, prints what it measured,
// and writes the report.
func (c benchFlags) measure(a *app, run measured) error {
	shown := newBenchProgress(a.stderr)
	common, err := c.common(shown.event)
	if err != nil {
		return err
	}
	f, err := run(a.ctx, common)
	shown.done()
	if err != nil {
		if a.ctx.Err() != nil {
			fmt.Fprintln(a.stderr, "bench: stopped; the same command goes on where it was")
		}
		return err
	}
	if err := writeMeasurements(a.stdout, f); err != nil {
		return err
	}
	page, err := report.Write(c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "bench: %s, and a page of all results: %s\n", filepath.Join(c.Out, f.Benchmark+".{json,csv}"), page)
	return nil
}

// writeMeasurements prints a result as a table.
func writeMeasurements(out io.Writer, f *record.File) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "task\tmeasurement\tmedian [least – most]\tn\tsource")
	for _, m := range f.Measurements {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", m.Task, nameWithLabels(m.Name, m.Labels), record.ShowSummary(m.Summary, m.Unit), len(m.Values), m.Source)
	}
	return w.Flush()
}

func nameWithLabels(name string, labels map[string]string) string {
	if len(labels) == 0 {
		return name
	}
	return name + " (" + record.ShowLabels(labels) + ")"
}

// benchProgress shows what a benchmark is at and when it ends.
type benchProgress struct {
	*progress
	bar *progressbar.ProgressBar
}

func newBenchProgress(out io.Writer) *benchProgress {
	return &benchProgress{progress: newProgress(out, "bench")}
}

// event shows progress: on a terminal as a bar over the expected time, elsewhere as a line.
func (p *benchProgress) event(e record.Event) {
	left := "about " + e.Left.Round(time.Second).String() + " left"
	if e.Left <= 0 {
		left = "nearly done"
	}
	what := fmt.Sprintf("%s (%d of %d): %s, %s", e.Task, e.Number, e.Tasks, e.Phase, left)
	if !p.terminal {
		p.step(what + ", " + e.Elapsed.Round(time.Second).String() + " gone")
		return
	}
	const full = 1000
	if p.bar == nil {
		p.bar = progressbar.NewOptions(full, progressbar.OptionSetWriter(p.out), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(true), progressbar.OptionSetWidth(20))
	}
	p.bar.Describe(what)
	if all := e.Elapsed + e.Left; all > 0 {
		_ = p.bar.Set(min(int(full*e.Elapsed/all), full-1)) // drawing alone can fail
	}
}

// done takes the bar away.
func (p *benchProgress) done() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
