package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
)

type upCmd struct {
	dataFlags
	migrateFlags
	l1Flags
	keysFlags
	genesisFlags
	apiFlags
	sealFlags
	submitFlags
	foldFlags
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
	if err := errors.Join(c.provingFlags.check(), c.foldFlags.policy(nil).Check()); err != nil {
		return err
	}
	if _, err := portsFrom(c.WorkerMetrics, c.Workers); err != nil {
		return err
	}
	// The port first: whoever finds it taken has changed nothing yet.
	listeners, err := a.listenAPI(c.apiFlags)
	if err != nil {
		return err
	}
	defer func() { _ = listeners.close() }() // closed already by what served them
	db, err := c.awaitMigrated(a, c.dataFlags, databaseIsPrivate())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	node, err := a.awaitChain(c.dataFlags, c.l1Flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.close()) }()
	if err := c.ensureRollup(a, db, node); err != nil {
		return err
	}
	// Neither API nor sequencer may work on an old copy, so the start waits for L1.
	_, err = whileAway(a.ctx, a.log, func() (struct{}, error) { return struct{}{}, a.checkCopyOn(db, node) })
	if err != nil {
		return err
	}
	return a.runAll(a.ctx, rolesConfig{
		db: db, node: node, listeners: listeners, api: c.apiFlags, seal: c.sealFlags, submit: c.submitFlags, keys: c.keysFlags,
		fold: c.foldFlags, proving: c.provingFlags, workers: c.Workers, workerMetrics: c.WorkerMetrics, poll: time.Second,
	})
}

// ensureRollup deploys where there is no rollup yet. Keys are made by a
// development setup only with --unsafe-dev.
func (c upCmd) ensureRollup(a *app, db *database, node *chain) error {
	rollup, err := db.store.Rollup(a.ctx)
	if err == nil {
		for _, shape := range c.Aggregates {
			if !slices.ContainsFunc(rollup.Verifiers, func(v store.Verifier) bool { return v.Circuit == settle.CircuitAggregate && v.Shape == shape }) {
				return fmt.Errorf("--aggregate %s: the rollup has no verifier for it: register one (settle verifier propose --aggregate %[1]s)", shape)
			}
		}
		_, err := a.usableKeys(c.keysFlags, rollup)
		return err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	genesis, err := readGenesis(c.Genesis)
	if err != nil {
		return fmt.Errorf("the database has no rollup yet: %w", err)
	}
	for _, v := range c.verifiers() {
		if _, err := a.setupKeys(c.keysFlags, v.Circuit, v.Shape); err != nil {
			return err
		}
	}
	_, err = a.deploy(db, node, c.l1Flags, c.keysFlags, c.genesisFlags, c.feeFlags, genesis, adoption{})
	return err
}

// usableKeys reads the manifests of the deployed verifiers' keys, by shape. Keys that
// are not those of the deployment are an error; but aggregate keys may be missing: who
// has none folds no proofs.
func (a *app) usableKeys(flags keysFlags, rollup store.Rollup) (map[string]*provingkeys.Manifest, error) {
	usable := map[string]*provingkeys.Manifest{}
	for _, v := range rollup.Verifiers {
		manifest, err := a.manifest(flags, v.Circuit, v.Shape)
		if v.Circuit == settle.CircuitAggregate && errors.Is(err, provingkeys.ErrMissing) {
			a.log.Warn("no keys to fold proofs with: that is left to others", "shape", v.Shape, "reason", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if manifest.KeyHash != v.KeyHash {
			return nil, fmt.Errorf("the keys of shape %s in %s have hash %s, the deployed verifier has %s: copy the keys of the deployment there, or deploy anew",
				v.Shape, flags.KeysDir, manifest.KeyHash, v.KeyHash)
		}
		usable[v.Shape] = manifest
	}
	return usable, nil
}

// rolesConfig is what all roles together need.
type rolesConfig struct {
	db        *database
	node      *chain
	listeners apiListeners
	api       apiFlags
	seal      sealFlags
	submit    submitFlags
	fold      foldFlags
	keys      keysFlags
	proving   provingFlags
	workers   int
	poll      time.Duration

	workerMetrics string
}

// runAll runs the roles until ctx ends, and then returns nil, or one fails for
// good.
func (a *app) runAll(ctx context.Context, c rolesConfig) error {
	rollup, err := a.rollup(ctx, c.db)
	if err != nil {
		return errors.Join(err, c.listeners.close())
	}
	a.warnOfConnections(c.db, (1+c.workers)*connectionsOf(c.db.pool)+2*ownConnections)
	registry := newRegistry() // shown by the API's ops listener
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return a.serveAPI(running, c.db, c.api, c.listeners, registry) })
	g.Go(func() error { return a.runSequencer(running, c.db, c.seal, int(c.api.MaxUnproven), registry) })
	g.Go(func() error { return a.runSubmitter(running, c.db, c.node, c.submit, c.poll, registry) })
	if len(aggregates(rollup)) > 0 {
		g.Go(func() error { return a.runAggregator(running, c.db, c.node, c.fold, c.poll, registry) })
	}
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
