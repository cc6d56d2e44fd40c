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
	"github.com/zksettle/settle/internal/command"
)

// benchFlags are common to all benchmarks.
type benchFlags struct {
	Out     string `help:"Folder for the results NAME.json, NAME.csv and report.html." default:".settle/bench" type:"path"`
	Repeats int    `help:"Number of measured repetitions." default:"5"`
	Warmups int    `help:"Number of warm-up repetitions, which are not measured." default:"1"`
	Memory  uint64 `help:"Largest number of bytes of memory for the benchmark. 0 means all that is available." default:"0"`
	Fresh   bool   `help:"Begin anew. Without it an interrupted run is resumed, if settings, machine and build are the same."`
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
	shown := newBenchProgress(a.Stderr)
	common, err := c.common(shown.event)
	if err != nil {
		return err
	}
	f, err := run(a.Ctx, common)
	shown.done()
	if err != nil {
		if a.Ctx.Err() != nil {
			fmt.Fprintln(a.Stderr, "bench: stopped; the same command goes on where it was")
		}
		return err
	}
	if err := writeMeasurements(a.Stdout, f); err != nil {
		return err
	}
	page, err := report.Write(c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stderr, "bench: %s, and a page of all results: %s\n", filepath.Join(c.Out, f.Benchmark+".{json,csv}"), page)
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
	*command.Progress
	bar *progressbar.ProgressBar
}

func newBenchProgress(out io.Writer) *benchProgress {
	return &benchProgress{Progress: command.NewProgress(out, "bench")}
}

// event shows progress: on a terminal as a bar over the expected time, elsewhere as a line.
func (p *benchProgress) event(e record.Event) {
	left := "about " + e.Left.Round(time.Second).String() + " left"
	if e.Left <= 0 {
		left = "nearly done"
	}
	what := fmt.Sprintf("%s (%d of %d): %s, %s", e.Task, e.Number, e.Tasks, e.Phase, left)
	if !p.Terminal {
		p.Step(what + ", " + e.Elapsed.Round(time.Second).String() + " gone")
		return
	}
	const full = 1000
	if p.bar == nil {
		p.bar = progressbar.NewOptions(full, progressbar.OptionSetWriter(p.Out), progressbar.OptionSetPredictTime(false),
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
