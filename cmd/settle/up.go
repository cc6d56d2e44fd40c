package main

import (
	"fmt"
	"slices"

	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/node"
)

type upCmd struct {
	roleFlags
	l1Flags
	keysFlags
	genesisFlags
	apiFlags
	sealFlags
	submitFlags
	foldFlags
	provingFlags
	Workers         int    `help:"Number of worker processes." default:"1" env:"SETTLE_WORKERS"`
	WorkerOpsListen string `help:"Address at which the first worker serves /metrics, /healthz and /readyz. Further workers use the ports that follow. Without it they serve none." env:"SETTLE_WORKER_OPS_LISTEN"`
}

// config checks the flags.
func (c upCmd) config(a *app) (cfg node.UpConfig, err error) {
	if c.Workers < 1 {
		return cfg, fmt.Errorf("--workers %d: expected at least 1", c.Workers)
	}
	cfg = node.UpConfig{
		API: c.apiFlags.config(), Sequencer: c.sealFlags.config(c.MaxUnproven), Aggregator: c.foldFlags.config(),
		Worker: c.provingFlags.config(a), Workers: c.Workers, WorkerOps: c.WorkerOpsListen,
	}
	if cfg.Submitter, err = c.submitFlags.config(a); err != nil {
		return cfg, err
	}
	if err := cfg.Worker.Check(); err != nil {
		return cfg, err
	}
	if err := cfg.Aggregator.Policy.Check(); err != nil {
		return cfg, err
	}
	_, err = node.WorkerAddresses(c.WorkerOpsListen, c.Workers)
	return cfg, err
}

// Run runs all roles until stopped. A database without a rollup gets one, deployed from the
// genesis file.
func (c upCmd) Run(a *app) error {
	cfg, err := c.config(a)
	if err != nil {
		return err
	}
	listener, err := api.Listen(a.Ctx, c.Listen)
	if err != nil {
		return err
	}
	return closing(listener, c.run(a, []string{"api", "sequencer", "submitter"}, func(n *node.Node) (err error) {
		n.Keys = c.keys(a)
		if n.L1, err = c.awaitSigner(a, c.dataFlags); err != nil {
			return err
		}
		if err := n.EnsureRollup(a.Ctx, slices.Clone(c.Aggregates), func() (node.DeployConfig, error) { return c.genesisFlags.config(a, c.ChainID, c.feeFlags) }); err != nil {
			return err
		}
		_, err = node.Await(a.Ctx, a.Log, func() (struct{}, error) { return struct{}{}, n.CheckCopy(a.Ctx) })
		if err != nil {
			return err
		}
		return n.Up(a.Ctx, cfg, listener)
	}))
}
