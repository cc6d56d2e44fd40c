package record

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Format names the layout of a File. Readers refuse others.
const Format = "settle/bench/v1"

// Source says where a value is from. Tables never mix sources silently.
type Source string

// Sources.
const (
	Measured  Source = "measured"  // by this run on this machine
	Counted   Source = "counted"   // exact: the same on every machine
	Simulated Source = "simulated" // computed from distributions that this run measured
	Projected Source = "projected" // computed from counts and measured parts, on stated assumptions
)

func (s Source) known() bool {
	return s == Measured || s == Counted || s == Simulated || s == Projected
}

// Better says which way is better, for comparisons.
type Better string

// Directions.
const (
	Lower   Better = "lower"
	Higher  Better = "higher"
	Neither Better = "" // a setting, a size, or a share
)

func (b Better) known() bool { return b == Lower || b == Higher || b == Neither }

// Value is one number that a repetition yields.
type Value struct {
	Name   string            `json:"name"`             // "prove", "transfers per second"
	Labels map[string]string `json:"labels,omitempty"` // what distinguishes values of one name: "shape": "demo"
	Unit   string            `json:"unit"`             // "seconds", "bytes", "gas", "constraints", "1/s", "ratio", …
	Better Better            `json:"better,omitempty"`
	Source Source            `json:"source"`
	Note   string            `json:"note,omitempty"` // assumption or restriction that a reader must know
	Value  float64           `json:"-"`
}

// key tells values of one task apart.
func (v Value) key() string {
	parts := []string{v.Name}
	for _, label := range slices.Sorted(maps.Keys(v.Labels)) {
		parts = append(parts, label+"="+v.Labels[label])
	}
	return strings.Join(parts, " ")
}

// Measurement is a value over all repetitions of its task.
type Measurement struct {
	Task string `json:"task"`
	Value
	Values []float64 `json:"values"` // by repetition, warm-ups left out
	Summary
}

// Key identifies a measurement in its file.
func (m Measurement) Key() string { return m.Task + ": " + m.key() }

// identity is Key for whatever a file holds: no two measurements of different task,
// name or labels share it.
func (m Measurement) identity() string {
	parts := []string{strconv.Quote(m.Task), strconv.Quote(m.Name)}
	for _, label := range slices.Sorted(maps.Keys(m.Labels)) {
		parts = append(parts, strconv.Quote(label)+"="+strconv.Quote(m.Labels[label]))
	}
	return strings.Join(parts, " ")
}

// File is a run of one benchmark.
type File struct {
	Format       string            `json:"format"`
	Benchmark    string            `json:"benchmark"`        // "prove", "pipeline", …
	Settings     map[string]string `json:"settings"`         // what the run was asked for
	Machine      Machine           `json:"machine,omitzero"` // zero in a file of counts
	Started      time.Time         `json:"started,omitzero"`
	Finished     time.Time         `json:"finished,omitzero"` // zero: interrupted, to be resumed
	TasksDone    []string          `json:"tasks_done"`
	Measurements []Measurement     `json:"measurements"`
	Notes        []string          `json:"notes,omitempty"`
}

// Find returns the measurement of a name with exactly these labels (key, value, …),
// in whichever task.
func (f *File) Find(name string, labels ...string) (Measurement, bool) {
	want := Value{Name: name, Labels: pairs(labels)}.key()
	for _, m := range f.Measurements {
		if m.key() == want {
			return m, true
		}
	}
	return Measurement{}, false
}

func pairs(labels []string) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return m
}

// add joins the values of one repetition to the file. An error says which of them no
// reader could make sense of; nothing is added then.
func (f *File) add(task string, values []Value) error {
	seen := map[string]bool{}
	for _, v := range values {
		switch key := v.key(); {
		case seen[key]:
			return fmt.Errorf("value %q twice in one repetition: labels must tell values apart", key)
		case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
			return fmt.Errorf("value %q is %v", key, v.Value)
		case !v.Source.known():
			return fmt.Errorf("value %q has source %q", key, v.Source)
		default:
			seen[key] = true
		}
	}
	for _, v := range values {
		i := slices.IndexFunc(f.Measurements, func(m Measurement) bool { return m.Task == task && m.key() == v.key() })
		if i < 0 {
			i = len(f.Measurements)
			kind := v
			kind.Value = 0 // of all repetitions: as it will be read from the file
			f.Measurements = append(f.Measurements, Measurement{Task: task, Value: kind})
		}
		m := &f.Measurements[i]
		m.Values = append(m.Values, v.Value)
		m.Summary = Summarize(m.Values)
	}
	return nil
}

// interrupted reports whether tasks are missing.
func (f *File) interrupted() bool { return f.Finished.IsZero() && f.Machine != (Machine{}) }

// Counts returns what of the file is the same on every machine: counted values that
// did not vary, without the machine and the times.
func (f *File) Counts() *File {
	counts := &File{Format: f.Format, Benchmark: f.Benchmark, Settings: f.Settings, TasksDone: f.TasksDone, Measurements: []Measurement{}}
	for _, m := range f.Measurements {
		if m.Source == Counted && m.Least == m.Most {
			m.Values = m.Values[:1]
			counts.Measurements = append(counts.Measurements, m)
		}
	}
	return counts
}

// forget drops what an interrupted task left.
func (f *File) forget(task string) {
	f.Measurements = slices.DeleteFunc(f.Measurements, func(m Measurement) bool { return m.Task == task })
}
