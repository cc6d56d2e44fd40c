package record

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Verdict is what can be said about one measurement of two runs, A and B.
type Verdict string

// Verdicts, worst first. Counted values differ as soon as they are not equal;
// measured ones when their ranges have nothing in common.
const (
	Gone      Verdict = "gone"              // only A has it
	Worse     Verdict = "worse"             // B is worse than A
	Changed   Verdict = "changed"           // different, and neither way is better
	Appeared  Verdict = "new"               // only B has it
	Improved  Verdict = "better"            // B is better than A
	Within    Verdict = "within the spread" // measured ranges meet
	OneValue  Verdict = "one value only"    // a single repetition has no spread: nothing can be said
	Derived   Verdict = "derived"           // simulated or projected: what it was computed from is compared
	Unchanged Verdict = "equal"
)

func (v Verdict) rank() int {
	return slices.Index([]Verdict{Gone, Worse, Changed, Appeared, Improved, Within, OneValue, Derived, Unchanged}, v)
}

// Side is a measurement in one of the two runs.
type Side struct {
	Summary
	Repetitions int `json:"repetitions"`
}

// Difference is one measurement of two runs.
type Difference struct {
	Benchmark string            `json:"benchmark"`
	Task      string            `json:"task"`
	Name      string            `json:"name"`
	Labels    map[string]string `json:"labels,omitempty"`
	Unit      string            `json:"unit"`
	Source    Source            `json:"source"`
	Better    Better            `json:"better,omitempty"`
	A         *Side             `json:"a,omitempty"`
	B         *Side             `json:"b,omitempty"`
	Ratio     *float64          `json:"ratio,omitempty"` // of the medians, B/A; none where A's is 0, or nearly
	Verdict   Verdict           `json:"verdict"`
}

// Pair names two runs of a benchmark that were compared.
type Pair struct {
	Benchmark string    `json:"benchmark"`
	CommitA   string    `json:"commit_a"`
	StartedA  time.Time `json:"started_a,omitzero"`
	CommitB   string    `json:"commit_b"`
	StartedB  time.Time `json:"started_b,omitzero"`
}

// Comparison of two runs, or of two folders of runs.
type Comparison struct {
	Pairs       []Pair       `json:"pairs"`
	Warnings    []string     `json:"warnings"`    // what makes the two hard to compare: machine, load, settings
	Differences []Difference `json:"differences"` // worst first
}

// Compare sets measurements of a and b with the same benchmark, task, name, labels,
// unit and source side by side. Each list holds at most one file of a benchmark.
func Compare(a, b []*File) *Comparison {
	c := &Comparison{Pairs: []Pair{}, Warnings: []string{}, Differences: []Difference{}}
	theirs := byBenchmark(b)
	for _, name := range slices.Sorted(maps.Keys(byBenchmark(a))) {
		old, now := byBenchmark(a)[name], theirs[name]
		delete(theirs, name)
		if now == nil {
			c.warn("B has no benchmark %q", name)
			now = &File{Benchmark: name}
		} else {
			c.Pairs = append(c.Pairs, Pair{name, old.Machine.Commit, old.Started, now.Machine.Commit, now.Started})
			c.circumstances(old, now)
		}
		c.files(old, now)
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		c.warn("A has no benchmark %q: not compared", name)
	}
	slices.SortStableFunc(c.Differences, func(x, y Difference) int {
		if d := x.Verdict.rank() - y.Verdict.rank(); d != 0 {
			return d
		}
		switch bx, by := x.loss(), y.loss(); {
		case bx > by:
			return -1
		case bx < by:
			return 1
		}
		return 0
	})
	return c
}

// Counts reduces the comparison to counted values.
func (c *Comparison) Counts() *Comparison {
	kept := slices.DeleteFunc(slices.Clone(c.Differences), func(d Difference) bool { return d.Source != Counted })
	return &Comparison{Pairs: c.Pairs, Warnings: c.Warnings, Differences: kept}
}

// CountsChanged reports whether a counted value of A differs in B or is not there.
func (c *Comparison) CountsChanged() bool {
	return slices.ContainsFunc(c.Differences, func(d Difference) bool {
		return d.Source == Counted && d.A != nil && d.Verdict != Unchanged && d.Verdict != Within
	})
}

func (c *Comparison) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

