package main

import (
	"context"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
)

// gasFlags say what the benchmark of gas settles.
type gasFlags struct {
	Shape     string   `help:"Shape to settle with real proofs." default:"demo"`
	Aggregate string   `help:"Aggregate shape whose real proofs settle groups too, for example demo-2: a minute for each proof, and its keys must be there (settle keys setup)." placeholder:"SHAPE"`
	Project   []string `help:"Shapes whose gas is foreseen from full batches that are executed and settled, but not proven." default:"demo,small,medium,large"`
	Groups    []int    `help:"Numbers of batches to one aggregate proof, in what is foreseen." default:"2,5,16"`
	Seed      uint64   `help:"Of the accounts and transactions." default:"1"`
	KeysDir   string   `help:"Folder of proving keys, by fingerprint; development keys of the shape are made there if there are none." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
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
