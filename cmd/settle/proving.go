package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle/node"
)

// provingFlags bound what a worker's proofs take.
type provingFlags struct {
	Memory       memorySize    `help:"Most memory that a worker may use, for example 12GiB. Without it a worker may use all of the machine or its control group. A job that needs more goes to another worker." env:"SETTLE_WORKER_MEMORY"`
	KeysBudget   int64         `help:"Largest number of bytes of proving keys to hold in memory. 0 uses what --memory leaves." default:"0" env:"SETTLE_KEYS_BUDGET"`
	ProveTimeout time.Duration `help:"Longest time for one proof, including the loading of keys. After that the proving process is killed." default:"30m" env:"SETTLE_PROVE_TIMEOUT"`
	StopGrace    time.Duration `help:"Time that a running proof gets to finish when the worker is asked to stop. After that its job goes back to the queue." default:"20s" env:"SETTLE_STOP_GRACE"`
}

func (f provingFlags) config(a *app) node.WorkerConfig {
	return node.WorkerConfig{
		Memory: uint64(f.Memory), KeysBudget: f.KeysBudget, ProveTimeout: f.ProveTimeout, StopGrace: f.StopGrace,
		Child: node.ChildCommand{Args: a.LogArgs()}, Stderr: a.Stderr,
	}
}

// memorySize is a number of bytes, written with a unit if one likes.
type memorySize uint64

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *memorySize) UnmarshalText(text []byte) error {
	number, unit := string(text), uint64(1)
	if number == "" {
		*m = 0
		return nil
	}
	for suffix, size := range map[string]uint64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, size
		}
	}
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
	if err != nil || n == 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no amount of memory: write bytes, or a whole number with KiB, MiB, GiB or TiB", text)
	}
	*m = memorySize(n * unit)
	return nil
}
