package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// AggregatorConfig is the policy of aggregation. The circuits of Policy are filled in from
// the rollup's verifiers.
type AggregatorConfig struct {
	Policy aggregator.Policy
	Poll   time.Duration // between looks at the database
}

// needsFee reports whether the base fee of L1 decides about waiting.
func (c AggregatorConfig) needsFee() bool { return c.Policy.LowGas > 0 || c.Policy.HighGas > 0 }

// Aggregator plans groups of batches until ctx ends or the role cannot heal.
func (n *Node) Aggregator(ctx context.Context, cfg AggregatorConfig) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return err
	}
	cfg.Policy.Circuits = aggregates(rollup)
	if len(cfg.Policy.Circuits) == 0 {
		return errors.New("the rollup has no verifier of an aggregate circuit, so there is nothing to fold for: register one (settle verifier propose --aggregate)")
	}
	metrics, err := jobs.NewPlannerMetrics(n.Ops.Registry)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	step := newLastStep(store.RoleAggregator)
	if err := n.Ops.register(step); err != nil {
		return err
	}
	log := n.Log.With("role", string(store.RoleAggregator))
	config := jobs.PlannerConfig{Store: n.DB.Store, Policy: cfg.Policy, Poll: cfg.Poll, Metrics: metrics, Logger: log}
	if cfg.needsFee() {
		if n.L1 == nil {
			return fmt.Errorf("the base fee decides about folding (--fold-low-gas, --fold-high-gas): set %s", EnvL1)
		}
		asker := &feeAsker{node: n.L1, chainID: rollup.ChainID}
		defer asker.close()
		config.GasPrice = asker.baseFee
	}
	if _, err := jobs.NewPlanner(config); err != nil { // a policy that cannot work ends the start
		return err
	}
	return n.lead(ctx, store.RoleAggregator, nil, func(ctx context.Context, tenure leader.Tenure) error {
		config.Epoch = tenure.Epoch
		config.Stepped = func() { step.mark(); tenure.Progressed() }
		planner, err := jobs.NewPlanner(config)
		if err != nil {
			return err
		}
		tenure.Working()
		return planner.Run(ctx, n.wakes(ctx, log))
	})
}

// feeAsker asks for the base fee over one connection, made at the first question. It
// is for one goroutine.
type feeAsker struct {
	node    *L1
	chainID uint64
	conn    *l1.Conn
}

// baseFee is that of the head, in wei per gas.
func (f *feeAsker) baseFee(ctx context.Context) (fee uint64, err error) {
	if f.conn == nil {
		if f.conn, err = f.node.Dial(ctx, f.chainID); err != nil {
			return 0, err
		}
	}
	return l1.BaseFee(ctx, f.conn)
}

func (f *feeAsker) close() {
	if f.conn != nil {
		f.conn.Close()
	}
}
