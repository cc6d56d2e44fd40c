package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/zksettle/settle/bench/record"
)

// palette is readable on white and on black; the style sheet has the same colours.
func palette() [mostSeries]color.NRGBA {
	return [mostSeries]color.NRGBA{
		{0x48, 0x78, 0xcf, 0xff}, {0xe1, 0x81, 0x2c, 0xff}, {0x3a, 0x92, 0x3a, 0xff}, {0xc0, 0x3d, 0x3e, 0xff},
		{0x93, 0x72, 0xb2, 0xff}, {0x9a, 0x6b, 0x5d, 0xff}, {0xd6, 0x84, 0xbd, 0xff}, {0x7f, 0x7f, 0x7f, 0xff},
	}
}

const (
	width     = 560 * vg.Inch / 72
	rowHeight = 15 * vg.Inch / 72
	lineWidth = vg.Length(1.5)
	margin    = vg.Length(8)
)

// svg draws the chart. Axes and text take the colour of the page's text.
func (c *chart) svg() (string, error) {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Variant, axis.Tick.Label.Font.Variant = "Sans", "Sans"
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 11, 10
	}
	var err error
	height := 300 * vg.Inch / 72
	if c.plot.Kind == Lines {
		err = c.lines(p)
	} else {
		height, err = c.bars(p)
	}
	if err != nil {
		return "", fmt.Errorf("plot %q: %w", c.title, err)
	}
	canvas := vgsvg.New(width, height)
	p.Draw(draw.Crop(draw.New(canvas), margin, -2*margin, margin, -margin)) // labels hang over the axes' ends
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", fmt.Errorf("plot %q: %w", c.title, err)
	}
	return embeddable(out.String(), width, height)
}

// embeddable makes a part of a page of an SVG document: it scales with the page and
// its black is the page's text colour.
func embeddable(document string, width, height vg.Length) (string, error) {
	_, rest, found := strings.Cut(document, "<svg ")
	_, body, closed := strings.Cut(rest, ">")
	if !found || !closed {
		return "", fmt.Errorf("no SVG document: %.60s", document)
	}
	body = strings.ReplaceAll(body, "stroke:#000000", "stroke:currentColor")
	return fmt.Sprintf(`<svg viewBox="0 0 %.5g %.5g" role="img">`, width.Points(), height.Points()) + strings.TrimSpace(body), nil
}

// scale of an axis: values are divided by it and named by the unit.
func (c *chart) scale() (by float64, unit string) {
	if c.unit != "bytes" {
		return 1, c.unit
	}
	for _, s := range c.series {
		for _, p := range s.points {
			if p.summary.Most >= 1<<30 {
				return 1 << 30, "GiB"
			}
		}
	}
	return 1 << 20, "MiB"
}

// bars draws rows from top to bottom: places, and in each the series.
func (c *chart) bars(p *plot.Plot) (vg.Length, error) {
	by, unit := c.scale()
	places := c.places()
	var ticks plot.ConstantTicks
	var ends plotter.XYLabels
	row, most := 0.0, 0.0
	for _, place := range places {
		first := row
		for i, s := range c.series {
			for _, pt := range s.points {
				if pt.x != place {
					continue
				}
				if err := c.bar(p, row, i, s.source, pt.summary, by); err != nil {
					return 0, err
				}
				end := math.Max(pt.summary.Most, 0) / by
				most = math.Max(most, end)
				ends.XYs = append(ends.XYs, plotter.XY{X: end, Y: row})
				ends.Labels = append(ends.Labels, " "+c.show(pt.summary.Median))
				row--
			}
		}
		ticks = append(ticks, plot.Tick{Value: (first + row + 1) / 2, Label: place + "  "})
		row -= 0.6
	}
	texts, err := plotter.NewLabels(ends)
	if err != nil {
		return 0, err
	}
	for i := range texts.TextStyle {
		texts.TextStyle[i].Font.Variant, texts.TextStyle[i].Font.Size = "Sans", 9
		texts.TextStyle[i].YAlign = draw.YCenter
	}
	p.Add(texts)
	p.Y.Tick.Marker, p.Y.Tick.LineStyle.Width, p.Y.LineStyle.Width = ticks, 0, 0.5
	p.Y.Min, p.Y.Max = row+1, 0.6
	p.X.Min, p.X.Max = 0, most*1.2
	if most == 0 {
		p.X.Max = 1
	}
	p.X.Label.Text, p.X.Tick.Marker = unit, shortTicks{plot.DefaultTicks{}}
	return rowHeight*vg.Length(1.6-row) + 45 + 2*margin, nil
}

// show writes a value beside its bar: without the unit, which the axis has, unless it
// changes with the size.
func (c *chart) show(v float64) string {
	if c.unit == "seconds" || c.unit == "bytes" {
		return record.Show(v, c.unit)
	}
	return record.Show(v, "")
}

