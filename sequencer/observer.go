package sequencer

import (
	"time"

	"github.com/zksettle/settle"
)

// Observer hears what the sequencer does, for metrics. Calls come from one
// goroutine, in order, and must not block.
type Observer interface {
	BatchSealed(SealEvent)
	Rejected(code settle.Code, n int)                    // stored rejections
	OpenBatch(usage settle.Usage)                        // after each pass; empty when nothing is open
	Waiting(behindNonceGap, deferred int)                // held in memory, after each pass
	Blocked(blocked bool)                                // the bound on unproven batches was reached, or is so no more
	Loaded(batch settle.BatchNumber, took time.Duration) // the state after batch is in memory
}

// SealEvent describes a batch that is durable.
type SealEvent struct {
	Number  settle.BatchNumber
	Shape   string
	Reason  Reason
	Usage   settle.Usage
	Oldest  time.Duration // age of its oldest transaction
	Build   time.Duration // tree, data and witness input
	Commit  time.Duration // database transaction
	Witness int           // bytes
}

// NopObserver ignores everything.
type NopObserver struct{}

// BatchSealed implements Observer.
func (NopObserver) BatchSealed(SealEvent) {}

// Rejected implements Observer.
func (NopObserver) Rejected(settle.Code, int) {}

// OpenBatch implements Observer.
func (NopObserver) OpenBatch(settle.Usage) {}

// Waiting implements Observer.
func (NopObserver) Waiting(int, int) {}

// Blocked implements Observer.
func (NopObserver) Blocked(bool) {}

// Loaded implements Observer.
func (NopObserver) Loaded(settle.BatchNumber, time.Duration) {}

var _ Observer = NopObserver{}
