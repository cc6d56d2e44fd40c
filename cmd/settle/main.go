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

	Up upCmd `cmd:"" help:"Run all roles: API, sequencer, submitter and worker processes."`

	API        apiCmd        `cmd:"" name:"api" help:"Run the REST API alone."`
	Sequencer  sequencerCmd  `cmd:"" help:"Run the sequencer alone: executes transactions and seals batches."`
	Worker     workerCmd     `cmd:"" help:"Run one prover worker."`
	ProveChild proveChildCmd `cmd:"" hidden:"" help:"Prove for the worker that started this process."`
	Aggregator aggregatorCmd `cmd:"" help:"Run the aggregator alone: decides which proofs are folded into one; workers fold them."`
	Submitter  submitterCmd  `cmd:"" help:"Run the submitter alone: settles proven batches on L1."`

	Deploy   deployCmd   `cmd:"" help:"Deploy verifiers and rollup to L1 and write genesis to the database."`
	Verifier verifierCmd `cmd:"" help:"Register verifiers in the contract of a running rollup: propose, wait for the timelock, activate."`
	Jobs     jobsCmd     `cmd:"" help:"Look at proof jobs and dead letters, retry and discard them."`
	Fees     feesCmd     `cmd:"" help:"Look at the smallest fees and change them."`
	Replay   replayCmd   `cmd:"" help:"Go through the proof of a stored batch without making it, and name what fails; changes nothing."`
	Rebuild  rebuildCmd  `cmd:"" help:"Compute the whole state from the genesis file and L1 calldata alone, and compare every root."`
	Status   statusCmd   `cmd:"" help:"Show the pipeline: backlog, batches, who proves, dead letters, what is settled here and on L1."`
	Keys     keysCmd     `cmd:"" help:"Make and inspect proving keys."`
	Circuits circuitsCmd `cmd:"" help:"Look at the circuits."`
	DB       dbCmd       `cmd:"" name:"db" help:"Manage the database."`
	Wallet   walletCmd   `cmd:"" help:"Make keys, look at accounts, and send transfers."`
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
