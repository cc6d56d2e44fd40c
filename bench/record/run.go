package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/zksettle/settle/prover"
)

// Task is measured as a whole: an interrupted run repeats the task it was in.
type Task struct {
	Name     string        // unique in its run: "prove demo"
	Memory   uint64        // bytes at its peak, in all processes that it starts
	Prepares time.Duration // first guess of Prepare
	Takes    time.Duration // first guess of one repetition
	Warmups  int           // repetitions whose values are dropped
	Repeats  int           // at least 1

	// Prepare sets up what repetitions share, such as keys. What it adds has one value. May be nil.
	Prepare func(ctx context.Context, s *Sample) error
	// Run is one repetition.
	Run func(ctx context.Context, s *Sample) error
	// Close gives back what Prepare took, whether or not it succeeded. May be nil.
	Close func() error
}

// Sample takes the values of one repetition.
type Sample struct {
	File   *File // the run so far, with the values of tasks before this one: for ratios
	values []Value
}

// Add records a value.
func (s *Sample) Add(v Value) { s.values = append(s.values, v) }

// Seconds records a measured time; labels are key, value, ….
func (s *Sample) Seconds(name string, d time.Duration, labels ...string) {
	s.Add(Value{Name: name, Labels: pairs(labels), Unit: "seconds", Better: Lower, Source: Measured, Value: d.Seconds()})
}

// Bytes records a measured amount of memory or data; labels are key, value, ….
func (s *Sample) Bytes(name string, n uint64, labels ...string) {
	s.Add(Value{Name: name, Labels: pairs(labels), Unit: "bytes", Better: Lower, Source: Measured, Value: float64(n)})
}

// Rate records a measured number per second; labels are key, value, ….
func (s *Sample) Rate(name string, perSecond float64, labels ...string) {
	s.Add(Value{Name: name, Labels: pairs(labels), Unit: "1/s", Better: Higher, Source: Measured, Value: perSecond})
}

// Ratio records the quotient of two measured values; labels are key, value, ….
func (s *Sample) Ratio(name string, ratio float64, labels ...string) {
	s.Add(Value{Name: name, Labels: pairs(labels), Unit: "ratio", Better: Higher, Source: Measured, Value: ratio})
}

// Count records an exact number, of constraints for example; labels are key, value, ….
func (s *Sample) Count(name, unit string, better Better, n float64, labels ...string) {
	s.Add(Value{Name: name, Labels: pairs(labels), Unit: unit, Better: better, Source: Counted, Value: n})
}

// Event is progress to show.
type Event struct {
	Task    string
	Number  int    // of the task, from 1
	Tasks   int    // of the run
	Phase   string // "prepare", "warm-up 1 of 1", "3 of 5", "done", "kept from the interrupted run"
	Elapsed time.Duration
	Left    time.Duration // expected until the end of the run
}

// Run is a benchmark about to be run.
type Run struct {
	Benchmark string
	Settings  map[string]string // all that decides what is measured; a run with others is not resumed
	Folder    string            // of the results
	Machine   Machine
	Tasks     []Task
	Notes     []string
	Progress  func(Event) // nil: none
	Memory    uint64      // bytes that tasks may take together; 0: what the machine has available now
	Fresh     bool        // begin anew even if there is an interrupted run

	// Since, unless zero, keeps a run that ended after it, as part of a longer row of
	// benchmarks that was interrupted.
	Since time.Time
}

// Errors of runs that do not begin.
var (
	ErrMemory = errors.New("not enough memory for the benchmark")
	ErrBusy   = errors.New("another benchmark is running there, and two would measure each other")
)

// Do checks the memory for all tasks, runs those that an interrupted run of the same
// benchmark, settings, machine and build has not done, and writes the file after each.
// ErrMemory and ErrBusy before anything runs; ErrFormat if what lies in the file's
// place is no result.
func (r Run) Do(ctx context.Context) (_ *File, err error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", r.Benchmark, err)
	}
	unlock, err := lock(r.Folder)
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", r.Benchmark, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	f, err := r.open()
	if err != nil {
		return nil, err
	}
	if !f.Finished.IsZero() {
		return f, nil
	}
	if err := r.checkMemory(f.TasksDone); err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", r.Benchmark, err)
	}
	clock := newEstimate(r.Tasks, f.TasksDone)
	for i, task := range r.Tasks {
		say := func(phase string) {
			if r.Progress != nil {
				r.Progress(Event{task.Name, i + 1, len(r.Tasks), phase, time.Since(clock.started), clock.left(i)})
			}
		}
		if clock.of(i).skipped {
			say("kept from the interrupted run")
			continue
		}
		f.forget(task.Name)
		if err := r.do(ctx, f, task, clock.of(i), say); err != nil {
			return nil, fmt.Errorf("benchmark %s, %s: %w", r.Benchmark, task.Name, err)
		}
		f.TasksDone = append(f.TasksDone, task.Name)
		if err := f.Write(r.Folder); err != nil {
			return nil, err
		}
		say("done")
		debug.FreeOSMemory() // the next task's peak is its own
	}
	f.Finished = time.Now().UTC()
	return f, f.Write(r.Folder)
}

