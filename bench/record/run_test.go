package record_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
)

var errBroken = errors.New("broken")

// plan is a run of two tasks that count what is called.
type plan struct {
	calls  map[string]int
	fail   string // call that fails
	folder string
	events []record.Event
}

func newPlan(t *testing.T) *plan { return &plan{calls: map[string]int{}, folder: t.TempDir()} }

func (p *plan) call(name string) error {
	p.calls[name]++
	if p.fail == name {
		return errBroken
	}
	return nil
}

func (p *plan) task(name string) record.Task {
	return record.Task{
		Name: name, Warmups: 1, Repeats: 3, Takes: time.Second,
		Prepare: func(_ context.Context, s *record.Sample) error {
			s.Seconds("setup", time.Second)
			return p.call(name + " prepare")
		},
		Run: func(_ context.Context, s *record.Sample) error {
			s.Rate("speed", float64(p.calls[name]), "shape", "tiny")
			s.Count("constraints", "constraints", record.Lower, 7)
			return p.call(name)
		},
		Close: func() error { return p.call(name + " close") },
	}
}

func (p *plan) run() record.Run {
	return record.Run{
		Benchmark: "toy", Folder: p.folder, Settings: map[string]string{"shape": "tiny"},
		Machine: record.Machine{CPU: "one", Cores: 2, Commit: "c1", Build: "b1"},
		Tasks:   []record.Task{p.task("first"), p.task("second")}, Memory: 1 << 30,
		Progress: func(e record.Event) { p.events = append(p.events, e) },
	}
}

func TestRunKeepsRepetitionsAndDropsWarmUps(t *testing.T) {
	p := newPlan(t)
	f, err := p.run().Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		"first prepare": 1, "first": 4, "first close": 1, "second prepare": 1, "second": 4, "second close": 1,
	}, p.calls)
	speed, found := f.Find("speed", "shape", "tiny")
	require.True(t, found)
	require.Equal(t, []float64{1, 2, 3}, speed.Values) // 0 was the warm-up
	require.Equal(t, record.Summary{Median: 2, Least: 1, Most: 3}, speed.Summary)
	setup, found := f.Find("setup")
	require.True(t, found)
	require.Len(t, setup.Values, 1)
	_, found = f.Find("speed")
	require.False(t, found, "without its label")
	require.Equal(t, []string{"first", "second"}, f.TasksDone)
	require.False(t, f.Finished.IsZero())

	read, err := record.Read(record.Path(p.folder, "toy"))
	require.NoError(t, err)
	require.Equal(t, f.Measurements, read.Measurements)
	require.Equal(t, "done", p.events[len(p.events)-1].Phase)
	require.Zero(t, p.events[len(p.events)-1].Left)
	require.GreaterOrEqual(t, p.events[0].Left, 4*time.Second, "the first guess")

	table, err := os.ReadFile(filepath.Join(p.folder, "toy.csv"))
	require.NoError(t, err)
	require.Contains(t, string(table), "toy,first,speed,shape=tiny,1/s,measured,3,3,c1,one,2,")
}

// interrupt leaves a run whose first task is done.
func interrupt(t *testing.T) *plan {
	t.Helper()
	p := newPlan(t)
	p.fail = "second"
	_, err := p.run().Do(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.ErrorContains(t, err, "benchmark toy, second")
	require.Equal(t, 1, p.calls["second close"])
	p.fail, p.calls, p.events = "", map[string]int{}, nil
	return p
}

func TestInterruptedRunGoesOn(t *testing.T) {
	p := interrupt(t)
	p.events = nil
	f, err := p.run().Do(t.Context())
	require.NoError(t, err)
	require.Zero(t, p.calls["first"])
	require.Equal(t, 4, p.calls["second"])
	require.Equal(t, "kept from the interrupted run", p.events[0].Phase)
	require.Equal(t, 4*time.Second, p.events[0].Left.Round(time.Second), "the kept task is not foreseen")
	require.Len(t, f.Measurements, 6)
	for _, m := range f.Measurements {
		require.LessOrEqual(t, len(m.Values), 3, m.Key())
	}

	p.calls = map[string]int{}
	_, err = p.run().Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, p.calls["first"], "a finished run is repeated")
}

