package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle/store"
)

// lastStep is when a role last completed a step: one round of its loop that did all
// that was to be done, or saw that there was nothing. A role that hangs, or whose
// every step fails, is known by nothing else: it says nothing and counts nothing.
type lastStep struct{ prometheus.Gauge }

// newLastStep begins with the present, so that a role that never completes a step is
// found out too. Roles of one process share the metric, each with a label of its own.
func newLastStep(role store.Role) lastStep {
	s := lastStep{prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "settle_last_step_timestamp_seconds",
		Help:        "When the role last completed a step, in seconds since 1970, or else when it began: its age grows while the role hangs or every step fails.",
		ConstLabels: prometheus.Labels{"role": string(role)},
	})}
	s.mark()
	return s
}

// mark says that a step is complete. Safe for concurrent use.
func (s lastStep) mark() { s.SetToCurrentTime() }
