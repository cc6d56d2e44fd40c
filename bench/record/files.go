package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

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
	f, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Parse reads what WriteJSON wrote, here or by somebody else, or returns ErrFormat.
// Results are shown on terminals: texts with control characters are refused.
func Parse(data []byte) (*File, error) {
	f := new(File)
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if f.Format != Format {
		return nil, fmt.Errorf("%w: format %q, expected %q", ErrFormat, f.Format, Format)
	}
	if f.Benchmark == "" || f.Benchmark != filepath.Base(f.Benchmark) {
		return nil, fmt.Errorf("%w: benchmark %q is no name", ErrFormat, f.Benchmark)
	}
	if text, bad := controls(data); bad {
		return nil, fmt.Errorf("%w: the text %q has control characters", ErrFormat, text)
	}
	seen := map[string]bool{}
	for i := range f.Measurements {
		m := &f.Measurements[i]
		switch {
		case len(m.Values) == 0:
			return nil, fmt.Errorf("%w: %s has no values", ErrFormat, m.Key())
		case !m.Source.known():
			return nil, fmt.Errorf("%w: %s has source %q", ErrFormat, m.Key(), m.Source)
		case !m.Better.known():
			return nil, fmt.Errorf("%w: %s says %q is better", ErrFormat, m.Key(), m.Better)
		case seen[m.identity()]:
			return nil, fmt.Errorf("%w: %s twice", ErrFormat, m.Key())
		}
		seen[m.identity()] = true
		m.Summary = Summarize(m.Values) // never trust a summary that can be computed
	}
	return f, nil
}

// controls finds a text with control characters in valid JSON.
func controls(data []byte) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return "", false // the end
		}
		if text, ok := token.(string); ok && strings.ContainsFunc(text, unicode.IsControl) {
			return text, true
		}
	}
}

// ReadAll reads a result file, or all results of a folder.
func ReadAll(path string) ([]*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read benchmark results: %w", err)
	}
	if info.IsDir() {
		return ReadFolder(path)
	}
	f, err := Read(path)
	return []*File{f}, err
}

// ReadFolder reads all results of a folder, by name of the benchmark.
func ReadFolder(folder string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var files []*File
	from := map[string]string{}
	for _, path := range paths {
		f, err := Read(path)
		if err != nil {
			return nil, err
		}
		if other, twice := from[f.Benchmark]; twice {
			return nil, fmt.Errorf("%s and %s are both of benchmark %q: one folder holds one run of each", other, path, f.Benchmark)
		}
		from[f.Benchmark] = path
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no benchmark results in %s: %w", folder, fs.ErrNotExist)
	}
	return files, nil
}

// Write stores the file as JSON, and beside it as CSV, each whole or not at all.
func (f *File) Write(folder string) error {
	path := Path(folder, f.Benchmark)
	if err := f.WriteJSON(path); err != nil {
		return err
	}
	table, err := f.csv()
	if err != nil {
		return err
	}
	return Replace(strings.TrimSuffix(path, ".json")+".csv", table)
}

// WriteJSON stores the file as JSON alone, whole or not at all.
func (f *File) WriteJSON(path string) error {
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write benchmark result: %w", err)
	}
	return Replace(path, append(data, '\n'))
}

// Replace puts data in the place of a file, whole or not at all, also when the
// machine stops meanwhile. It makes the folder.
func Replace(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", filepath.Base(path), err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	if err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(temporary.Name()))
	}
	return err
}
