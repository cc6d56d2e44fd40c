package main

import (
	"context"
	"time"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
)

type benchGrowthCmd struct {
	benchFlags
	Shape  []string      `help:"Shapes to simulate. The default is all whose proofs were measured."`
	Worker []int         `help:"Numbers of workers to simulate." default:"1,2,4,8,16,32,64,125,250,500"`
	Rate   []float64     `help:"Transfers per second for which the needs are estimated." default:"1000,10000"`
	Load   float64       `help:"Load on the fleet, as a share of what it can do." default:"0.8"`
	Settle time.Duration `help:"Time between settlements on L1." default:"12s"`
	Seed   uint64        `help:"Seed of the simulation." default:"1"`
}

// Run foretells growth from the results in the folder.
func (c benchGrowthCmd) Run(a *app) error { return c.measure(a, c.measured(a)) }

func (c benchGrowthCmd) measured(*app) measured {
	return func(ctx context.Context, common bench.Common) (*record.File, error) {
		return bench.Growth(ctx, common, bench.GrowthConfig{
			Shapes: c.Shape, Workers: c.Worker, Rates: c.Rate, Load: c.Load, Settle: c.Settle, Seed: c.Seed,
		})
	}
}
