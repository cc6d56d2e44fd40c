package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/state"
)

// genesisFlags say what a new rollup starts with.
type genesisFlags struct {
	Genesis string            `help:"Genesis file. docs/protocol.md describes its format." env:"SETTLE_GENESIS" type:"path"`
	MinFee  map[string]string `help:"Smallest fee that is accepted, by token, for example 0=10. For other tokens it is 0." env:"SETTLE_MIN_FEE"`
	Shapes  []string          `help:"Shapes to register verifiers for." default:"demo" env:"SETTLE_SHAPES"`
	// Aggregates are the aggregate circuits of a deployment.
	Aggregates []string      `name:"aggregate" help:"Aggregate shapes to register verifiers for. For example, demo-2 combines up to 2 proofs of shape demo into one. Without it every batch settles by its own proof." env:"SETTLE_AGGREGATE" placeholder:"SHAPE"`
	Delay      time.Duration `help:"Timelock of the contract. It must be 7 days or more, unless the proving keys are development keys." default:"168h" env:"SETTLE_TIMELOCK"`

	Governor  settle.Address   `help:"Address that may register verifiers and operators. It is required unless the proving keys are development keys. It must then be neither the deployer nor an operator." env:"SETTLE_GOVERNOR" placeholder:"ADDRESS"`
	Operators []settle.Address `help:"Addresses that may settle batches. Without it only the deployer may." env:"SETTLE_OPERATORS" placeholder:"ADDRESS"`
}

// config reads the genesis file.
func (g genesisFlags) config(a *app, chainID uint64, fees feeFlags) (cfg node.DeployConfig, err error) {
	cfg = node.DeployConfig{
		ChainID: chainID, Shapes: g.Shapes, Aggregates: g.Aggregates, Delay: g.Delay, Governor: g.Governor, Operators: g.Operators,
	}
	if cfg.Fees, err = fees.policy(a); err != nil {
		return cfg, err
	}
	if cfg.Genesis, err = readGenesis(g.Genesis); err != nil {
		return cfg, err
	}
	cfg.MinFees, err = g.minFees()
	return cfg, err
}

type deployCmd struct {
	dataFlags
	migrateFlags
	l1Flags
	keysFlags
	genesisFlags
	feeFlags
	Adopt     settle.Address `help:"Address of a rollup that is deployed already and has settled nothing. Its record is written to the database and nothing is deployed. Give the same flags as when it was deployed." placeholder:"ADDRESS"`
	AdoptFrom uint64         `help:"First block in which --adopt searches for the deployment." default:"0"`
}

// Run deploys and writes genesis, once for a database. A run that broke off is gone on with.
func (c deployCmd) Run(a *app) error {
	db, err := c.open(a, c.dataFlags)
	if err != nil {
		return err
	}
	defer db.Close()
	signer, err := c.signer(a, c.dataFlags)
	if err != nil {
		return err
	}
	cfg, err := c.config(a, c.ChainID, c.feeFlags)
	if err != nil {
		return err
	}
	cfg.Adopt, cfg.AdoptFrom = c.Adopt, c.AdoptFrom
	deployment, err := (&node.Node{DB: db, L1: signer, Keys: c.keys(a), Log: a.Log}).Deploy(a.Ctx, cfg)
	if err != nil {
		return err
	}
	return a.PrintJSON(deployment)
}

func readGenesis(path string) (*state.Genesis, error) {
	if path == "" {
		return nil, errors.New("name a genesis file with --genesis (settle wallet genesis makes one for development)")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read genesis: %w", err)
	}
	return state.ParseGenesis(file)
}
