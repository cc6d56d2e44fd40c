package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// newRegistry has the collectors of every process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// withMetrics serves /metrics at addr, if it is not empty, while work runs.
func (a *app) withMetrics(role, addr string, registry *prometheus.Registry, work func() error) error {
	if addr == "" {
		return work()
	}
	listener, err := api.Listen(a.ctx, addr)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	a.log.Info("metrics are served", "url", "http://"+listener.Addr().String()+"/metrics", "role", role)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer a.serveOps(listener, mux)()
	return work()
}

// serveOps serves what is for the operator until stop.
func (a *app) serveOps(listener net.Listener, h http.Handler) (stop func()) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("metrics are no longer served", "error", err)
		}
	}()
	return func() { _ = server.Close() }
}

// sequencerMetrics are what the sequencer tells, as metrics. Labels are steps,
// reasons of sealing, shapes and settle's codes: fixed sets.
type sequencerMetrics struct {
	sequencer.NopObserver
	seal     *prometheus.HistogramVec // step: build, commit
	wait     prometheus.Histogram
	load     prometheus.Histogram
	batches  *prometheus.CounterVec // shape, reason
	rejected *prometheus.CounterVec // code
	waiting  *prometheus.GaugeVec   // for: nonce, later
	blocked  prometheus.Gauge
	failures prometheus.Counter
	step     lastStep
}

func newSequencerMetrics(r prometheus.Registerer) (*sequencerMetrics, error) {
	m := &sequencerMetrics{
		seal: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "settle_seal_seconds", Help: "Time to seal a batch by step: build computes tree, data and witness input, commit writes them.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"step"}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "settle_execution_wait_seconds", Help: "Age of the oldest transaction of a batch when it is sealed.",
			Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800},
		}),
		load: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "settle_state_load_seconds", Help: "Time to load the state from the database.",
			Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}),
		batches:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_batches_sealed_total", Help: "Batches sealed, by shape and by what sealed them."}, []string{"shape", "reason"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_rejections_total", Help: "Accepted transactions that the sequencer rejected, by code."}, []string{"code"}),
		waiting:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "settle_waiting_transactions", Help: "Transactions held in memory: behind a gap in the nonces, or for a later batch."}, []string{"for"}),
		blocked:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_sequencer_blocked", Help: "1 while the bound on unproven batches keeps the sequencer from sealing."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_sequencer_recoveries_total", Help: "Times that the sequencer dropped its memory and began anew from the stored state."}),
		step:     newLastStep(store.RoleSequencer),
	}
	return m, register(r, m.seal, m.wait, m.load, m.batches, m.rejected, m.waiting, m.blocked, m.failures, m.step)
}

func register(r prometheus.Registerer, all ...prometheus.Collector) error {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}

// BatchSealed implements sequencer.Observer.
func (m *sequencerMetrics) BatchSealed(e sequencer.SealEvent) {
	m.seal.WithLabelValues("build").Observe(e.Build.Seconds())
	m.seal.WithLabelValues("commit").Observe(e.Commit.Seconds())
	m.wait.Observe(e.Oldest.Seconds())
	m.batches.WithLabelValues(e.Shape, string(e.Reason)).Inc()
}

// Rejected implements sequencer.Observer.
func (m *sequencerMetrics) Rejected(code settle.Code, n int) {
	m.rejected.WithLabelValues(string(code)).Add(float64(n))
}

// OpenBatch implements sequencer.Observer: it is told after each pass.
func (m *sequencerMetrics) OpenBatch(settle.Usage) { m.step.mark() }

// Waiting implements sequencer.Observer.
func (m *sequencerMetrics) Waiting(behindNonceGap, deferred int) {
	m.waiting.WithLabelValues("nonce").Set(float64(behindNonceGap))
	m.waiting.WithLabelValues("later").Set(float64(deferred))
}

// Blocked implements sequencer.Observer.
func (m *sequencerMetrics) Blocked(blocked bool) {
	m.blocked.Set(0)
	if blocked {
		m.blocked.Set(1)
	}
}

// Recovering implements sequencer.Observer.
func (m *sequencerMetrics) Recovering(error, time.Duration) { m.failures.Inc() }

// Loaded implements sequencer.Observer.
func (m *sequencerMetrics) Loaded(_ settle.BatchNumber, took time.Duration) {
	m.load.Observe(took.Seconds())
}

// submitterMetrics are of one submitter.
type submitterMetrics struct {
	settle   *prometheus.HistogramVec // step: wait, mine
	gas      prometheus.Histogram
	batches  prometheus.Counter     // settled by mined transactions, one or more by each
	outcomes *prometheus.CounterVec // outcome: prepared, mined, failed, reorged
	step     lastStep
	l1       *l1Metrics
}

