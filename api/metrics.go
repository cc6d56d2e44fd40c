package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// metrics are the API's own counters. Labels are bounded: routes are patterns,
// codes are settle's.
type metrics struct {
	latency     *prometheus.HistogramVec
	submissions *prometheus.CounterVec
	turnedAway  *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry, s Store, timeout time.Duration) (*metrics, error) {
	m := &metrics{
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "settle_http_request_seconds", Help: "Time to answer a request, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "status"}),
		submissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "settle_submissions_total", Help: "Submitted transactions by outcome: accepted, existing, or the code of the problem.",
		}, []string{"outcome"}),
		turnedAway: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "settle_http_connections_turned_away_total", Help: "Connections closed unserved, by the bound that they would have passed: of all, or of one client.",
		}, []string{"bound"}),
	}
	err := errors.Join(registry.Register(m.latency), registry.Register(m.submissions), registry.Register(m.turnedAway), registry.Register(newPipeline(s, timeout)))
	return m, err
}

const (
	outcomeAccepted = "accepted"
	outcomeExisting = "existing"
)

func (m *metrics) submitted(outcome string, n int) {
	if n > 0 {
		m.submissions.WithLabelValues(outcome).Add(float64(n))
	}
}

func (m *metrics) refused(code settle.Code, n int) { m.submitted(string(code), n) }

// recorder remembers the status of a reply.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) instrument(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, rec := time.Now(), &recorder{ResponseWriter: w}
		defer func() {
			route := r.Pattern
			if route == "" {
				route = "none"
			}
			s.metrics.latency.WithLabelValues(route, strconv.Itoa(rec.status)).Observe(time.Since(start).Seconds())
		}()
		next.ServeHTTP(rec, r)
	})
}

// pipeline reads the state of the pipeline from the store at each scrape.
type pipeline struct {
	store   Store
	timeout time.Duration

	up, oldest, queue, batches, jobs, executed, settled, blocked *prometheus.Desc
	prove, memory                                                *prometheus.Desc
}

func newPipeline(s Store, timeout time.Duration) *pipeline {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &pipeline{
		store: s, timeout: timeout,
		up:       d("settle_database_up", "1 if the database answered this scrape; if 0, the gauges below are absent."),
		oldest:   d("settle_oldest_unproven_batch_age_seconds", "Age of the oldest unproven batch; 0 when all are proven."),
		queue:    d("settle_queue_depth", "Unfinished work: accepted transactions, unproven and unsettled batches.", "stage"),
		batches:  d("settle_batches", "Batches by status.", "status"),
		jobs:     d("settle_jobs", "Proving jobs by state; discarded ones are dead letters.", "state"),
		executed: d("settle_last_executed_batch", "Number of the last executed batch."),
		settled:  d("settle_last_settled_batch", "Number of the last settled batch."),
		blocked:  d("settle_blocked_batch", "Number of the batch for which settlement waits because its proof job is a dead letter, 0 if there is none. Retry the job by hand."),
		prove:    d("settle_last_proof_seconds", "Time of the steps of the last proof in sequence; solve is part of prove.", "step"),
		memory:   d("settle_last_proof_peak_memory_bytes", "Peak memory of the process that made the last proof in sequence."),
	}
}

// Describe implements prometheus.Collector.
func (p *pipeline) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.up, p.oldest, p.queue, p.batches, p.jobs, p.executed, p.settled, p.blocked, p.prove, p.memory} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *pipeline) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	st, err := p.store.Status(ctx)
	if err != nil {
		gauge(p.up, 0)
		return
	}
	gauge(p.up, 1)
	b := st.Batches
	gauge(p.oldest, st.OldestUnprovenAge.Seconds())
	gauge(p.queue, float64(st.Transactions.Accepted), "accepted")
	gauge(p.queue, float64(b.Sealed), "unproven")
	gauge(p.queue, float64(unsettled(b)), "unsettled")
	for status, n := range map[settle.BatchStatus]int64{
		settle.BatchSealed: b.Sealed, settle.BatchProven: b.Proven, settle.BatchSettling: b.Settling, settle.BatchSettled: b.Settled, settle.BatchFinal: b.Final,
	} {
		gauge(p.batches, float64(n), string(status))
	}
	gauge(p.jobs, float64(st.Jobs.Waiting), "waiting")
	gauge(p.jobs, float64(st.Jobs.Running), "running")
	gauge(p.jobs, float64(st.Jobs.Discarded), "discarded")
	gauge(p.executed, float64(st.LastBatch))
	gauge(p.settled, float64(st.SettledBatch))
	switch blockage, err := p.store.Blockage(ctx); {
	case err == nil:
		gauge(p.blocked, float64(blockage.Batch))
	case errors.Is(err, store.ErrNotFound):
		gauge(p.blocked, 0)
	}
	p.collectProof(ctx, gauge)
}

// collectProof shows what the last proof in sequence cost, if there is one.
func (p *pipeline) collectProof(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) {
	progress, err := p.store.ProvenProgress(ctx)
	if err != nil || progress.Batch == 0 {
		return
	}
	detail, err := p.store.Batch(ctx, progress.Batch)
	if err != nil || len(detail.Proofs) == 0 {
		return
	}
	stats := detail.Proofs[len(detail.Proofs)-1].Stats
	gauge(p.prove, stats.Assign.Seconds(), "assign")
	gauge(p.prove, stats.Solve.Seconds(), "solve")
	gauge(p.prove, stats.Prove.Seconds(), "prove")
	gauge(p.memory, float64(stats.PeakMemory))
}

// unsettled counts the batches that are not settled.
func unsettled(b store.BatchCounts) int64 { return b.Sealed + b.Proven + b.Settling }
