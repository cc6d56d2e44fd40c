package main

import (
	"fmt"

	"github.com/zksettle/settle/jobs"
)

type workerCmd struct {
	dataFlags
	migrateFlags
	keysFlags
	provingFlags
	Metrics    string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_WORKER_METRICS"`
	WithParent bool   `help:"Stop when standard input ends." hidden:""`
}

// Run proves until stopped.
func (c workerCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.WithParent {
		a.ctx = parentGone(a.ctx)
	}
	return a.withRoleDatabase(c.dataFlags, c.migrateFlags, func(db *database) error {
		rollup, err := a.rollup(a.ctx, db)
		if err != nil {
			return err
		}
		keys, err := a.usableKeys(c.keysFlags, rollup)
		if err != nil {
			return err
		}
		registry := newRegistry()
		metrics, err := jobs.NewMetrics(registry)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		return a.withMetrics("worker", c.Metrics, registry, func() error {
			p, err := a.newProvers(c.keysFlags, c.provingFlags, keys)
			if err != nil {
				return err
			}
			defer p.child.Close()
			if err := p.preload(a.ctx, rollup); err != nil {
				return err
			}
			step, reap := newLastStep(stepWorker), newLastStep(stepReaper)
			if err := register(registry, step, reap); err != nil {
				return err
			}
			a.log.Info("the worker takes jobs", "role", "worker")
			return jobs.RunWorker(a.ctx, jobs.Config{
				Store: db.store, Logger: a.log.With("role", "worker"), Metrics: metrics, Holder: holder(), Policy: c.policy(),
				Prover: p.child, Verifier: p.verifier, Folder: p.child, Keys: p.keys, Memory: p.admission.Limit, Admit: p.admission.Admit,
				WorkerStep: step.mark, ReaperStep: reap.mark,
			})
		})
	})
}
