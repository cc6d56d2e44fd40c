// Command settle is the rollup in production: each role by itself, all of them together,
// and the tools of operators and wallets. It brings no database and no chain: those of
// development are settle-dev's.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/devnote"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/provingkeys"
)

// version is set by the linker (make build).
var version = "dev"

type cli struct {
	command.Globals

	Up upCmd `cmd:"" help:"Run all roles in one process, and worker processes beside it."`

	API        apiCmd        `cmd:"" name:"api" help:"Run the REST API."`
	Sequencer  sequencerCmd  `cmd:"" help:"Run the sequencer. It executes transactions and seals batches."`
	Worker     workerCmd     `cmd:"" help:"Run one prover worker."`
	ProveChild proveChildCmd `cmd:"" hidden:"" help:"Prove for the worker that started this process."`
	Aggregator aggregatorCmd `cmd:"" help:"Run the aggregator. It decides which proofs are combined into one. Workers make the combined proofs."`
	Submitter  submitterCmd  `cmd:"" help:"Run the submitter. It settles proven batches on L1."`

	Deploy   deployCmd   `cmd:"" help:"Deploy verifiers and the rollup contract to L1, and write the genesis state to the database."`
	Verifier verifierCmd `cmd:"" help:"Register a verifier on a running rollup. Propose it, wait for the timelock, then activate it."`
	Jobs     jobsCmd     `cmd:"" help:"List, retry and discard proof jobs and dead letters."`
	Fees     feesCmd     `cmd:"" help:"Show and change the smallest fee of each token."`
	Replay   replayCmd   `cmd:"" help:"Check the witness of a stored batch step by step and report what fails. No proof is made and nothing is changed."`
	Rebuild  rebuildCmd  `cmd:"" help:"Compute the whole state from the genesis file and L1 calldata alone, and compare every root."`
	Status   statusCmd   `cmd:"" help:"Show the pipeline. This covers the backlog, batches, workers, dead letters, and what is settled."`
	Keys     keysCmd     `cmd:"" help:"Make and inspect proving keys."`
	Circuits circuitsCmd `cmd:"" help:"Inspect the circuits."`
	DB       dbCmd       `cmd:"" name:"db" help:"Manage the database."`
	Wallet   walletCmd   `cmd:"" help:"Make keys, list accounts, and send transactions."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// app is what every command gets.
type app struct{ *command.App }

func program(c *cli) command.Program {
	return command.Program{
		Name: "settle", Version: version,
		Description: "Settle is a ZK-rollup for payments. Secrets and endpoints come from the environment: " +
			"DATABASE_URL, L1_URL, SETTLE_L1_PRIVATE_KEY; settle-dev runs a private Postgres and a development chain.",
		Vars:      kong.Vars{"data": devnote.DefaultFolder(), "keys": provingkeys.DefaultDir()},
		Variables: []string{node.EnvL1Key, postgres.EnvTools, postgres.EnvSource},
		Moved: map[string]string{
			"demo": "settle-dev demo", "bench": "settle-bench", "--l1-port": "settle-dev, which has that flag", "--l1-period": "settle-dev, which has that flag",
			"--metrics": "--ops-listen", "--worker-metrics": "--worker-ops-listen",
			"SETTLE_SEQUENCER_METRICS": "SETTLE_OPS_LISTEN", "SETTLE_SUBMITTER_METRICS": "SETTLE_OPS_LISTEN", "SETTLE_AGGREGATOR_METRICS": "SETTLE_OPS_LISTEN",
			"SETTLE_WORKER_METRICS": "SETTLE_OPS_LISTEN, or SETTLE_WORKER_OPS_LISTEN for settle up",
		},
		Helper: func(parsed *kong.Context) bool {
			selected := parsed.Selected()
			return c.Worker.WithParent || selected != nil && selected.Hidden
		},
	}
}

func main() {
	var c cli
	os.Exit(program(&c).Main(os.Args[1:], &c, &c.Globals, func(parsed *kong.Context, a *command.App) error {
		if os.Getenv(node.EnvDatabase) == "" {
			postgres.IgnoreSurroundings() // whatever is connected to now is a private server
		}
		circuits.RegisterHints()
		return parsed.Run(&app{a})
	}))
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.Stdout, program(&cli{}).VersionLine())
	return err
}
