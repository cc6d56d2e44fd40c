package bench

import (
	"maps"
	"strconv"
	"time"

	"github.com/zksettle/settle/bench/record"
)

// Common is what all benchmarks take.
type Common struct {
	Folder   string // for the results
	Machine  record.Machine
	Repeats  int       // repetitions that count, at least 1
	Warmups  int       // repetitions before them that do not
	Memory   uint64    // bytes that a task may take; 0: what is available
	Fresh    bool      // do not go on with an interrupted run
	Since    time.Time // unless zero, keep a run of the same settings that ended after it
	Progress func(record.Event)
}

// run joins tasks to a run. Repetitions are part of the settings.
func (c Common) run(benchmark string, settings map[string]string, tasks []record.Task, notes ...string) record.Run {
	all := maps.Clone(settings)
	if all == nil {
		all = map[string]string{}
	}
	all["repeats"], all["warmups"] = strconv.Itoa(c.Repeats), strconv.Itoa(c.Warmups)
	return record.Run{
		Benchmark: benchmark, Settings: all, Folder: c.Folder, Machine: c.Machine, Tasks: tasks, Notes: notes,
		Progress: c.Progress, Memory: c.Memory, Fresh: c.Fresh, Since: c.Since,
	}
}
