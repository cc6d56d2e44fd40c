package main

import (
	"context"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
)

// gasFlags say what the benchmark of gas settles.
type gasFlags struct {
	Shape     string   `help:"Shape to settle with real proofs." default:"demo"`
	Aggregate string   `help:"Aggregate shape with which groups are settled too, for example demo-2. Each proof takes a minute. Make its keys before, with settle keys setup." placeholder:"SHAPE"`
	Project   []string `help:"Shapes whose gas is estimated from full batches. These are executed and settled, but not proven." default:"demo,small,medium,large"`
	Groups    []int    `help:"Numbers of batches per aggregate proof for which gas is estimated." default:"2,5,16"`
	Seed      uint64   `help:"Seed of the random accounts and transactions." default:"1"`
	KeysDir   string   `help:"Folder that holds the proving keys. Development keys of the shape are made there if there are none." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
}

func (f gasFlags) measured(a *app) measured {
	return func(ctx context.Context, c bench.Common) (*record.File, error) {
		return bench.Gas(ctx, c, bench.GasConfig{
			KeysDir: f.KeysDir, Shape: f.Shape, Aggregate: f.Aggregate, Projected: f.Project, Groups: f.Groups, Seed: f.Seed, Log: a.Log,
		})
	}
}

type benchGasCmd struct {
	benchFlags
	gasFlags
}

// Run measures gas.
func (c benchGasCmd) Run(a *app) error { return c.measure(a, c.measured(a)) }
