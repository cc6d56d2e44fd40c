package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// sequencerMetrics are what the sequencer tells, as metrics. Labels are steps,
// reasons of sealing, shapes and settle's codes: fixed sets.
type sequencerMetrics struct {
	sequencer.NopObserver
	seal     *prometheus.HistogramVec // step: build, commit
	wait     prometheus.Histogram
	load     prometheus.Histogram
	witness  prometheus.Histogram
	batches  *prometheus.CounterVec // shape, reason
	rejected *prometheus.CounterVec // code
	waiting  *prometheus.GaugeVec   // for: nonce, later
	blocked  prometheus.Gauge
	failures prometheus.Counter
	step     lastStep
}

func newSequencerMetrics(o *Ops) (*sequencerMetrics, error) {
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
		witness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "settle_witness_input_bytes", Help: "Size of the witness input that is stored with a batch.",
			Buckets: prometheus.ExponentialBuckets(4096, 4, 8), // 4 KiB to 64 MiB
		}),
		batches:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_batches_sealed_total", Help: "Batches sealed, by shape and by what sealed them."}, []string{"shape", "reason"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_rejections_total", Help: "Accepted transactions that the sequencer rejected, by code."}, []string{"code"}),
		waiting:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "settle_waiting_transactions", Help: "Transactions held in memory: behind a gap in the nonces, or for a later batch."}, []string{"for"}),
		blocked:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_sequencer_blocked", Help: "1 while the bound on unproven batches keeps the sequencer from sealing."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_sequencer_recoveries_total", Help: "Times that the sequencer dropped its memory and began anew from the stored state."}),
		step:     newLastStep(store.RoleSequencer),
	}
	return m, o.register(m.seal, m.wait, m.load, m.witness, m.batches, m.rejected, m.waiting, m.blocked, m.failures, m.step)
}

// BatchSealed implements sequencer.Observer.
func (m *sequencerMetrics) BatchSealed(e sequencer.SealEvent) {
	m.seal.WithLabelValues("build").Observe(e.Build.Seconds())
	m.seal.WithLabelValues("commit").Observe(e.Commit.Seconds())
	m.wait.Observe(e.Oldest.Seconds())
	m.witness.Observe(float64(e.Witness))
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

// Loaded implements sequencer.Observer.
func (m *sequencerMetrics) Loaded(_ settle.BatchNumber, took time.Duration) {
	m.load.Observe(took.Seconds())
}
