package record

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// columns of the CSV form: a row per value of a repetition.
var columns = []string{"benchmark", "task", "name", "labels", "unit", "source", "repetition", "value", "commit", "cpu", "cores", "started"}

// csv gives a row per value, as a spreadsheet or a statistics program wants them.
func (f *File) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{columns}
	for _, m := range f.Measurements {
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
			labels = append(labels, name+"="+m.Labels[name])
		}
		for i, v := range m.Values {
			rows = append(rows, []string{
				f.Benchmark, m.Task, m.Name, strings.Join(labels, ";"), m.Unit, string(m.Source), strconv.Itoa(i + 1),
				strconv.FormatFloat(v, 'g', -1, 64), f.Machine.Commit, f.Machine.CPU, strconv.Itoa(f.Machine.Cores), f.Started.UTC().Format("2006-01-02T15:04:05Z"),
			})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write benchmark result as CSV: %w", err)
	}
	return b.Bytes(), nil
}