// bar draws one bar with its range.
func (c *chart) bar(p *plot.Plot, row float64, i int, source record.Source, s record.Summary, by float64) error {
	b, err := plotter.NewBarChart(plotter.Values{s.Median / by}, rowHeight*0.8)
	if err != nil {
		return err
	}
	b.Horizontal, b.XMin, b.Color, b.LineStyle.Width = true, row, colour(i, source), 0
	p.Add(b)
	if s.Least == s.Most {
		return nil
	}
	whisker, err := plotter.NewXErrorBars(struct {
		plotter.XYs
		plotter.XErrors
	}{
		plotter.XYs{{X: s.Median / by, Y: row}},
		plotter.XErrors{{Low: (s.Median - s.Least) / by, High: (s.Most - s.Median) / by}},
	})
	if err != nil {
		return err
	}
	p.Add(whisker)
	return nil
}

func (c *chart) lines(p *plot.Plot) error {
	by, unit := c.scale()
	p.X.Label.Text, p.Y.Label.Text = c.plot.X, unit
	p.Y.Tick.Marker, p.X.Tick.Marker = shortTicks{plot.DefaultTicks{}}, shortTicks{plot.DefaultTicks{}}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.NRGBA{0x7f, 0x7f, 0x7f, 0x50}, color.NRGBA{0x7f, 0x7f, 0x7f, 0x50}
	p.Add(grid)
	positive := true
	for i, s := range c.series {
		var xys plotter.XYs
		var ranges plotter.YErrors
		for _, pt := range s.points {
			xys = append(xys, plotter.XY{X: pt.number, Y: pt.summary.Median / by})
			ranges = append(ranges, struct{ Low, High float64 }{(pt.summary.Median - pt.summary.Least) / by, (pt.summary.Most - pt.summary.Median) / by})
			positive = positive && pt.summary.Least > 0
		}
		line, dots, err := plotter.NewLinePoints(xys)
		if err != nil {
			return err
		}
		line.Color, line.Width, dots.Color, dots.Shape = colour(i, record.Measured), lineWidth, colour(i, record.Measured), draw.CircleGlyph{}
		if derived(s.source) {
			line.Dashes = []vg.Length{4, 3}
		}
		whiskers, err := plotter.NewYErrorBars(struct {
			plotter.XYs
			plotter.YErrors
		}{xys, ranges})
		if err != nil {
			return err
		}
		whiskers.Color = colour(i, record.Measured)
		p.Add(line, dots, whiskers)
	}
	if p.Y.Min > 0 && !c.plot.LogY {
		p.Y.Min = 0
	}
	p.Y.Max *= 1.04
	if c.plot.LogX && p.X.Min < p.X.Max {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, c.placeTicks()
	}
	if c.plot.LogY && positive && p.Y.Min < p.Y.Max {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, shortTicks{plot.LogTicks{Prec: 3}}
	}
	return nil
}

// placeTicks marks the places that were measured, powers of two as such where all
// large ones are.
func (c *chart) placeTicks() plot.Ticker {
	var ticks plot.ConstantTicks
	name := power
	for _, s := range c.series {
		for _, pt := range s.points {
			if fraction, _ := math.Frexp(pt.number); pt.number >= 1024 && fraction != 0.5 {
				name = short
			}
		}
	}
	seen := map[float64]bool{}
	for _, s := range c.series {
		for _, pt := range s.points {
			if !seen[pt.number] {
				seen[pt.number] = true
				ticks = append(ticks, plot.Tick{Value: pt.number, Label: name(pt.number)})
			}
		}
	}
	return ticks
}

func power(v float64) string {
	if v < 1024 {
		return short(v)
	}
	return fmt.Sprintf("2^%d", math.Ilogb(v))
}

// derived values are drawn as dashes or pale.
func derived(s record.Source) bool { return s == record.Simulated || s == record.Projected }

func colour(i int, source record.Source) color.Color {
	c := palette()[i%mostSeries]
	if derived(source) {
		c.A = 0x80
	}
	return c
}

// shortTicks writes large numbers as 20k and 1.5M.
type shortTicks struct{ plot.Ticker }

func (t shortTicks) Ticks(least, most float64) []plot.Tick {
	ticks := t.Ticker.Ticks(least, most)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = short(ticks[i].Value)
		}
	}
	return ticks
}

func short(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 1e9:
		return trim(v/1e9) + "G"
	case abs >= 1e6:
		return trim(v/1e6) + "M"
	case abs >= 1e4:
		return trim(v/1e3) + "k"
	}
	return trim(v)
}

func trim(v float64) string { return fmt.Sprintf("%.4g", v) }
