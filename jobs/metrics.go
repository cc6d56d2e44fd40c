package jobs

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// Metrics of workers and reapers. Labels come from fixed sets: shapes, steps and
// classes.
type Metrics struct {
	QueueSeconds *prometheus.HistogramVec // shape: from the time a job was due until a worker began it
	ProveSeconds *prometheus.HistogramVec // shape, step: keys, assign, solve, prove, verify
	Proofs       *prometheus.CounterVec   // outcome: stored, late, duplicate
	Failures     *prometheus.CounterVec   // class
	Reaped       prometheus.Counter       // jobs taken from dead workers
	DeadLetters  prometheus.Counter
	SetAside     prometheus.Counter // stored proofs that turned out to be worth nothing
	PeakMemory   prometheus.Gauge   // bytes, of the last proof
	// MemoryWaits counts looks at the queue that found a job and no memory for it: shape.
	MemoryWaits *prometheus.CounterVec
	// BlockedBatch is the number of the dead-lettered batch for which settlement waits; 0: none.
	BlockedBatch prometheus.Gauge
}

// NewMetrics makes the collectors and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		QueueSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "settle_prove_queue_seconds", Help: "Time that a proof job was due before a worker began it.",
			Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200},
		}, []string{"shape"}),
		ProveSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "settle_prove_seconds", Help: "Time of a proof by step; prove includes solve.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280},
		}, []string{"shape", "step"}),
		Proofs:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_proofs_total", Help: "Proofs made, by what became of them."}, []string{"outcome"}),
		Failures:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_prove_failures_total", Help: "Failed attempts to prove a batch, by class."}, []string{"class"}),
		Reaped:      prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_prove_reaped_total", Help: "Proof jobs taken from workers that died or were paused."}),
		DeadLetters: prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_prove_dead_letters_total", Help: "Proof jobs given up."}),
		SetAside:    prometheus.NewCounter(prometheus.CounterOpts{Name: "settle_proofs_set_aside_total", Help: "Stored proofs of batches that were set aside, so that the batch is proven again."}),
		PeakMemory:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_prove_peak_memory_bytes", Help: "Peak resident memory during the last proof."}),
	}
	m.MemoryWaits = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_prove_memory_waits_total", Help: "Looks at the queue that found a job for which this worker lacks memory, by shape."}, []string{"shape"})
	m.BlockedBatch = prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_blocked_batch", Help: "Number of the batch for which settlement waits because its proof job is a dead letter, 0 if there is none. Retry the job by hand."})
	for _, c := range []prometheus.Collector{m.QueueSeconds, m.ProveSeconds, m.Proofs, m.Failures, m.Reaped, m.DeadLetters, m.SetAside, m.PeakMemory, m.MemoryWaits, m.BlockedBatch} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	for _, class := range []store.FailureClass{store.FailWitness, store.FailResource, store.FailInfrastructure, store.FailBug} {
		m.Failures.WithLabelValues(string(class))
	}
	return m, nil
}

func (m *Metrics) begun(l store.Lease) {
	m.QueueSeconds.WithLabelValues(l.Shape).Observe(max(0, l.BegunAt.Sub(l.DueAt).Seconds()))
}

func (m *Metrics) proof(shape string, r prover.Result) {
	for step, d := range map[string]float64{
		"keys": r.Timings.Keys.Seconds(), "assign": r.Timings.Assign.Seconds(), "solve": r.Timings.Solve.Seconds(),
		"prove": r.Timings.Prove.Seconds(), "verify": r.Timings.Verify.Seconds(),
	} {
		m.ProveSeconds.WithLabelValues(shape, step).Observe(d)
	}
	m.PeakMemory.Set(float64(r.PeakMemory))
}

func (m *Metrics) outcome(o store.ProofOutcome) {
	name := "stored"
	switch {
	case !o.Stored:
		name = "duplicate"
	case o.Late:
		name = "late"
	}
	m.Proofs.WithLabelValues(name).Inc()
}
