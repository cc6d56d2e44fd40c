package record_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
)

// TestVerdicts: A, B, and what may be said.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		source record.Source
		better record.Better
		a, b   []float64
		want   record.Verdict
	}{
		{"counted, equal", record.Counted, record.Lower, []float64{5}, []float64{5, 5}, record.Unchanged},
		{"counted, one more", record.Counted, record.Lower, []float64{100000}, []float64{100001}, record.Worse},
		{"counted, one less", record.Counted, record.Lower, []float64{100000}, []float64{99999}, record.Improved},
		{"counted, no direction", record.Counted, record.Neither, []float64{5}, []float64{6}, record.Changed},
		{"counted, varying", record.Counted, record.Lower, []float64{5, 7}, []float64{6}, record.Within},
		{"counted, varying elsewhere", record.Counted, record.Lower, []float64{5, 7}, []float64{8, 9}, record.Worse},
		{"measured, apart, lower is better", record.Measured, record.Lower, []float64{1, 2}, []float64{3, 4}, record.Worse},
		{"measured, apart, higher is better", record.Measured, record.Higher, []float64{1, 2}, []float64{3, 4}, record.Improved},
		{"measured, ranges meet", record.Measured, record.Lower, []float64{1, 1, 3}, []float64{3, 4, 4}, record.Within},
		{"measured, one inside", record.Measured, record.Lower, []float64{1, 9}, []float64{4, 5}, record.Within},
		{"measured, one value", record.Measured, record.Lower, []float64{1}, []float64{3, 4}, record.OneValue},
		{"measured, one value each", record.Measured, record.Lower, []float64{1}, []float64{100}, record.OneValue},
		{"simulated", record.Simulated, record.Lower, []float64{1, 1}, []float64{3, 4}, record.Derived},
		{"projected, equal", record.Projected, record.Lower, []float64{1}, []float64{1}, record.Unchanged},
		{"from zero", record.Counted, record.Lower, []float64{0}, []float64{1}, record.Worse},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := record.Compare([]*record.File{file("toy", measurement("x", c.source, c.better, c.a...))},
				[]*record.File{file("toy", measurement("x", c.source, c.better, c.b...))})
			require.Len(t, found.Differences, 1)
			require.Equal(t, c.want, found.Differences[0].Verdict)
			wantFail := c.source == record.Counted && (c.want == record.Worse || c.want == record.Improved || c.want == record.Changed)
			require.Equal(t, wantFail, found.CountsChanged())
			if c.a[0] != 0 {
				require.NotNil(t, found.Differences[0].Ratio)
			}
		})
	}
}

func TestWorstFirst(t *testing.T) {
	slow := func(name string, factor float64) (a, b record.Measurement) {
		return measurement(name, record.Measured, record.Lower, 1, 1), measurement(name, record.Measured, record.Lower, factor, factor)
	}
	a1, b1 := slow("little slower", 1.1)
	a2, b2 := slow("much slower", 3)
	a3, b3 := slow("faster", 0.5)
	old := file("toy", a1, a2, a3, measurement("gone", record.Counted, record.Lower, 1))
	now := file("toy", b1, b2, b3, measurement("new", record.Counted, record.Lower, 1))
	found := record.Compare([]*record.File{old}, []*record.File{now})
	var names []string
	for _, d := range found.Differences {
		names = append(names, d.Name)
	}
	require.Equal(t, []string{"gone", "much slower", "little slower", "new", "faster"}, names)
	require.True(t, found.CountsChanged(), "a count that is gone is not kept")
	require.Len(t, found.Counts().Differences, 2)
	require.False(t, record.Compare([]*record.File{file("toy")}, []*record.File{now}).CountsChanged(), "new ones are")
}

// TestOtherUnitsAndSourcesAreOtherMeasurements.
func TestOtherUnitsAndSourcesAreOtherMeasurements(t *testing.T) {
	found := record.Compare([]*record.File{file("toy", measurement("x", record.Measured, record.Lower, 1, 1))},
		[]*record.File{file("toy", measurement("x", record.Simulated, record.Lower, 1, 1))})
	require.Len(t, found.Differences, 2)
	require.Equal(t, record.Gone, found.Differences[0].Verdict)
	require.Equal(t, record.Appeared, found.Differences[1].Verdict)
}

func TestCircumstances(t *testing.T) {
	old, now := file("toy"), file("toy")
	old.Machine = record.Machine{CPU: "one", Cores: 2, MemoryBytes: 1 << 30, Load: "0.10 0.1 0.1 1/2 3", Commit: "c1"}
	old.Settings = map[string]string{"shape": "demo", "repeats": "5"}
	old.Finished = time.Now()
	now.Machine = old.Machine
	now.Machine.Commit = "c2"
	now.Settings, now.Finished = old.Settings, old.Finished
	compare := func() []string { return record.Compare([]*record.File{old}, []*record.File{now}).Warnings }
	require.Equal(t, []record.Pair{{Benchmark: "toy", CommitA: "c1", CommitB: "c2"}}, record.Compare([]*record.File{old}, []*record.File{now}).Pairs)
	require.Empty(t, compare(), "another commit is what one compares")

	now.Machine.CPU, now.Machine.MemoryBytes, now.Machine.Load = "another", 2<<30, "3.5 1 1 1/2 3"
	now.Settings = map[string]string{"shape": "medium", "workers": "2", "repeats": "5"}
	now.Finished = time.Time{}
	require.Equal(t, []string{
		"toy: processor differs: A one, B another", "toy: memory differs: A 1 GiB, B 2 GiB",
		"toy: the machine of B was busy before the run began: load 3.5 1 1 1/2 3 on 2 cores",
		"toy: setting shape differs: A demo, B medium", "toy: setting workers differs: A (none), B 2",
		"toy: B was interrupted: tasks are missing",
	}, compare())

	found := record.Compare([]*record.File{file("toy", measurement("x", record.Counted, record.Lower, 1)), file("both")},
		[]*record.File{file("both"), file("other", measurement("y", record.Counted, record.Lower, 1))})
	require.Len(t, found.Warnings, 2)
	require.True(t, found.CountsChanged(), "a benchmark that did not run")
	require.Len(t, found.Differences, 1)
}

func TestShow(t *testing.T) {
	for want, got := range map[string]string{
		"1.50 s": record.Show(1.5, "seconds"), "12.3 ms": record.Show(0.0123, "seconds"), "4.00 µs": record.Show(4.0001e-6, "seconds"),
		"0 s": record.Show(0, "seconds"), "20 min": record.Show(1200, "seconds"), "3.50 GiB": record.Show(3.5*(1<<30), "bytes"),
		"512 B": record.Show(512, "bytes"), "128,012 constraints": record.Show(128012, "constraints"), "1,234 /s": record.Show(1234.4, "1/s"),
		"0.953": record.Show(0.953, "ratio"), "-1,000": record.Show(-1000, ""),
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, "2.00 s [1 s – 3 s]", record.ShowSummary(record.Summary{Median: 2.001, Least: 1, Most: 3}, "seconds"))
	require.Equal(t, "accounts 16, shape demo", record.ShowLabels(map[string]string{"shape": "demo", "accounts": "16"}))
}