// circumstances warns of what differs besides the code.
func (c *Comparison) circumstances(a, b *File) {
	said := func(what, x, y string) {
		if x != y {
			c.warn("%s: %s differs: A %s, B %s", a.Benchmark, what, orNone(x), orNone(y))
		}
	}
	if a.Machine != (Machine{}) && b.Machine != (Machine{}) { // counts alone need no machine
		x, y := a.Machine, b.Machine
		said("processor", x.CPU, y.CPU)
		said("number of cores", strconv.Itoa(x.Cores), strconv.Itoa(y.Cores))
		said("memory", Show(float64(x.MemoryBytes), "bytes"), Show(float64(y.MemoryBytes), "bytes"))
		said("kernel", x.Kernel, y.Kernel)
		said("platform", x.Platform, y.Platform)
		said("Go", x.Go, y.Go)
		c.busy("A", a)
		c.busy("B", b)
	}
	for _, name := range slices.Sorted(maps.Keys(union(a.Settings, b.Settings))) {
		said("setting "+name, a.Settings[name], b.Settings[name])
	}
	if a.interrupted() {
		c.warn("%s: A was interrupted: tasks are missing", a.Benchmark)
	}
	if b.interrupted() {
		c.warn("%s: B was interrupted: tasks are missing", b.Benchmark)
	}
}

func (c *Comparison) busy(side string, f *File) {
	if f.Machine.Busy() {
		c.warn("%s: the machine of %s was busy before the run began: load %s on %d cores", f.Benchmark, side, f.Machine.Load, f.Machine.Cores)
	}
}

func (c *Comparison) files(a, b *File) {
	identity := func(m Measurement) string { return m.identity() + " " + string(m.Source) + " " + m.Unit }
	now := map[string]Measurement{}
	for _, m := range b.Measurements {
		now[identity(m)] = m
	}
	for _, m := range a.Measurements {
		other, found := now[identity(m)]
		delete(now, identity(m))
		d := difference(a.Benchmark, m)
		d.A = side(m)
		if d.Verdict = Gone; found {
			d.B = side(other)
			d.judge()
		}
		c.Differences = append(c.Differences, d)
	}
	for _, m := range b.Measurements { // in their order
		if _, left := now[identity(m)]; left {
			d := difference(b.Benchmark, m)
			d.B, d.Verdict = side(m), Appeared
			c.Differences = append(c.Differences, d)
		}
	}
}

func difference(benchmark string, m Measurement) Difference {
	return Difference{
		Benchmark: benchmark, Task: m.Task, Name: m.Name, Labels: m.Labels, Unit: m.Unit, Source: m.Source, Better: m.Better,
	}
}

func side(m Measurement) *Side { return &Side{m.Summary, len(m.Values)} }

// judge compares A and B, which both exist.
func (d *Difference) judge() {
	a, b := d.A.Summary, d.B.Summary
	if ratio := b.Median / a.Median; a.Median != 0 && !math.IsInf(ratio, 0) {
		d.Ratio = &ratio
	}
	meet := a.Least <= b.Most && b.Least <= a.Most
	// Counted values that vary by repetition, such as gas by the zero bytes of a
	// proof, are compared by their ranges, but need no repetitions.
	varies := a.Least != a.Most || b.Least != b.Most
	switch {
	case a == b:
		d.Verdict = Unchanged
	case d.Source == Simulated || d.Source == Projected:
		d.Verdict = Derived
	case d.Source == Measured && min(d.A.Repetitions, d.B.Repetitions) < 2:
		d.Verdict = OneValue
	case meet && (varies || d.Source == Measured):
		d.Verdict = Within
	case d.Better == Neither:
		d.Verdict = Changed
	case (b.Median < a.Median) == (d.Better == Lower):
		d.Verdict = Improved
	default:
		d.Verdict = Worse
	}
}

// loss orders differences of one verdict: how many times worse B is, as a logarithm;
// where neither way is better, how many times different.
func (d *Difference) loss() float64 {
	switch {
	case d.A == nil || d.B == nil:
		return 0
	case d.Ratio == nil || *d.Ratio <= 0:
		return math.Inf(1)
	case d.Better == Lower:
		return math.Log(*d.Ratio)
	case d.Better == Higher:
		return -math.Log(*d.Ratio)
	}
	return math.Abs(math.Log(*d.Ratio))
}

func byBenchmark(files []*File) map[string]*File {
	m := map[string]*File{}
	for _, f := range files {
		m[f.Benchmark] = f
	}
	return m
}

func union(a, b map[string]string) map[string]string {
	m := map[string]string{}
	maps.Copy(m, a)
	maps.Copy(m, b)
	return m
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
