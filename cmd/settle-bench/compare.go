package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/zksettle/settle/bench/record"
)

type benchCompareCmd struct {
	A          string `arg:"" help:"Result file, or folder of results." type:"path"`
	B          string `arg:"" help:"Result file or folder to compare with, of the same kind as the first." type:"path"`
	CountsOnly bool   `help:"Compare only counted values. Fail if one of A has changed or is missing in B. Measured times are not compared."`
	Update     bool   `help:"With --counts-only, replace the counts in A by those of B. A must be a folder."`
	JSON       bool   `name:"json" help:"Print one JSON object."`
}

var errCountsChanged = errors.New("counted values have changed")

// Run prints the differences, worst first.
func (c benchCompareCmd) Run(a *app) error {
	now, err := record.ReadAll(c.B)
	if err != nil {
		return err
	}
	if c.Update {
		return c.update(now)
	}
	old, err := record.ReadAll(c.A)
	if err != nil {
		return err
	}
	found := record.Compare(old, now)
	if c.CountsOnly {
		found = found.Counts()
	}
	if c.JSON {
		err = a.PrintJSON(found)
	} else {
		err = writeComparison(a.Stdout, found)
	}
	if err == nil && c.CountsOnly && found.CountsChanged() {
		err = errCountsChanged
	}
	return err
}

// update writes the counts of B's benchmarks that A has, or of all where A has none.
func (c benchCompareCmd) update(now []*record.File) error {
	if !c.CountsOnly {
		return errors.New("--update without --counts-only: a run is copied by copying its file")
	}
	only := map[string]bool{}
	if old, err := record.ReadFolder(c.A); err == nil {
		for _, f := range old {
			only[f.Benchmark] = true
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, f := range now {
		if len(only) > 0 && !only[f.Benchmark] {
			continue
		}
		if counts := f.Counts(); len(counts.Measurements) > 0 {
			if err := counts.WriteJSON(record.Path(c.A, f.Benchmark)); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeComparison(out io.Writer, c *record.Comparison) error {
	for _, p := range c.Pairs {
		fmt.Fprintf(out, "%s: A is %s, B is %s\n", p.Benchmark, runOf(p.CommitA, p.StartedA), runOf(p.CommitB, p.StartedB))
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(out, "ATTENTION:", warning)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "verdict\tB/A\tA\tB\tmeasurement\tsource")
	for _, d := range c.Differences {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s: %s: %s\t%s\n", d.Verdict, ratioOf(d), sideOf(d.A, d.Unit), sideOf(d.B, d.Unit),
			d.Benchmark, d.Task, nameWithLabels(d.Name, d.Labels), d.Source)
	}
	return w.Flush()
}

func runOf(commit string, started time.Time) string {
	if commit == "" {
		return "a file of counts"
	}
	return commit + " of " + started.UTC().Format("2006-01-02 15:04 MST")
}

func ratioOf(d record.Difference) string {
	if d.Ratio == nil {
		return "–"
	}
	return strconv.FormatFloat(*d.Ratio, 'f', 3, 64)
}

func sideOf(s *record.Side, unit string) string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%s, n=%d", record.ShowSummary(s.Summary, unit), s.Repetitions)
}
