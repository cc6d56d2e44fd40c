package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
)

// CircuitsName is the benchmark's name in its File.
const CircuitsName = "circuits"

// Measurements of Circuits that others rely on. All are counted but for those that
// are labelled with accounts, and those of baselines in domains beyond compilation.
const (
	// ConstraintsName is the size of a circuit; labels: shape, and for a part of it
	// chip (cost.Part).
	ConstraintsName = "constraints"
	// ConstraintsEachName is the mean cost of one slot of a chip; labels: shape, chip.
	ConstraintsEachName = "constraints each"
	// ConstraintsPerTransferName is labelled shape; or transfers, accounts and pattern
	// where it is projected for batches of that many transfers.
	ConstraintsPerTransferName = "constraints per transfer"
	// NodesPerTransferName is the number of tree nodes that such batches need.
	NodesPerTransferName = "tree nodes per transfer"
)

// CircuitsConfig says what Circuits compiles and foretells.
type CircuitsConfig struct {
	Shapes    []string       // to compile
	Transfers []int          // of a batch, each with every number of
	Accounts  []int          // in the tree, at least 4, and every
	Patterns  []cost.Pattern // of use
	Baseline  bool           // compare with circuits/baseline
	Seed      uint64         // of the random batches
}

// errParts reports a compiled circuit that the model of its parts does not meet.
var errParts = errors.New("parts do not add up to the compiled circuit")

// bytesPerConstraint is what compiling takes, on the side of more: 7.5 GB were
// measured for 7.9 million constraints.
const bytesPerConstraint = 1100

// Circuits counts constraints and proves nothing: those of shapes by chip, those per
// transfer over the sizes of batches and states that no shape exists for, and those of
// a plain circuit beside them. Everything has one value, which is the same on every
// machine: Repeats and Warmups of common are ignored.
func Circuits(ctx context.Context, common Common, cfg CircuitsConfig) (*record.File, error) {
	common.Repeats, common.Warmups = 1, 0
	var tasks []record.Task
	for _, name := range cfg.Shapes {
		shape, err := circuits.ShapeByName(name)
		if err != nil {
			return nil, err
		}
		constraints := uint64(600*(shape.Nodes+shape.Capacity.Accounts) + 1800*shape.Transfers) // to within a tenth
		tasks = append(tasks, record.Task{
			Name: "circuit " + name, Memory: 128<<20 + constraints*bytesPerConstraint, Repeats: 1,
			Takes: time.Second + time.Duration(constraints)*12*time.Microsecond,
			Run:   func(_ context.Context, s *record.Sample) error { return countShape(s, shape) },
		})
	}
	if cfg.Baseline {
		tasks = append(tasks, record.Task{
			Name: "baseline", Memory: 1 << 30, Repeats: 1, Takes: 15 * time.Second, Run: compareBaseline,
		})
	}
	if len(cfg.Transfers) > 0 && len(cfg.Accounts) > 0 {
		sizes, err := newSizes(cfg)
		if err != nil {
			return nil, err
		}
		for _, pattern := range cfg.Patterns {
			tasks = append(tasks, record.Task{
				Name: "growth, accounts " + patternName(pattern), Memory: 256 << 20, Repeats: 1, Takes: 15 * time.Second,
				Run: func(ctx context.Context, s *record.Sample) error { return sizes.grow(ctx, s, pattern) },
			})
		}
	}
	run := common.run(CircuitsName, map[string]string{
		"shapes": strings.Join(cfg.Shapes, ","), "transfers": fmt.Sprint(cfg.Transfers), "accounts": fmt.Sprint(cfg.Accounts),
		"patterns": fmt.Sprintf("%q", cfg.Patterns), "baseline": strconv.FormatBool(cfg.Baseline), "seed": strconv.FormatUint(cfg.Seed, 10),
	}, tasks,
		"Constraints of a chip include its range checks and its terms on the bus; of a transfer, not its signature and its three memory accesses; of an account, its own two. Header and bus is what remains: header, roots, challenges and sums over all slots.",
		"Per transfer over transfers and accounts: projected from counts for batches that no shape exists for. Slots are the mean and 3.09 standard deviations of random batches' needs, the 999th of 1,000 if they were normal; 5 % of the transactions open accounts, 5 % exit, of 2 tokens. Their constraints are foretold by the model that meets every compiled shape exactly.",
		"Patterns: uniform; zipf, where senders and receivers follow Zipf's law with exponent 1.1, scattered over the tree; merchant, where half of all transfers go to one account.",
	)
	return run.Do(ctx)
}

// countShape compiles a shape and takes it apart.
func countShape(s *record.Sample, shape circuits.Shape) error {
	ccs, err := circuits.Compile(shape)
	if err != nil {
		return err
	}
	stats := cost.StatsOf(shape, ccs)
	parts, err := cost.Parts(shape)
	if err != nil {
		return err
	}
	of := func(more ...string) []string { return append([]string{"shape", shape.Name}, more...) }
	s.Count(ConstraintsName, "constraints", record.Lower, float64(stats.Constraints), of()...)
	s.Count(ConstraintsPerTransferName, "constraints", record.Lower, float64(stats.Constraints)/float64(stats.Transfers), of()...)
	s.Count("transfers", "transfers", record.Higher, float64(stats.Transfers), of()...)
	s.Count("domain", "elements", record.Neither, float64(stats.Domain), of()...)
	s.Count("fill", "ratio", record.Higher, stats.Fill, of()...)
	s.Count("committed wires", "wires", record.Lower, float64(stats.CommittedWires), of()...)
	s.Count("wires in A", "wires", record.Lower, float64(stats.WiresA), of()...)
	s.Count("wires in B", "wires", record.Lower, float64(stats.WiresB), of()...)
	sum := 0
	for _, p := range parts {
		sum += p.Constraints
		s.Count("slots", "slots", record.Neither, float64(p.Slots), of("chip", p.Name)...)
		s.Count(ConstraintsEachName, "constraints", record.Lower, p.Each, of("chip", p.Name)...)
		s.Count(ConstraintsName, "constraints", record.Lower, float64(p.Constraints), of("chip", p.Name)...)
	}
	if sum != stats.Constraints {
		return fmt.Errorf("%w: %d and %d constraints of %s", errParts, sum, stats.Constraints, shape.Name)
	}
	return nil
}
