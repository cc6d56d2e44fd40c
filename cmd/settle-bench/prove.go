package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/node"
)

// proveFlags say what the benchmark of proofs measures.
type proveFlags struct {
	Shape    []string `help:"Shape to prove. The flag may be repeated. Shapes are tiny, demo, small, medium and large." default:"demo"`
	Parallel []int    `help:"Numbers of proofs to run side by side, each in its own process." default:"1,2"`
	Setup    bool     `help:"Measure setups too. They take about 150 s per million constraints on 2 cores."`
	Baseline int      `help:"Largest FFT domain, as a power of two, at which a plain rollup circuit is proven for comparison. 0 proves none. Its keys are made once, in 3 minutes at 20." default:"20"`
	Seed     uint64   `help:"Seed of the random batches." default:"1"`
	command.SettleFlags
	KeysDir string `help:"Folder that holds the proving keys. Development keys are made there if there are none." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
}

func (f proveFlags) measured(a *app) measured {
	return func(ctx context.Context, c bench.Common) (*record.File, error) {
		settle, err := f.Path()
		if err != nil {
			return nil, err
		}
		keys := node.Keys{Dir: f.KeysDir, UnsafeDev: true, Log: a.Log}
		return bench.Prove(ctx, c, bench.ProveConfig{
			Shapes: f.Shape, Parallel: f.Parallel, KeysDir: f.KeysDir, Setup: f.Setup, BaselineDomain: f.Baseline, Seed: f.Seed, Log: a.Log,
			Child: node.ChildCommand{Exe: settle, Args: a.LogArgs()}.Proving(keys, 0),
		})
	}
}

type benchProveCmd struct {
	benchFlags
	proveFlags
	Profile string `help:"File for a CPU profile of this process. Proofs that run side by side are made in other processes and are not in it." type:"path"`
}

// Run measures proofs.
func (c benchProveCmd) Run(a *app) error {
	if c.Profile == "" {
		return c.measure(a, c.measured(a))
	}
	f, err := os.Create(c.Profile)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	err = c.measure(a, c.measured(a))
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}
