// Package report makes one HTML page of benchmark results: it loads nothing, runs no
// script, and its plots are SVG within it.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle/bench/record"
)

//go:embed page.html
var pageHTML string

// Name is the file that Write makes.
const Name = "report.html"

// Write makes the report of all results of a folder, in the folder, and returns its path.
func Write(folder string) (string, error) {
	files, err := record.ReadFolder(folder)
	if err != nil {
		return "", err
	}
	var page bytes.Buffer
	if err := Render(&page, files); err != nil {
		return "", err
	}
	path := filepath.Join(folder, Name)
	return path, record.Replace(path, page.Bytes())
}

// Render writes the page of the results.
func Render(w io.Writer, files []*record.File) error {
	parsed, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("benchmark report: %w", err)
	}
	published, err := PublishedFigures()
	if err != nil {
		return err
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b *record.File) int { return place(a.Benchmark) - place(b.Benchmark) })
	p := page{Published: published, Headlines: headlineRows(files)}
	for _, f := range files {
		section, err := newSection(f)
		if err != nil {
			return err
		}
		for _, warning := range []string{busy(f), unlike(files[0], f)} {
			if warning != "" {
				section.Warnings = append(section.Warnings, warning)
			}
		}
		p.Sections = append(p.Sections, section)
	}
	if err := parsed.Execute(w, p); err != nil {
		return fmt.Errorf("benchmark report: %w", err)
	}
	return nil
}

// place of a benchmark on the page: as in Plots, others behind.
func place(benchmark string) int {
	plots := Plots()
	if i := slices.IndexFunc(plots, func(p Plot) bool { return p.Benchmark == benchmark }); i >= 0 {
		return i
	}
	return len(plots)
}

type page struct {
	Headlines []headlineRow
	Sections  []section
	Published []Published
}

// section is one benchmark.
type section struct {
	Name        string
	Interrupted bool
	Warnings    []string
	Facts       []fact // machine, settings, dates
	Notes       []string
	Figures     []figure
	Tables      []table // one for each source
}

type fact struct{ Name, Value string }

type figure struct {
	Title   string
	SVG     template.HTML
	Legend  []legend
	Omitted int
}

type legend struct {
	Colour int  // class of the style sheet
	Pale   bool // as its bars are
	Name   string
}

// table holds the measurements of one source.
type table struct {
	Source  record.Source
	Meaning string
	Varies  bool // values that differ between repetitions
	Rows    []row
}

// Long reports whether the table is folded.
func (t table) Long() bool { return len(t.Rows) > 12 }

type row struct {
	Task, Name, Labels  string
	Median, Least, Most string
	Repetitions         int
	Note                string
}

func newSection(f *record.File) (section, error) {
	s := section{Name: f.Benchmark, Interrupted: f.Finished.IsZero(), Facts: facts(f), Notes: f.Notes, Tables: tables(f)}
	for _, p := range Plots() {
		if p.Benchmark != f.Benchmark {
			continue
		}
		for _, c := range p.charts(f) {
			drawn, err := c.svg()
			if err != nil {
				return section{}, err
			}
			s.Figures = append(s.Figures, figure{c.title, template.HTML(drawn), c.legend(), c.omitted})
		}
	}
	return s, nil
}

// legend names the series, and the source of those that were not measured or counted.
func (c *chart) legend() []legend {
	var names []legend
	for i, s := range c.series {
		name := s.name
		if derived(s.source) {
			name = strings.TrimSpace(name + " (" + string(s.source) + ")")
		}
		if name != "" {
			names = append(names, legend{i, c.plot.Kind == Bars && derived(s.source), name})
		}
	}
	return names
}

func facts(f *record.File) []fact {
	m := f.Machine
	memory := "unknown"
	if m.MemoryBytes > 0 {
		memory = record.Show(float64(m.MemoryBytes), "bytes")
	}
	found := []fact{
		{"processor", m.CPU}, {"cores", strconv.Itoa(m.Cores)}, {"memory", memory}, {"kernel", m.Kernel}, {"platform", m.Platform},
		{"Go", m.Go}, {"gnark", m.Gnark}, {"gnark-crypto", m.GnarkCrypto}, {"commit", m.Commit}, {"build", m.Build},
		{"load before", m.Load}, {"started", date(f.Started)}, {"finished", date(f.Finished)},
	}
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		found = append(found, fact{"setting " + name, f.Settings[name]})
	}
	return found
}

func date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

func tables(f *record.File) []table {
	var found []table
	for _, t := range []table{
		{Source: record.Measured, Meaning: "by this run on this machine"},
		{Source: record.Counted, Meaning: "the same in every repetition and on every machine"},
		{Source: record.Counted, Varies: true, Meaning: "in this run; differs between repetitions"},
		{Source: record.Simulated, Meaning: "computed from distributions that this run measured"},
		{Source: record.Projected, Meaning: "computed from counts and measured parts, on the assumptions stated"},
	} {
		for _, m := range f.Measurements {
			if m.Source == t.Source && t.Varies == (m.Source == record.Counted && m.Least != m.Most) {
				t.Rows = append(t.Rows, row{
					Task: m.Task, Name: m.Name, Labels: record.ShowLabels(m.Labels), Median: record.Show(m.Median, m.Unit),
					Least: record.Show(m.Least, m.Unit), Most: record.Show(m.Most, m.Unit), Repetitions: len(m.Values), Note: m.Note,
				})
			}
		}
		if len(t.Rows) > 0 {
			found = append(found, t)
		}
	}
	return found
}

// busy warns of times that others made longer; counts and what is computed have none.
func busy(f *record.File) string {
	timed := slices.ContainsFunc(f.Measurements, func(m record.Measurement) bool { return m.Source == record.Measured })
	if timed && f.Machine.Busy() {
		return fmt.Sprintf("%s: the machine was busy before the run began (load %s on %d cores): its times are too long.", f.Benchmark, f.Machine.Load, f.Machine.Cores)
	}
	return ""
}

// unlike warns of results in one page that are not of one machine and build.
func unlike(first, f *record.File) string {
	a, b := first.Machine, f.Machine
	a.Load, b.Load = "", ""
	if a == b {
		return ""
	}
	return fmt.Sprintf("%s and %s are of different machines or builds: compare nothing between them.", first.Benchmark, f.Benchmark)
}
