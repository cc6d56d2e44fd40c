package record

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/heap"
)

// FuzzCompare reads two result files, as people send them to each other, and compares
// them. What is read writes and reads back the same, its table has each value, and the
// comparison has each measurement of either side once, whichever comes first.
func FuzzCompare(f *testing.F) {
	counts, err := os.ReadFile("../testdata/counts/circuits.json")
	require.NoError(f, err)
	var many File
	require.NoError(f, json.Unmarshal(counts, &many))
	many.Measurements = many.Measurements[:3]
	few, err := json.Marshal(many)
	require.NoError(f, err)
	one := `{"format":"settle/bench/v1","benchmark":"toy","settings":{"a":"b"},"machine":{"cpu":"x","cores":2,"load":"9 9 9"},"started":"2026-11-21T12:00:00+02:00",` +
		`"tasks_done":["t"],"measurements":[{"task":"t","name":"n","labels":{"k":"v"},"unit":"seconds","better":"lower","source":"measured","values":[3,1,2]}]}`
	f.Add(few, few)
	f.Add([]byte(one), few)
	for _, change := range [][2]string{
		{"[3,1,2]", "[30,10,20]"}, {"[3,1,2]", "[1e308,-1e308]"}, {"[3,1,2]", "[5e-324]"}, {"[3,1,2]", "[]"}, {"[3,1,2]", "[1e999]"}, {"[3,1,2]", "[null]"}, {"[3,1,2]", "[-0.0]"},
		{"measured", "counted"}, {"measured", "guessed"}, {"lower", "sideways"}, {"lower", "higher"}, {"lower", ""}, {`"v"`, `"v x=y"`}, {`"v"`, `"\u001b[2J"`}, {`"v"`, `"\ud800"`},
		{`"labels":{"k":"v"}`, `"labels":{}`}, {`"labels":{"k":"v"}`, `"labels":null`}, {"toy", "../toy"}, {"toy", "other"}, {"bench/v1", "bench/v2"}, {`"machine":`, `"Machine":`}, {"2026-11", "2026-13"},
		{`"measurements":[`, `"measurements":[{"task":"t","name":"n k=v","unit":"u","source":"simulated","values":[1]},`},
		{`"measurements":[`, `"measurements":[{"task":"t","name":"n","labels":{"k":"v"},"unit":"u","source":"simulated","values":[1]},`},
	} {
		f.Add([]byte(one), []byte(strings.Replace(one, change[0], change[1], 1)))
		f.Add([]byte(strings.Replace(one, change[0], change[1], 1)), []byte(strings.Replace(one, "[3,1,2]", "[5e-324]", 1)))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a, b := requireFile(t, first), requireFile(t, second)
		if a == nil || b == nil {
			return
		}
		there, back := Compare([]*File{a}, []*File{b}), Compare([]*File{b}, []*File{a})
		requireComparison(t, there, a, b)
		requireComparison(t, back, b, a)
		if a.Benchmark == b.Benchmark {
			turned := map[Verdict]Verdict{Gone: Appeared, Appeared: Gone, Worse: Improved, Improved: Worse}
			verdicts := map[string]Verdict{}
			for _, d := range back.Differences {
				verdicts[d.identity()] = d.Verdict
			}
			for _, d := range there.Differences {
				want, one := turned[d.Verdict]
				if !one {
					want = d.Verdict
				}
				if got := verdicts[d.identity()]; d.A == nil || d.B == nil || d.Better == better(b, d) { // else each says what A does
					require.Equal(t, want, got, d.identity())
				}
			}
		}
		for _, d := range Compare([]*File{a}, []*File{a}).Differences {
			require.Equal(t, Unchanged, d.Verdict)
		}
	})
}

func (d Difference) identity() string {
	return Measurement{Task: d.Task, Value: Value{Name: d.Name, Labels: d.Labels}}.identity() + " " + string(d.Source) + " " + d.Unit
}

func better(f *File, d Difference) Better {
	for _, m := range f.Measurements {
		if m.identity()+" "+string(m.Source)+" "+m.Unit == d.identity() {
			return m.Better
		}
	}
	return "none"
}

// requireFile reads a file, and checks what was read; nil if it is refused.
func requireFile(t *testing.T, data []byte) (f *File) {
	t.Helper()
	var err error
	require.Less(t, heap.Allocated(func() { f, err = Parse(data) }), uint64(4<<20+256*len(data)))
	if err != nil {
		require.ErrorIs(t, err, ErrFormat)
		require.NotContains(t, err.Error(), "\x1b")
		return nil
	}
	written, err := json.Marshal(f)
	require.NoError(t, err)
	again, err := Parse(written)
	require.NoError(t, err)
	twice, err := json.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, string(written), string(twice))
	require.False(t, bytes.ContainsFunc(written, unicode.IsControl))

	table, err := f.csv()
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	require.NoError(t, err)
	for _, m := range f.Measurements {
		sorted := slices.Sorted(slices.Values(m.Values))
		require.Equal(t, []float64{sorted[0], sorted[len(sorted)-1]}, []float64{m.Least, m.Most})
		require.True(t, m.Least <= m.Median && m.Median <= m.Most && !math.IsInf(m.Median, 0))
		for _, v := range m.Values {
			rows = rows[1:]
			require.Equal(t, strconv.FormatFloat(v, 'g', -1, 64), rows[0][7])
			require.Equal(t, m.Name, rows[0][2])
		}
		require.NotEmpty(t, ShowSummary(m.Summary, m.Unit))
	}
	require.Len(t, rows, 1)
	return f
}

func requireComparison(t *testing.T, c *Comparison, a, b *File) {
	t.Helper()
	_, err := json.Marshal(c)
	require.NoError(t, err)
	left, right := 0, 0
	for _, d := range c.Differences {
		require.GreaterOrEqual(t, d.Verdict.rank(), 0)
		if d.A != nil {
			left++
		}
		if d.B != nil {
			right++
		}
	}
	require.Equal(t, len(a.Measurements), left)
	if a.Benchmark == b.Benchmark {
		require.Equal(t, len(b.Measurements), right)
	}
}
