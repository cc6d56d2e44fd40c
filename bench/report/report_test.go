package report_test

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/bench/report"
)

func add(f *record.File, name, unit string, source record.Source, values []float64, labels ...string) {
	m := record.Measurement{
		Task: "task", Value: record.Value{Name: name, Unit: unit, Source: source, Labels: map[string]string{}},
		Values: values, Summary: record.Summarize(values),
	}
	for i := 0; i+1 < len(labels); i += 2 {
		m.Labels[labels[i]] = labels[i+1]
	}
	f.Measurements = append(f.Measurements, m)
}

func results() []*record.File {
	machine := record.Machine{CPU: `Fast <b>"CPU"</b> & co`, Cores: 2, MemoryBytes: 8 << 30, Commit: "c1", Load: "0.10 0.20 0.30"}
	circuits := &record.File{Format: record.Format, Benchmark: "circuits", Machine: machine, Finished: time.Now()}
	add(circuits, "constraints", "constraints", record.Counted, []float64{128012}, "shape", "demo")
	for i, chip := range []string{"transfer", "account <script>", "tree"} {
		add(circuits, "constraints", "constraints", record.Counted, []float64{float64(1000 * i)}, "shape", "demo", "chip", chip)
	}
	for _, pattern := range []string{"uniform", "zipf"} {
		for log := 10; log <= 24; log++ {
			for _, n := range []int{16, 1024} {
				source := record.Counted
				if log > 20 {
					source = record.Projected
				}
				add(circuits, "constraints per transfer", "constraints", source, []float64{float64(8000 + log*n/100)},
					"accounts", strconv.Itoa(1<<log), "transfers", strconv.Itoa(n), "pattern", pattern)
			}
		}
	}
	prove := &record.File{Format: record.Format, Benchmark: "prove", Machine: machine, Settings: map[string]string{"shape": "demo"}, Notes: []string{"a note & more"}}
	for _, piece := range []string{"msm G1 A", "msm G1 B", "fft"} {
		add(prove, "piece", "seconds", record.Measured, []float64{1.25, 1.5, 1.0}, "shape", "demo", "piece", piece)
		add(prove, "memory", "bytes", record.Measured, []float64{2 << 30, 3 << 30}, "shape", "demo", "of", piece)
	}
	for _, n := range []string{"1", "2", "many"} {
		add(prove, "transfers per second", "1/s", record.Measured, []float64{17.25, 17.5}, "shape", "demo", "parallel", n)
		add(prove, "prove", "seconds", record.Measured, []float64{0}, "shape", "demo", "parallel", n)
	}
	add(prove, "cost", "USD", record.Projected, []float64{0.5})
	other := &record.File{Format: record.Format, Benchmark: "unheard of", Machine: machine, Finished: time.Now()}
	add(other, "latency", "seconds", record.Simulated, []float64{0.5}, "workers", "500")
	return []*record.File{circuits, prove, other}
}

func render(t *testing.T, files []*record.File) string {
	t.Helper()
	var page strings.Builder
	require.NoError(t, report.Render(&page, files))
	return page.String()
}

// TestEverythingIsInTables: each measurement with its values, under its own source.
func TestEverythingIsInTables(t *testing.T) {
	files := results()
	page := render(t, files)
	for _, f := range files {
		_, section, found := strings.Cut(page, `<h2 id="`+html.EscapeString(f.Benchmark)+`"`)
		require.True(t, found, f.Benchmark)
		section, _, _ = strings.Cut(section, "</section>")
		for _, m := range f.Measurements {
			_, table, found := strings.Cut(section, `<h3><span class="badge `+string(m.Source)+`">`)
			require.True(t, found, m.Key())
			table, _, _ = strings.Cut(table, "</tbody>")
			cells := strings.Join([]string{
				m.Name, escape(record.ShowLabels(m.Labels)), record.Show(m.Median, m.Unit), record.Show(m.Least, m.Unit), record.Show(m.Most, m.Unit), strconv.Itoa(len(m.Values)),
			}, "|")
			require.Contains(t, regexp.MustCompile(`</td><td[^>]*>`).ReplaceAllString(table, "|"), cells)
		}
	}
	require.Contains(t, page, "This run was interrupted")
	require.Contains(t, page, "a note &amp; more")
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
}

// TestPlotsAreWellFormed: each SVG is XML of its own, and the declared plots are there.
func TestPlotsAreWellFormed(t *testing.T) {
	page := render(t, results())
	drawn := regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1)
	for _, svg := range drawn {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		texts := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if start, ok := token.(xml.StartElement); ok {
				require.Contains(t, []string{"svg", "g", "path", "text"}, start.Name.Local)
				if start.Name.Local == "text" {
					texts++
				}
			}
		}
		require.Greater(t, texts, 3)
		require.NotContains(t, svg, "NaN")
		require.NotContains(t, svg, "Inf")
		require.NotContains(t, svg, "#000000", "black would be unreadable on a dark page")
	}
	var titles []string
	for _, m := range regexp.MustCompile(`<figcaption>(.*?)</figcaption>`).FindAllStringSubmatch(page, -1) {
		titles = append(titles, m[1])
	}
	require.Equal(t, []string{
		"Constraints by chip: shape demo", "Constraints per transfer over the transfers of a batch: pattern uniform",
		"Constraints per transfer over the transfers of a batch: pattern zipf", "Constraints per transfer over the accounts of the state: pattern uniform",
		"Constraints per transfer over the accounts of the state: pattern zipf", "Where the time of a proof goes: shape demo",
		"From a batch to its proof: shape demo", "Where the memory of a proof goes: shape demo", "Transfers per second by proofs side by side",
	}, titles)
	require.Len(t, drawn, len(titles))
	require.Contains(t, page, "transfers 1024 (projected)")
	require.Contains(t, page, ">2^24</text>")
	require.Contains(t, page, "<span>7 more in the tables</span>")
}

