package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/state"
)

// ProveName is the benchmark's name in its File.
const ProveName = "prove"

// RawProveName is the measurement of one proof by groth16.Prove alone, labelled with
// its shape: the limit of everything that is built around it.
const RawProveName = "raw prove"

// ProveConfig says what Prove measures.
type ProveConfig struct {
	Shapes   []string // of the transition circuit
	Parallel []int    // numbers of proofs side by side, each in a process of its own
	KeysDir  string   // development keys are made there where they are missing
	Setup    bool     // measure setups too; those of tiny always are
	// BaselineDomain is the log2 of the largest FFT domain at which the plain circuit is
	// proven beside Settle's; its keys are made once, which takes minutes at 20. 0: none.
	BaselineDomain int
	Seed           uint64                    // of the batches
	Child          func() (*exec.Cmd, error) // runs prover.Serve for the transition circuit over KeysDir
	Log            *slog.Logger              // nil discards
}

// Prove measures how long a proof takes and what it takes, by shape: compile, keys,
// and assign, solve, prove and verify in processes as a worker has them; groth16.Prove
// alone; the pieces of a proof one by one; and a plain rollup circuit of the same
// domain. Every batch is full.
func Prove(ctx context.Context, common Common, cfg ProveConfig) (*record.File, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Shapes) == 0 || len(cfg.Parallel) == 0 || slices.Min(cfg.Parallel) < 1 {
		return nil, fmt.Errorf("benchmark %s: %d shapes and proofs side by side %v: expected at least one of each, and 1 or more", ProveName, len(cfg.Shapes), cfg.Parallel)
	}
	var tasks []record.Task
	for _, name := range cfg.Shapes {
		shape, err := circuits.ShapeByName(name)
		if err != nil {
			return nil, err
		}
		of, err := (&proveShape{Common: common, cfg: cfg, shape: shape, keys: shapeKeys{cfg.KeysDir, shape, cfg.Log}}).tasks()
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, of...)
	}
	run := common.run(ProveName, map[string]string{
		"shapes": strings.Join(cfg.Shapes, ","), "parallel": numbers(cfg.Parallel), "setup": strconv.FormatBool(cfg.Setup),
		"baseline domain": strconv.Itoa(cfg.BaselineDomain), "seed": strconv.FormatUint(cfg.Seed, 10),
	}, tasks,
		"Keys are of a development setup; those that were in the key folder were not made again.",
		"Batches are full of signed transactions of what the shape is dimensioned for: transfers between uniformly random accounts, with shares of opens and exits. All count as transfers.",
		"Pieces of a proof are timed one after another, each on all cores; gnark runs some of them side by side.",
	)
	return run.Do(ctx)
}

// proveShape makes the tasks of one shape. They share its batches.
type proveShape struct {
	Common
	cfg    ProveConfig
	shape  circuits.Shape
	keys   shapeKeys
	memory uint64 // of a proving process
	domain uint64

	once    sync.Once
	batches []*state.Trace
	failed  error
}

// traces returns at least so many different batches as are proven side by side.
func (p *proveShape) traces() ([]*state.Trace, error) {
	p.once.Do(func() { p.batches, p.failed = randomBatches(p.shape, p.cfg.Seed, max(2, slices.Max(p.cfg.Parallel))) })
	return p.batches, p.failed
}

func (p *proveShape) tasks() ([]record.Task, error) {
	var err error
	if p.memory, p.domain, err = p.keys.need(); err != nil {
		return nil, err
	}
	tasks := []record.Task{p.compile()}
	if p.cfg.Setup || cost.PopulationOf(p.shape).Accounts == 0 {
		tasks = append(tasks, p.setup())
	}
	tasks = append(tasks, p.load())
	for _, n := range p.cfg.Parallel {
		tasks = append(tasks, p.sideBySide(n))
	}
	tasks = append(tasks, p.raw(), p.pieces())
	if uint64(1)<<p.cfg.BaselineDomain >= p.domain {
		tasks = append(tasks, p.besideBaseline())
	}
	return tasks, nil
}

// task is a task of the shape, to be completed.
func (p *proveShape) task(kind string) record.Task {
	return record.Task{
		Name: kind + " " + p.shape.Name, Memory: p.memory, Takes: guess(proofTime, p.domain),
		Warmups: p.Warmups, Repeats: p.Repeats, Close: release,
	}
}

func (p *proveShape) label(more ...string) []string {
	return append([]string{"shape", p.shape.Name}, more...)
}

func numbers(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ",")
}
