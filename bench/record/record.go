package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// Better says which way is better, for comparisons.
type Better string

// Directions.
const (
	Lower   Better = "lower"
	Higher  Better = "higher"
	Neither Better = "" // a setting, a size, or a share
)

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

// File is a run of one benchmark.
type File struct {
	Format       string            `json:"format"`
	Benchmark    string            `json:"benchmark"` // "prove", "pipeline", …
	Settings     map[string]string `json:"settings"`  // what the run was asked for
	Machine      Machine           `json:"machine"`
	Started      time.Time         `json:"started"`
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
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return m
}

// add joins a repetition's values to the file.
func (f *File) add(task string, values []Value) {
	for _, v := range values {
		i := slices.IndexFunc(f.Measurements, func(m Measurement) bool { return m.Task == task && m.key() == v.key() })
		if i < 0 {
			i = len(f.Measurements)
			f.Measurements = append(f.Measurements, Measurement{Task: task, Value: v})
		}
		m := &f.Measurements[i]
		m.Values = append(m.Values, v.Value)
		m.Summary = Summarize(m.Values)
	}
}

// forget drops what an interrupted task left.
func (f *File) forget(task string) {
	f.Measurements = slices.DeleteFunc(f.Measurements, func(m Measurement) bool { return m.Task == task })
}

// Path is where a benchmark's file lies in a folder of results.
func Path(folder, benchmark string) string { return filepath.Join(folder, benchmark+".json") }

// ErrFormat reports a file that is not a result of this format.
var ErrFormat = errors.New("not a benchmark result")

// Read reads a result file; fs.ErrNotExist where there is none, ErrFormat where it is
// something else.
func Read(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read benchmark result: %w", err)
	}
	f := new(File)
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrFormat, err)
	}
	if f.Format != Format {
		return nil, fmt.Errorf("%s: %w: format %q, expected %q", path, ErrFormat, f.Format, Format)
	}
	for i := range f.Measurements {
		m := &f.Measurements[i]
		if len(m.Values) == 0 {
			return nil, fmt.Errorf("%s: %w: %s has no values", path, ErrFormat, m.Key())
		}
		m.Summary = Summarize(m.Values) // never trust a summary that can be computed
	}
	return f, nil
}

// ReadFolder reads all results of a folder, by name of the benchmark.
func ReadFolder(folder string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var files []*File
	for _, path := range paths {
		f, err := Read(path)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no benchmark results in %s: %w", folder, fs.ErrNotExist)
	}
	return files, nil
}

// Write stores the file as JSON, and beside it as CSV, whole or not at all.
func (f *File) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write benchmark result: %w", err)
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write benchmark result: %w", err)
	}
	path := Path(folder, f.Benchmark)
	if err := replace(path, append(data, '\n')); err != nil {
		return err
	}
	table, err := f.csv()
	if err != nil {
		return err
	}
	return replace(strings.TrimSuffix(path, ".json")+".csv", table)
}

func replace(path string, data []byte) error {
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return fmt.Errorf("write benchmark result: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write benchmark result: %w", err)
	}
	return nil
}