func TestOtherRunsBeginAnew(t *testing.T) {
	for name, change := range map[string]func(*record.Run){
		"settings": func(r *record.Run) { r.Settings = map[string]string{"shape": "demo"} },
		"machine":  func(r *record.Run) { r.Machine.CPU = "another" },
		"commit":   func(r *record.Run) { r.Machine.Commit = "c2" },
		"build":    func(r *record.Run) { r.Machine.Build = "b2" },
		"fresh":    func(r *record.Run) { r.Fresh = true },
	} {
		t.Run(name, func(t *testing.T) {
			p := interrupt(t)
			r := p.run()
			change(&r)
			_, err := r.Do(t.Context())
			require.NoError(t, err)
			require.Equal(t, 4, p.calls["first"])
		})
	}
	t.Run("load alone does not matter", func(t *testing.T) {
		p := interrupt(t)
		r := p.run()
		r.Machine.Load = "9.0"
		_, err := r.Do(t.Context())
		require.NoError(t, err)
		require.Zero(t, p.calls["first"])
	})
}

func TestSinceKeepsAFinishedRun(t *testing.T) {
	p := newPlan(t)
	r := p.run()
	r.Since = time.Now()
	for range 2 {
		_, err := r.Do(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, 4, p.calls["first"])
	r.Since = time.Now()
	_, err := r.Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, 8, p.calls["first"])
}

func TestMemoryIsCheckedBeforeAnythingRuns(t *testing.T) {
	p := newPlan(t)
	r := p.run()
	r.Tasks[1].Memory = r.Memory + 1
	_, err := r.Do(t.Context())
	require.ErrorIs(t, err, record.ErrMemory)
	require.ErrorContains(t, err, "second needs 1.00 GiB")
	require.Empty(t, p.calls)

	p = interrupt(t)
	r = p.run()
	r.Tasks[0].Memory = r.Memory + 1 // is done: needs none any more
	_, err = r.Do(t.Context())
	require.NoError(t, err)
}

func TestOneRunAtATime(t *testing.T) {
	p := newPlan(t)
	other := flock.New(filepath.Join(p.folder, ".lock"))
	held, err := other.TryLock()
	require.NoError(t, err)
	require.True(t, held)
	_, err = p.run().Do(t.Context())
	require.ErrorIs(t, err, record.ErrBusy)
	require.Empty(t, p.calls)
	require.NoError(t, other.Close())
	_, err = p.run().Do(t.Context())
	require.NoError(t, err)
}

func TestCancelledRunStops(t *testing.T) {
	p := newPlan(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := p.run()
	r.Tasks[1].Prepare = func(context.Context, *record.Sample) error { cancel(); return nil }
	_, err := r.Do(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, p.calls["second"])
	require.Equal(t, 1, p.calls["second close"])
	f, err := record.Read(record.Path(p.folder, "toy"))
	require.NoError(t, err)
	require.Equal(t, []string{"first"}, f.TasksDone)
	require.True(t, f.Finished.IsZero())
}

func TestValuesThatNobodyCouldRead(t *testing.T) {
	zero := 0.0
	for name, add := range map[string]func(*record.Sample){
		"twice in one repetition": func(s *record.Sample) { s.Rate("x", 1); s.Rate("x", 2) },
		"NaN":                     func(s *record.Sample) { s.Ratio("x", zero/zero) },
		"Inf":                     func(s *record.Sample) { s.Ratio("x", 1/zero) },
		"source":                  func(s *record.Sample) { s.Add(record.Value{Name: "x", Value: 1}) },
		"by Prepare and by Run":   func(s *record.Sample) { s.Seconds("setup", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t)
			r := p.run()
			r.Tasks[0].Run = func(_ context.Context, s *record.Sample) error { add(s); return nil }
			_, err := r.Do(t.Context())
			require.ErrorContains(t, err, name)
		})
	}
}

func TestTasksThatCannotRun(t *testing.T) {
	p := newPlan(t)
	r := p.run()
	r.Tasks[1].Name = "first"
	_, err := r.Do(t.Context())
	require.ErrorContains(t, err, "two tasks")
	r = p.run()
	r.Tasks[1].Repeats = 0
	_, err = r.Do(t.Context())
	require.ErrorContains(t, err, "at least once")
	require.Empty(t, p.calls)
}

func TestTasksSeeEarlierValues(t *testing.T) {
	p := newPlan(t)
	r := p.run()
	r.Tasks[1].Run = func(_ context.Context, s *record.Sample) error {
		m, found := s.File.Find("speed", "shape", "tiny")
		require.True(t, found)
		require.InDelta(t, 2, m.Median, 1e-12)
		return nil
	}
	_, err := r.Do(t.Context())
	require.NoError(t, err)
}
