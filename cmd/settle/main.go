// Command settle is the rollup in one binary: each role by itself, all of them
// together, the demo, and the tools of an operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/consensys/gnark/logger"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/postgres"
)

// version is set by the linker (make build).
var version = "dev"

type cli struct {
	LogLevel  string `help:"Least level of log messages: ${enum}." enum:"debug,info,warn,error" default:"info" env:"SETTLE_LOG_LEVEL"`
	LogFormat string `help:"Form of log messages, the last error among them, on standard error: ${enum}." enum:"text,json" default:"text" env:"SETTLE_LOG_FORMAT"`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and end."`

	Demo demoCmd `cmd:"" help:"Run the whole rollup once: deploy, submit signed transfers over REST, prove, settle, compare roots."`
	Up   upCmd   `cmd:"" help:"Run all roles: API, sequencer, submitter and worker processes."`

	API        apiCmd        `cmd:"" name:"api" help:"Run the REST API alone."`
	Sequencer  sequencerCmd  `cmd:"" help:"Run the sequencer alone: executes transactions and seals batches."`
	Worker     workerCmd     `cmd:"" help:"Run one prover worker."`
	ProveChild proveChildCmd `cmd:"" hidden:"" help:"Prove for the worker that started this process."`
	Aggregator aggregatorCmd `cmd:"" help:"Run the aggregator alone: decides which proofs are folded into one; workers fold them."`
	Submitter  submitterCmd  `cmd:"" help:"Run the submitter alone: settles proven batches on L1."`

	Deploy   deployCmd   `cmd:"" help:"Deploy verifiers and rollup to L1 and write genesis to the database."`
	Verifier verifierCmd `cmd:"" help:"Register verifiers in the contract of a running rollup: propose, wait for the timelock, activate."`
	Jobs     jobsCmd     `cmd:"" help:"Look at proof jobs and dead letters, retry and discard them."`
	Replay   replayCmd   `cmd:"" help:"Go through the proof of a stored batch without making it, and name what fails; changes nothing."`
	Rebuild  rebuildCmd  `cmd:"" help:"Compute the whole state from the genesis file and L1 calldata alone, and compare every root."`
	Status   statusCmd   `cmd:"" help:"Show the pipeline: backlog, batches, who proves, dead letters, what is settled here and on L1."`
	Keys     keysCmd     `cmd:"" help:"Make and inspect proving keys."`
	Circuits circuitsCmd `cmd:"" help:"Look at the circuits."`
	Bench    benchCmd    `cmd:"" help:"Measure circuits, prover, pipeline, API and gas on this machine, and compare results."`
	DB       dbCmd       `cmd:"" name:"db" help:"Manage the database."`
	Wallet   walletCmd   `cmd:"" help:"Make keys, look at accounts, and send transfers."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// app is what every command gets.
type app struct {
	ctx    context.Context
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer

	logLevel, logFormat string // of worker processes too
}

func main() {
	args := os.Args[1:]
	if err := run(args); err != nil {
		os.Exit(lastError(os.Stderr, logFormatOf(args), err))
	}
}

func run(args []string) error {
	var c cli
	parser, err := kong.New(&c, kong.Name("settle"), kong.Vars(defaults()),
		kong.Description("Settle is a ZK-rollup for payments. Secrets and endpoints come from the environment: "+
			"DATABASE_URL, L1_URL, SETTLE_L1_PRIVATE_KEY; without the first two the commands use a private Postgres and a development chain of their own."))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, err := newLogger(c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	said := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(said)
		stop() // from here on a signal ends us at once
		log.Info("asked to stop; a second signal does not wait")
	})
	defer func() {
		if !forget() {
			<-said
		}
	}()
	if !isHelper(&c, parsed) {
		warnOfUnknownVariables(log, knownVariables(parser.Model), os.Environ())
	}
	if os.Getenv(envDatabase) == "" {
		postgres.IgnoreSurroundings() // whatever is connected to now is a private server
	}
	logger.Set(gnarkLogger(log)) // gnark speaks zerolog; its lines become ours
	circuits.RegisterHints()
	err = parsed.Run(&app{ctx: ctx, log: log, logFormat: c.LogFormat, logLevel: c.LogLevel, stdout: os.Stdout, stderr: os.Stderr})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // asked to stop
	}
	return err
}

type versionCmd struct{}

func versionLine() string { return "settle " + version }

// Run prints the version.
func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, versionLine())
	return err
}
