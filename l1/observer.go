package l1

import (
	"github.com/zksettle/settle/store"
)

// Observer hears what the submitter does, for metrics. Calls come from one goroutine, in
// order, and must not block.
type Observer interface {
	ToSettle(batch *store.Batch)                    // proven or settling: it, or the first batch of a group, has no transaction yet; told at each step
	Prepared()                                      // a settling transaction is stored
	Mined(mined *store.Settlement, r store.Receipt) // and its receipt too
	Failed()                                        // it was given up
	Reorged(batches int)                            // settlements of so many batches are undone
}

// NopObserver ignores everything.
type NopObserver struct{}

// ToSettle implements Observer.
func (NopObserver) ToSettle(*store.Batch) {}

// Prepared implements Observer.
func (NopObserver) Prepared() {}

// Mined implements Observer.
func (NopObserver) Mined(*store.Settlement, store.Receipt) {}

// Failed implements Observer.
func (NopObserver) Failed() {}

// Reorged implements Observer.
func (NopObserver) Reorged(int) {}

var _ Observer = NopObserver{}