func newSubmitterMetrics(r prometheus.Registerer) (*submitterMetrics, error) {
	m := &submitterMetrics{
		settle: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "settle_settlement_seconds", Help: "Time to settle a batch by step: wait from its sealing to its first signed transaction, mine from there to the receipt.",
			Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200},
		}, []string{"step"}),
		gas: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "settle_settlement_gas", Help: "Gas of a settlement, by its receipt.",
			Buckets: []float64{3e5, 3.5e5, 4e5, 5e5, 6e5, 8e5, 1e6, 1.5e6, 2e6, 4e6},
		}),
		batches:  prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_settled_batches_total", Help: "Batches of mined settlements: a group is one settlement of several."}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_settlements_total", Help: "Settling transactions: prepared, and what became of them."}, []string{"outcome"}),
		step:     newLastStep(store.RoleSubmitter),
		l1:       newL1Metrics(),
	}
	for _, outcome := range []string{"prepared", "mined", "failed", "reorged"} { // a count that begins at 0 can be seen to grow
		m.outcomes.WithLabelValues(outcome)
	}
	return m, register(r, m.settle, m.gas, m.batches, m.outcomes, m.step, m.l1)
}

// measuredSettlements counts what the submitter writes.
type measuredSettlements struct {
	*store.Store
	metrics  *submitterMetrics
	patience time.Duration                    // for batches that may be folded
	begun    map[settle.BatchNumber]time.Time // first transaction of this process, of batches that are not settled
}

var _ l1.Settlements = (*measuredSettlements)(nil)

func measureSettlements(s *store.Store, m *submitterMetrics) *measuredSettlements {
	return &measuredSettlements{Store: s, metrics: m, begun: map[settle.BatchNumber]time.Time{}}
}

// ToSettle implements l1.Settlements.
func (s *measuredSettlements) ToSettle(ctx context.Context, most int) ([]store.SettlementWork, error) {
	works, err := s.ToSettleAfter(ctx, s.patience, most)
	for i := range works {
		if works[i].Live != nil {
			continue
		}
		batch := &works[i].Batch
		if _, known := s.begun[batch.Number]; !known {
			s.begun[batch.Number] = time.Now()
			s.metrics.settle.WithLabelValues("wait").Observe(max(0, time.Since(batch.SealedAt).Seconds()))
		}
	}
	return works, err
}

// PrepareSettlement implements l1.Settlements.
func (s *measuredSettlements) PrepareSettlement(ctx context.Context, epoch store.Epoch, n store.NewSettlement) (store.Settlement, error) {
	prepared, err := s.Store.PrepareSettlement(ctx, epoch, n)
	if err == nil {
		s.metrics.outcomes.WithLabelValues("prepared").Inc()
	}
	return prepared, err
}

// RecordMined implements l1.Settlements.
func (s *measuredSettlements) RecordMined(ctx context.Context, epoch store.Epoch, txHash settle.Hash, r store.Receipt) error {
	if err := s.Store.RecordMined(ctx, epoch, txHash, r); err != nil {
		return err
	}
	s.metrics.outcomes.WithLabelValues("mined").Inc()
	s.metrics.gas.Observe(float64(r.GasUsed))
	row, err := s.SettlementByHash(ctx, txHash)
	if err != nil {
		return nil // recorded it is; its time is not worth a second try
	}
	s.metrics.batches.Add(float64(row.Last-row.Batch) + 1)
	begun, known := s.begun[row.Batch]
	if !known { // by an earlier process
		begun = row.PreparedAt
	}
	delete(s.begun, row.Batch)
	s.metrics.settle.WithLabelValues("mine").Observe(max(0, time.Since(begun).Seconds()))
	return nil
}

// FailSettlement implements l1.Settlements.
func (s *measuredSettlements) FailSettlement(ctx context.Context, epoch store.Epoch, txHash settle.Hash, reason string) error {
	err := s.Store.FailSettlement(ctx, epoch, txHash, reason)
	if err == nil {
		s.metrics.outcomes.WithLabelValues("failed").Inc()
	}
	return err
}

// RevertSettlements implements l1.Settlements.
func (s *measuredSettlements) RevertSettlements(ctx context.Context, epoch store.Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error) {
	batches, err := s.Store.RevertSettlements(ctx, epoch, from, reason)
	s.metrics.outcomes.WithLabelValues("reorged").Add(float64(len(batches)))
	return batches, err
}
