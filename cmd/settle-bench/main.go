// Command settle-bench measures Settle on this machine: circuits, prover, pipeline, API and
// gas. It runs settle in its roles, on a private Postgres and a development chain.
package main

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/provingkeys"
)

// version is set by the linker (make build).
var version = "dev"

// cli is the benchmark harness. Each benchmark is in a file of its own.
type cli struct {
	command.Globals

	Circuits benchCircuitsCmd `cmd:"" help:"Count constraints by chip and per transfer, and compare them with a plain rollup circuit. Nothing is proven."`
	Prove    benchProveCmd    `cmd:"" help:"Measure time and memory of each step of a proof, by shape. Compare them with groth16.Prove alone and with a plain rollup circuit."`
	Pipeline benchPipelineCmd `cmd:"" help:"Measure the pipeline from transfers in Postgres to stored proofs, with worker processes. Compare it with calls of groth16.Prove back to back."`
	API      benchAPICmd      `cmd:"" name:"api" help:"Measure durable submissions per second over REST, and their latency."`
	Gas      benchGasCmd      `cmd:"" help:"Measure what each part of a settlement costs on L1. Estimate it for larger shapes and groups of batches."`
	E2E      benchE2ECmd      `cmd:"" name:"e2e" help:"Measure from submission to settlement at a stated load, and what transfers cost."`
	Growth   benchGrowthCmd   `cmd:"" help:"Simulate fleets of 1 to 500 workers, and estimate what 1,000 and 10,000 transfers per second need. It uses results of prove, pipeline and gas."`
	All      benchAllCmd      `cmd:"" help:"Run every benchmark at the smallest useful size. This takes 10 minutes on 2 cores once keys are made."`
	Load     benchLoadCmd     `cmd:"" hidden:"" help:"Generate the load of a benchmark."`
	Raw      benchRawCmd      `cmd:"" hidden:"" help:"Prove with gnark's prover only, for a benchmark."`
	Report   benchReportCmd   `cmd:"" help:"Make one HTML page of all results in a folder. The page needs no network."`
	Compare  benchCompareCmd  `cmd:"" help:"Compare two results, and report differences that exceed the spread of their repetitions."`
}

// app is what every command gets.
type app struct{ *command.App }

func vars() kong.Vars { return kong.Vars{"keys": provingkeys.DefaultDir()} }

func program() command.Program {
	return command.Program{
		Name: "settle-bench", Version: version, Vars: vars(),
		Description: "Measure Settle on this machine: circuits, prover, pipeline, API and gas, and compare results.",
		Variables:   []string{postgres.EnvTools, postgres.EnvSource},
		Helper: func(parsed *kong.Context) bool {
			selected := parsed.Selected()
			return selected != nil && selected.Hidden
		},
	}
}

func main() {
	var c cli
	os.Exit(program().Main(os.Args[1:], &c, &c.Globals, func(parsed *kong.Context, a *command.App) error {
		postgres.IgnoreSurroundings() // every server is a private one
		circuits.RegisterHints()
		return parsed.Run(&app{a})
	}))
}
