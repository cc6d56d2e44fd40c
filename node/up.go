package node

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sync/errgroup"
)

// UpConfig is what all roles together need.
type UpConfig struct {
	API        APIConfig
	Sequencer  SequencerConfig
	Submitter  SubmitterConfig
	Aggregator AggregatorConfig // its role runs where the rollup has an aggregate verifier
	Worker     WorkerConfig
	Workers    int // worker processes
	// WorkerOps is where the first worker serves what is the operator's, the others on the
	// ports that follow; empty: nowhere.
	WorkerOps string
}

// Up runs all roles until ctx ends, and then returns nil, or until one of them cannot
// heal. It serves the API on the listener, which it closes.
func (n *Node) Up(ctx context.Context, cfg UpConfig, listener net.Listener) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	// Each worker has a pool like ours; aggregator and submitter hold a lock and a listener each.
	n.WarnOfConnections(ctx, cfg.Workers*connectionsOf(n.DB.Pool)+2*ownConnections)
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return n.API(running, cfg.API, listener) })
	g.Go(func() error { return n.Sequencer(running, cfg.Sequencer) })
	g.Go(func() error { return n.Submitter(running, cfg.Submitter) })
	if len(aggregates(rollup)) > 0 {
		g.Go(func() error { return n.Aggregator(running, cfg.Aggregator) })
	}
	g.Go(func() error {
		return workerProcesses{Node: n, cfg: cfg.Worker, opsListen: cfg.WorkerOps}.run(running, cfg.Workers)
	})
	if err := g.Wait(); ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
