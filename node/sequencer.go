package node

import (
	"context"
	"time"

	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// SequencerConfig is the sealing policy.
type SequencerConfig struct {
	MaxAge      time.Duration // a transaction waits no longer in the open batch
	MaxIdle     time.Duration // nor after the last one came; 0: until MaxAge
	MaxUnproven int           // batches from which the sequencer waits
}

// maxDeferred is how many transactions wait for a later batch.
const maxDeferred = 1000

// Sequencer executes transactions and seals batches until ctx ends or the role cannot
// heal.
func (n *Node) Sequencer(ctx context.Context, cfg SequencerConfig) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return err
	}
	shapes, err := registeredShapes(rollup)
	if err != nil {
		return err
	}
	metrics, err := newSequencerMetrics(n.Ops)
	if err != nil {
		return err
	}
	s, err := sequencer.New(sequencer.Config{
		Store: n.DB.Store, Hasher: poseidon.New(), Logger: n.Log, Observer: metrics,
		Policy: sequencer.Policy{Shapes: shapes, MaxAge: cfg.MaxAge, MaxIdle: cfg.MaxIdle, MaxUnproven: cfg.MaxUnproven, MaxDeferred: maxDeferred},
	})
	if err != nil {
		return err
	}
	return n.lead(ctx, store.RoleSequencer, func(error) { metrics.failures.Inc() }, s.Serve)
}