// TestOrder is that of Plots, whatever the names of the files are.
func TestOrder(t *testing.T) {
	files := results()
	page := render(t, []*record.File{files[2], files[1], files[0]})
	var names []string
	for _, m := range regexp.MustCompile(`<h2 id="(.*?)"`).FindAllStringSubmatch(page, -1) {
		names = append(names, m[1])
	}
	require.Equal(t, []string{"circuits", "prove", "unheard of", "published"}, names)
}

// TestPageStandsAlone: nothing is fetched, nothing runs, nothing of the input is markup.
func TestPageStandsAlone(t *testing.T) {
	page := render(t, results())
	for _, loads := range []string{"<script", "<link", "<img", "<iframe", "<object", "<image", " src=", "@import", "url(", "://", "javascript:"} {
		require.NotContains(t, page, loads)
	}
	for _, target := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		require.True(t, strings.HasPrefix(target[1], "#"), target[1])
	}
	require.NotContains(t, page, "<b>")
	require.Contains(t, page, "&lt;b&gt;")
	require.NotContains(t, page, "<no value>")
	require.NotContains(t, page, "ZgotmplZ")
	decoder := xml.NewDecoder(strings.NewReader(page)) // tags are balanced, too
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, []string{"meta"}, xml.HTMLEntity
	for {
		if _, err := decoder.Token(); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
}

// TestWarnings: a busy machine, and results of two machines in one folder.
func TestWarnings(t *testing.T) {
	files := results()
	require.NotContains(t, render(t, files), "was busy")
	files[1].Machine.Load = "7.5 1 1"
	files[2].Machine.Commit = "c2"
	files[0].Machine.Load = "7.5 cores busy"
	page := render(t, files)
	_, own, _ := strings.Cut(page, `<h2 id="prove"`)
	own, _, _ = strings.Cut(own, "</section>")
	require.Contains(t, own, "prove: the machine was busy", "where it applies")
	require.Equal(t, 1, strings.Count(page, "was busy"), "counts of circuits are the same on a busy machine")
	require.Contains(t, page, "circuits and unheard of are of different machines or builds")
	require.NotContains(t, page, "circuits and prove are of different")
}

// TestPublishedFiguresStandApart: all are in the last table, and only there.
func TestPublishedFiguresStandApart(t *testing.T) {
	figures, err := report.PublishedFigures()
	require.NoError(t, err)
	require.NotEmpty(t, figures)
	own, published, found := strings.Cut(render(t, results()), `<h2 id="published">`)
	require.True(t, found)
	for _, f := range figures {
		require.Contains(t, published, f.Value)
		require.NotContains(t, own, f.Project)
		require.Regexp(t, `^\d{4}-\d{2}-\d{2}$`, f.Read)
	}
}

// TestPlotsDeclared: what is declared can be drawn at all.
func TestPlotsDeclared(t *testing.T) {
	for _, p := range report.Plots() {
		require.NotEmpty(t, p.Benchmark, p.Title)
		require.NotEmpty(t, p.Names, p.Title)
		if p.Kind == report.Lines {
			require.NotEmpty(t, p.X, p.Title)
		}
	}
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	_, err := report.Write(folder)
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, f := range results() {
		require.NoError(t, f.Write(folder))
	}
	path, err := report.Write(folder)
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), "unheard of")
	again, err := report.Write(folder)
	require.NoError(t, err)
	same, err := os.ReadFile(again)
	require.NoError(t, err)
	require.Equal(t, string(data), string(same), "the same results make the same page")
}

// TestHeadlines: a table before the first section, whose rows lead to their sections.
func TestHeadlines(t *testing.T) {
	top, _, found := strings.Cut(render(t, results()), "<section>")
	require.True(t, found)
	_, top, found = strings.Cut(top, `<table id="headlines">`)
	require.True(t, found)
	require.Contains(t, top, "Time of a proof")
	require.Contains(t, top, `<a href="#prove">`)
}

// TestNothingThatVariesIsHeadedAsTheSame: counted values that differ have a table of their own.
func TestNothingThatVariesIsHeadedAsTheSame(t *testing.T) {
	files := results()
	add(files[1], "zero bytes", "bytes", record.Counted, []float64{7, 9})
	_, page, _ := strings.Cut(render(t, files), "</style>")
	require.NotContains(t, page, "exact")
	_, varying, found := strings.Cut(page, "differs between repetitions")
	require.True(t, found)
	varying, _, _ = strings.Cut(varying, "</table>")
	require.Contains(t, varying, "zero bytes")
	require.Equal(t, 1, strings.Count(page, "zero bytes"))
}

// TestLongTablesAreFolded, short ones are open; pale bars have pale legends, and dashed lines have not.
func TestLongTablesAreFolded(t *testing.T) {
	files := results()
	add(files[1], "memory", "bytes", record.Projected, []float64{1 << 30}, "shape", "demo", "of", "wires")
	page := render(t, files)
	require.Contains(t, page, "<details><summary>")
	require.Contains(t, page, "<details open><summary>")
	require.Regexp(t, `<i class="c\d pale"></i>\(projected\)`, page)
	require.Regexp(t, `<i class="c\d"></i>transfers 1024 \(projected\)`, page)
}
