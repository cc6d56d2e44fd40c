package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

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
}

// ErrMemory reports a task that does not fit into this machine's memory.
var ErrMemory = errors.New("not enough memory for the benchmark")

// Do checks the memory for all tasks, runs those that an interrupted run of the same
// benchmark, settings, machine and commit has not done, and writes the file after each.
func (r Run) Do(ctx context.Context) (*File, error) {
	if err := r.checkMemory(); err != nil {
		return nil, err
	}
	f, err := r.open()
	if err != nil {
		return nil, err
	}
	clock := newEstimate(r.Tasks)
	for i, task := range r.Tasks {
		say := func(phase string) {
			if r.Progress != nil {
				r.Progress(Event{task.Name, i + 1, len(r.Tasks), phase, time.Since(clock.started), clock.left(i)})
			}
		}
		if slices.Contains(f.TasksDone, task.Name) {
			clock.skip(i)
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
		f.add(task.Name, s.values)
	}
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
		if err := clock.repeat(func() error { return task.Run(ctx, s) }); err != nil {
			return err
		}
		if i >= task.Warmups {
			f.add(task.Name, s.values)
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
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, err
	}
	if !f.Finished.IsZero() || !maps.Equal(f.Settings, r.Settings) || !f.Machine.same(r.Machine) {
		return fresh, nil
	}
	return f, nil
}

func (r Run) checkMemory() error {
	available := r.Memory
	if available == 0 {
		var err error
		if available, err = (prover.Machine{}).Available(); err != nil {
			return fmt.Errorf("benchmark %s: %w", r.Benchmark, err)
		}
	}
	for _, task := range r.Tasks {
		if task.Memory > available {
			return fmt.Errorf("%w: %s of %s needs %d MiB, %d MiB are available: choose a smaller shape or fewer processes",
				ErrMemory, task.Name, r.Benchmark, task.Memory>>20, available>>20)
		}
	}
	return nil
}