func (r Run) do(ctx context.Context, f *File, task Task, clock *taskClock, say func(string)) (err error) {
	if task.Close != nil {
		defer func() { err = errors.Join(err, task.Close()) }()
	}
	if task.Prepare != nil {
		say("prepare")
		s := &Sample{File: f}
		if err := clock.prepare(func() error { return task.Prepare(ctx, s) }); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		if err := f.add(task.Name, s.values); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	prepared := len(f.Measurements)
	for i := range task.Warmups + task.Repeats {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i < task.Warmups {
			say(fmt.Sprintf("warm-up %d of %d", i+1, task.Warmups))
		} else {
			say(fmt.Sprintf("%d of %d", i-task.Warmups+1, task.Repeats))
		}
		s := &Sample{File: f}
		runtime.GC() // garbage of the last repetition is not collected in this one's time
		if err := clock.repeat(func() error { return task.Run(ctx, s) }); err != nil {
			return err
		}
		if i < task.Warmups {
			continue
		}
		if err := f.add(task.Name, s.values); err != nil {
			return err
		}
	}
	for _, m := range f.Measurements[:prepared] {
		if m.Task == task.Name && len(m.Values) > 1 {
			return fmt.Errorf("value %q is added by Prepare and by Run", m.key())
		}
	}
	return nil
}

// open goes on with an interrupted run or begins a file.
func (r Run) open() (*File, error) {
	fresh := &File{
		Format: Format, Benchmark: r.Benchmark, Settings: r.Settings, Machine: r.Machine, Notes: r.Notes,
		Started: time.Now().UTC(), TasksDone: []string{}, Measurements: []Measurement{},
	}
	if r.Fresh {
		return fresh, nil
	}
	f, err := Read(Path(r.Folder, r.Benchmark))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fresh, nil
	case err != nil:
		return nil, fmt.Errorf("go on with an interrupted run (or begin anew, which replaces the file): %w", err)
	case f.Benchmark != r.Benchmark, !maps.Equal(f.Settings, r.Settings), !f.Machine.same(r.Machine):
		return fresh, nil
	case !f.Finished.IsZero() && (r.Since.IsZero() || f.Finished.Before(r.Since)):
		return fresh, nil
	}
	return f, nil
}

// check finds mistakes of who wrote the benchmark.
func (r Run) check() error {
	names := map[string]bool{}
	for _, t := range r.Tasks {
		switch {
		case names[t.Name]:
			return fmt.Errorf("two tasks %q", t.Name)
		case t.Run == nil || t.Repeats < 1 || t.Warmups < 0:
			return fmt.Errorf("task %q with %d repetitions and %d warm-ups: expected something to run, at least once", t.Name, t.Repeats, t.Warmups)
		}
		names[t.Name] = true
	}
	return nil
}

func (r Run) checkMemory(done []string) error {
	available := r.Memory
	if available == 0 {
		var err error
		if available, err = (prover.Machine{}).Available(); err != nil {
			return fmt.Errorf("say how much may be taken: %w", err)
		}
	}
	for _, task := range r.Tasks {
		if task.Memory > available && !slices.Contains(done, task.Name) {
			return fmt.Errorf("%w: %s needs %s, %s are available: choose a smaller shape or fewer processes",
				ErrMemory, task.Name, Show(float64(task.Memory), "bytes"), Show(float64(available), "bytes"))
		}
	}
	return nil
}

// lock keeps a folder of results for one run.
func lock(folder string) (unlock func() error, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of results: %w", err)
	}
	l := flock.New(filepath.Join(folder, ".lock"))
	switch held, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the folder of results: %w", err)
	case !held:
		return nil, fmt.Errorf("%s: %w", folder, ErrBusy)
	}
	return l.Close, nil
}
