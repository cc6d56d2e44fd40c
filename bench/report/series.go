package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zksettle/settle/bench/record"
)

// point is one measurement in a plot.
type point struct {
	x       string  // on the axis
	number  float64 // x, for lines
	summary record.Summary
}

// series is what shares a colour.
type series struct {
	name   string
	source record.Source
	points []point
}

// chart is a plot filled with what a run measured.
type chart struct {
	plot    Plot
	title   string
	unit    string
	series  []series
	omitted int // series beyond what can be told apart
}

// mostSeries is how many colours there are.
const mostSeries = 8

// charts fills a plot from a run: one chart for each value of Each and each unit.
func (p Plot) charts(f *record.File) []chart {
	var found []chart
	tasks := p.ambiguous(f)
	for _, m := range f.Measurements {
		x, number, ok := p.place(m)
		if !ok {
			continue
		}
		title := p.Title
		if p.Each != "" {
			title += ": " + p.Each + " " + m.Labels[p.Each]
		}
		i := slices.IndexFunc(found, func(c chart) bool { return c.title == title && c.unit == m.Unit })
		if i < 0 {
			i = len(found)
			found = append(found, chart{plot: p, title: title, unit: m.Unit})
		}
		found[i].add(p.seriesOf(m, tasks), m.Source, point{x, number, m.Summary})
	}
	for i := range found {
		c := &found[i]
		c.omitted = max(0, len(c.series)-mostSeries)
		c.series = c.series[:len(c.series)-c.omitted]
		for _, s := range c.series {
			if p.Kind == Lines {
				slices.SortStableFunc(s.points, func(a, b point) int { return compareFloats(a.number, b.number) })
			}
		}
	}
	return found
}

// place says where on the axis a measurement stands, if the plot has it.
func (p Plot) place(m record.Measurement) (x string, number float64, ok bool) {
	if !slices.Contains(p.Names, m.Name) {
		return "", 0, false
	}
	for label, want := range p.Where {
		if m.Labels[label] != want {
			return "", 0, false
		}
	}
	if p.Each != "" && m.Labels[p.Each] == "" {
		return "", 0, false
	}
	if p.X == "" {
		return m.Name, 0, true
	}
	if x = m.Labels[p.X]; x == "" {
		return "", 0, false
	}
	if p.Kind != Lines {
		return x, 0, true
	}
	number, err := strconv.ParseFloat(strings.ReplaceAll(x, ",", ""), 64)
	return x, number, err == nil && (!p.LogX || number > 0)
}

// seriesOf names what tells a measurement apart from others at its place.
func (p Plot) seriesOf(m record.Measurement, tasks bool) string {
	rest := maps.Clone(m.Labels)
	maps.DeleteFunc(rest, func(label, _ string) bool {
		_, fixed := p.Where[label]
		return fixed || label == p.X || label == p.Each
	})
	var parts []string
	if p.X != "" && len(p.Names) > 1 {
		parts = append(parts, m.Name)
	}
	if len(rest) > 0 {
		parts = append(parts, record.ShowLabels(rest))
	}
	if tasks {
		parts = append(parts, m.Task)
	}
	return strings.Join(parts, ", ")
}

// ambiguous reports whether tasks measured the same thing under the same labels.
func (p Plot) ambiguous(f *record.File) bool {
	task := map[string]string{}
	for _, m := range f.Measurements {
		if x, _, ok := p.place(m); ok {
			key := strings.Join([]string{x, m.Labels[p.Each], p.seriesOf(m, false), m.Unit, string(m.Source)}, "\x00")
			if other, twice := task[key]; twice && other != m.Task {
				return true
			}
			task[key] = m.Task
		}
	}
	return false
}

func (c *chart) add(name string, source record.Source, p point) {
	i := slices.IndexFunc(c.series, func(s series) bool { return s.name == name && s.source == source })
	if i < 0 {
		i = len(c.series)
		c.series = append(c.series, series{name: name, source: source})
	}
	c.series[i].points = append(c.series[i].points, p)
}

// places are the values of X in the order in which they were measured.
func (c *chart) places() []string {
	var places []string
	for _, s := range c.series {
		for _, p := range s.points {
			if !slices.Contains(places, p.x) {
				places = append(places, p.x)
			}
		}
	}
	return places
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
