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

	Circuits benchCircuitsCmd `cmd:"" help:"Count constraints: by chip, per transfer over sizes of batches and states, and beside a plain rollup circuit; compiles only."`
	Prove    benchProveCmd    `cmd:"" help:"Measure proofs by shape: compile, keys, assign, solve, prove, verify, memory, side by side; beside groth16.Prove alone, its pieces, and a plain rollup circuit."`
	Pipeline benchPipelineCmd `cmd:"" help:"Measure from transfers waiting in Postgres to stored proofs, with worker processes, against groth16.Prove back to back."`
	API      benchAPICmd      `cmd:"" name:"api" help:"Measure durable submissions per second over REST, and their latency."`
	Gas      benchGasCmd      `cmd:"" help:"Measure what a settlement costs on L1, by part, and foresee it for larger shapes and groups of batches."`
	E2E      benchE2ECmd      `cmd:"" name:"e2e" help:"Measure from submission to settlement at a stated load, and what transfers cost."`
	Growth   benchGrowthCmd   `cmd:"" help:"Foretell fleets of 1 to 500 workers by simulation, and what 1,000 and 10,000 transfers a second take, from the results of prove, pipeline and gas."`
	All      benchAllCmd      `cmd:"" help:"Run every benchmark at the smallest useful size: 10 minutes on 2 cores once keys are made."`
	Load     benchLoadCmd     `cmd:"" hidden:"" help:"Generate the load of a benchmark."`
	Raw      benchRawCmd      `cmd:"" hidden:"" help:"Prove by gnark's prover alone, for a benchmark."`
	Report   benchReportCmd   `cmd:"" help:"Make one HTML page, which needs no network, of all results of a folder."`
	Compare  benchCompareCmd  `cmd:"" help:"Say which differences between two results exceed the spread of their repetitions."`
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
