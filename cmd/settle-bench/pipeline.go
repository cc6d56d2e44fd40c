package main

import (
	"context"
	"os"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

// rigFlags say on what rollup the benchmarks of processes run.
type rigFlags struct {
	command.SettleFlags
	Shape    string `help:"Shape to prove with." default:"demo"`
	Accounts int    `help:"Number of accounts, at most 65,536. 0 takes the number that the shape is made for." default:"0"`
	KeysDir  string `help:"Folder that holds the proving keys. Development keys are made there if there are none." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
}

// config joins the flags with what the command knows.
func (f rigFlags) config() (bench.RigConfig, error) {
	path, err := f.Path()
	return bench.RigConfig{
		Settle: path, Shape: f.Shape, Accounts: f.Accounts, KeysDir: f.KeysDir,
		Connect: func(ctx context.Context, databaseURL string) (*store.Store, func(), error) {
			db, err := node.OpenDatabase(ctx, databaseURL, true)
			if err != nil {
				return nil, nil, err
			}
			return db.Store, db.Close, nil
		},
	}, err
}

// pipelineFlags say what the benchmark of the pipeline measures.
type pipelineFlags struct {
	rigFlags
	Workers []int `help:"Numbers of worker processes to measure with." default:"1,2"`
	Batches int   `help:"Number of batches in each repetition that are measured." default:"4"`
}

func (f pipelineFlags) measured(_ *app) measured {
	return func(ctx context.Context, c bench.Common) (*record.File, error) {
		rig, err := f.config()
		if err != nil {
			return nil, err
		}
		return bench.Pipeline(ctx, c, bench.PipelineConfig{RigConfig: rig, Workers: f.Workers, Batches: f.Batches})
	}
}

type benchPipelineCmd struct {
	benchFlags
	pipelineFlags
}

// Run measures the pipeline.
func (c benchPipelineCmd) Run(a *app) error { return c.measure(a, c.measured(a)) }

// benchRawCmd is gnark's prover alone, in a process that the benchmark of the pipeline
// starts.
type benchRawCmd struct{}

// Run proves what comes over standard input.
func (benchRawCmd) Run(a *app) error { return bench.RawLoop(a.Ctx, os.Stdin, a.Stdout) }
