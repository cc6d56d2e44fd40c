package bench

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// spent is what a step took of the clock and of all cores together. On a machine that
// does other work too the second says what the step itself costs.
type spent struct{ clock, cores time.Duration }

func (s spent) less(part spent) spent { return spent{s.clock - part.clock, s.cores - part.cores} }

func (s spent) plus(other spent) spent { return spent{s.clock + other.clock, s.cores + other.cores} }

// measure times a step of this process. Whatever else the process does meanwhile, the
// garbage collector above all, counts too.
func measure(step func() error) (spent, error) {
	before, err := processorTime()
	if err != nil {
		return spent{}, err
	}
	begun := time.Now()
	if err := step(); err != nil {
		return spent{}, err
	}
	took := time.Since(begun)
	after, err := processorTime()
	return spent{took, after - before}, err
}

// processorTime is what this process has taken of all cores so far.
func processorTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("processor time of this process: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// childrenTime is what the running child processes of this one have taken so far.
func childrenTime() (time.Duration, error) {
	times, err := readCPUTimes()
	if err != nil {
		return 0, err
	}
	self := os.Getpid()
	return times.tree(self) - times.spent[self], nil
}
