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
	Memory       memorySize    `help:"Most memory that a worker may take, for example 12GiB; empty for all that the machine and its control group have. A job for which memory ran out goes to a worker with more." env:"SETTLE_WORKER_MEMORY"`
	KeysBudget   int64         `help:"Most bytes of proving keys held in memory; 0 for what the memory leaves." default:"0" env:"SETTLE_KEYS_BUDGET"`
	ProveTimeout time.Duration `help:"Most time for one proof, the loading of keys included; then the proving process is killed." default:"30m" env:"SETTLE_PROVE_TIMEOUT"`
	StopGrace    time.Duration `help:"How long a proof under way may go on when the worker is asked to stop; then its job is handed back." default:"20s" env:"SETTLE_STOP_GRACE"`
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
