package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// submitterMetrics are of one submitter.
type submitterMetrics struct {
	settle   *prometheus.HistogramVec // step: wait, mine
	gas      prometheus.Histogram
	batches  prometheus.Counter     // settled by mined transactions, one or more by each
	outcomes *prometheus.CounterVec // outcome: prepared, mined, failed, reorged
	step     lastStep
	l1       *l1Metrics

	begun map[settle.BatchNumber]time.Time // when batches that are not settled were first seen to be ready
}

var _ l1.Observer = (*submitterMetrics)(nil)

func newSubmitterMetrics(o *Ops) (*submitterMetrics, error) {
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
		begun:    map[settle.BatchNumber]time.Time{},
	}
	for _, outcome := range []string{"prepared", "mined", "failed", "reorged"} { // a count that begins at 0 can be seen to grow
		m.outcomes.WithLabelValues(outcome)
	}
	return m, o.register(m.settle, m.gas, m.batches, m.outcomes, m.step, m.l1)
}

// ToSettle implements l1.Observer.
func (m *submitterMetrics) ToSettle(batch *store.Batch) {
	if _, known := m.begun[batch.Number]; known {
		return
	}
	m.begun[batch.Number] = time.Now()
	m.settle.WithLabelValues("wait").Observe(max(0, time.Since(batch.SealedAt).Seconds()))
}

// Prepared implements l1.Observer.
func (m *submitterMetrics) Prepared() { m.outcomes.WithLabelValues("prepared").Inc() }

// Mined implements l1.Observer.
func (m *submitterMetrics) Mined(mined *store.Settlement, r store.Receipt) {
	m.outcomes.WithLabelValues("mined").Inc()
	m.gas.Observe(float64(r.GasUsed))
	m.batches.Add(float64(mined.Last-mined.Batch) + 1)
	begun, known := m.begun[mined.Batch]
	if !known { // by an earlier process
		begun = mined.PreparedAt
	}
	delete(m.begun, mined.Batch)
	m.settle.WithLabelValues("mine").Observe(max(0, time.Since(begun).Seconds()))
}

// Failed implements l1.Observer.
func (m *submitterMetrics) Failed() { m.outcomes.WithLabelValues("failed").Inc() }

// Reorged implements l1.Observer.
func (m *submitterMetrics) Reorged(batches int) {
	m.outcomes.WithLabelValues("reorged").Add(float64(batches))
}
