package main

import (
	"context"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
)

type benchCircuitsCmd struct {
	benchFlags
	Shape []string `help:"Shapes to compile." default:"tiny,demo"`
	All   bool     `help:"Compile every shape. This takes some minutes and up to 8 GB of memory."`
	Seed  uint64   `help:"Seed of the random batches whose tree nodes are counted." default:"1"`
}

// Run counts constraints.
func (c benchCircuitsCmd) Run(a *app) error { return c.measure(a, c.measured(a)) }

func (c benchCircuitsCmd) measured(*app) measured {
	if c.All {
		c.Shape = nil
		for _, shape := range circuits.Shapes() {
			c.Shape = append(c.Shape, shape.Name)
		}
	}
	cfg := bench.CircuitsConfig{
		Shapes: c.Shape, Baseline: true, Seed: c.Seed,
		Transfers: []int{2, 8, 21, 64, 108, 236, 512, 1130, 4096},
		Patterns:  []cost.Pattern{cost.Uniform, cost.Zipf, cost.Merchant},
	}
	for log := 10; log <= 24; log += 2 {
		cfg.Accounts = append(cfg.Accounts, 1<<log)
	}
	return func(ctx context.Context, common bench.Common) (*record.File, error) {
		return bench.Circuits(ctx, common, cfg)
	}
}
