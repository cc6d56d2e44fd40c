package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/store"
)

type workerCmd struct {
	dataFlags
	keysFlags
	provingFlags
	Metrics    string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_WORKER_METRICS"`
	WithParent bool   `help:"Stop when standard input ends." hidden:""`
}

// Run proves until stopped.
func (c workerCmd) Run(a *app) error {
	if c.WithParent {
		a.ctx = parentGone(a.ctx)
	}
	return a.withDatabase(c.dataFlags, func(db *database) error {
		rollup, err := a.rollup(a.ctx, db)
		if err != nil {
			return err
		}
		if err := a.checkKeys(c.keysFlags, rollup); err != nil {
			return err
		}
		registry := prometheus.NewRegistry()
		metrics, err := jobs.NewMetrics(registry)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		if c.Metrics != "" {
			listener, err := api.Listen(a.ctx, c.Metrics)
			if err != nil {
				return fmt.Errorf("metrics of the worker: %w", err)
			}
			stop := a.serveMetrics(listener, registry)
			defer stop()
		}
		p, err := a.newProvers(c.keysFlags, c.provingFlags, rollup)
		if err != nil {
			return err
		}
		defer p.child.Close()
		if err := p.preload(a.ctx, rollup); err != nil {
			return err
		}
		return jobs.RunWorker(a.ctx, jobs.Config{
			Pool: db.pool, Store: db.store, Logger: a.log, Metrics: metrics, Holder: holder(), Policy: c.policy(),
			Prover: p.child, Keys: p.keys, Memory: p.admission.Limit, Admit: p.admission.Admit,
		})
	})
}

func keyHashes(rollup store.Rollup) map[string]settle.KeyHash {
	keys := map[string]settle.KeyHash{}
	for _, v := range rollup.Verifiers {
		if v.Circuit == settle.CircuitTransition {
			keys[v.Shape] = v.KeyHash
		}
	}
	return keys
}

func (a *app) serveMetrics(listener net.Listener, registry *prometheus.Registry) (stop func()) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("metrics are no longer served", "error", err)
		}
	}()
	return func() { _ = server.Close() }
}
