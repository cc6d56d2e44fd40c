package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
)

type upCmd struct {
	dataFlags
	l1Flags
	keysFlags
	genesisFlags
	apiFlags
	sealFlags
	submitFlags
	provingFlags
	Workers       int    `help:"Worker processes." default:"1" env:"SETTLE_WORKERS"`
	WorkerMetrics string `help:"Address to serve /metrics of the first worker on, the others take the ports that follow; empty for none." env:"SETTLE_WORKER_METRICS"`
}

// Run starts everything that is missing and runs all roles until stopped. A
// database without a rollup gets one, deployed from the genesis file.
func (c upCmd) Run(a *app) (err error) {
	if c.Workers < 1 {
		return fmt.Errorf("--workers %d: expected at least 1", c.Workers)
	}
	if err := c.provingFlags.check(); err != nil {
		return err
	}
	if _, err := portsFrom(c.WorkerMetrics, c.Workers); err != nil {
		return err
	}
	// The port first: whoever finds it taken has changed nothing yet.
	listener, err := api.Listen(a.ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := a.openDatabase(c.dataFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	node, err := a.openChain(c.dataFlags, c.l1Flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.close()) }()
	if err := c.ensureRollup(a, db, node); err != nil {
		return err
	}
	if err := a.checkCopyOn(db, node); err != nil {
		return err
	}
	return a.runAll(a.ctx, rolesConfig{
		db: db, node: node, listener: listener, api: c.apiFlags, seal: c.sealFlags, submit: c.submitFlags, keys: c.keysFlags,
		proving: c.provingFlags, workers: c.Workers, workerMetrics: c.WorkerMetrics, poll: time.Second,
	})
}

// ensureRollup deploys where there is no rollup yet. Keys are made by a
// development setup only with --unsafe-dev.
func (c upCmd) ensureRollup(a *app, db *database, node *chain) error {
	rollup, err := db.store.Rollup(a.ctx)
	if err == nil {
		return a.checkKeys(c.keysFlags, rollup)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	genesis, err := readGenesis(c.Genesis)
	if err != nil {
		return fmt.Errorf("the database has no rollup yet: %w", err)
	}
	for _, shape := range c.Shapes {
		if _, err := a.setupKeys(c.keysFlags, shape); err != nil {
			return err
		}
	}
	_, err = a.deploy(db, node, c.l1Flags, c.keysFlags, c.genesisFlags, genesis)
	return err
}

// checkKeys compares the keys in the folder with the deployed verifiers.
func (a *app) checkKeys(flags keysFlags, rollup store.Rollup) error {
	for _, v := range rollup.Verifiers {
		id, err := provingkeys.TransitionID(v.Shape)
		if err != nil {
			return err
		}
		manifest, err := provingkeys.ReadManifest(flags.KeysDir, id, flags.options(a))
		if err != nil {
			return err
		}
		if manifest.KeyHash != v.KeyHash {
			return fmt.Errorf("the keys of shape %s in %s have hash %s, the deployed verifier has %s: copy the keys of the deployment there, or deploy anew",
				v.Shape, flags.KeysDir, manifest.KeyHash, v.KeyHash)
		}
	}
	return nil
}

// rolesConfig is what all roles together need.
type rolesConfig struct {
	db       *database
	node     *chain
	listener net.Listener
	api      apiFlags
	seal     sealFlags
	submit   submitFlags
	keys     keysFlags
	proving  provingFlags
	workers  int
	poll     time.Duration

	workerMetrics string
}

// runAll runs the roles until ctx ends, and then returns nil, or one fails for
// good.
func (a *app) runAll(ctx context.Context, c rolesConfig) error {
	registry := newRegistry() // shown by the API
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return a.serveAPI(running, c.db, c.api, c.listener, registry) })
	g.Go(func() error { return a.runSequencer(running, c.db, c.seal, int(c.api.MaxUnproven), registry) })
	g.Go(func() error { return a.runSubmitter(running, c.db, c.node, c.submit, c.poll, registry) })
	g.Go(func() error {
		processes := workerProcesses{app: a, databaseURL: c.db.url, keys: c.keys, proving: c.proving, metrics: c.workerMetrics}
		return processes.run(running, c.workers)
	})
	if err := g.Wait(); ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// parentGone ends ctx when standard input reaches its end.
func parentGone(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		buffer := make([]byte, 64)
		for {
			if _, err := os.Stdin.Read(buffer); err != nil {
				return
			}
		}
	}()
	return ctx
}
