package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// foldFlags are the policy of folding.
type foldFlags struct {
	FoldWait     time.Duration `help:"How long a proven batch waits for others to be folded with." default:"1m" env:"SETTLE_FOLD_WAIT"`
	FoldExitWait time.Duration `help:"How long one with exits does, if that is shorter." default:"15s" env:"SETTLE_FOLD_EXIT_WAIT"`
	FoldLowGas   uint64        `help:"Base fee in wei up to which folding is not worth waiting for; 0: none." default:"0" env:"SETTLE_FOLD_LOW_GAS"`
	FoldHighGas  uint64        `help:"Base fee in wei from which batches wait longer for others; 0: none." default:"0" env:"SETTLE_FOLD_HIGH_GAS"`
	FoldHighWait time.Duration `help:"How long a proven batch waits for others from that base fee on." default:"10m" env:"SETTLE_FOLD_HIGH_WAIT"`
	FoldTimeout  time.Duration `help:"How long the proof of a group may take to come, the wait for a worker included; then its batches settle each by its own proof. 0: for ever." default:"10m" env:"SETTLE_FOLD_TIMEOUT"`
	FoldMaxWords int           `help:"Most words (32 bytes) of public data that one transaction settles; nodes refuse transactions above 128 KiB." default:"3584" env:"SETTLE_FOLD_MAX_WORDS"`
}

func (f foldFlags) policy(circuits map[settle.KeyHash]aggregator.Circuit) aggregator.Policy {
	return aggregator.Policy{
		Circuits: circuits, MaxWords: f.FoldMaxWords, Wait: f.FoldWait, ExitWait: f.FoldExitWait,
		LowGas: f.FoldLowGas, HighGas: f.FoldHighGas, HighWait: f.FoldHighWait, FoldWait: f.FoldTimeout,
	}
}

type aggregatorCmd struct {
	dataFlags
	migrateFlags
	nodeFlags
	foldFlags
	Metrics string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_AGGREGATOR_METRICS"`
	standbyFlags
}

// Run plans groups until stopped.
func (c aggregatorCmd) Run(a *app) error {
	return a.withRoleDatabase(c.dataFlags, c.migrateFlags, func(db *database) error {
		registry := newRegistry()
		return a.withMetrics("aggregator", c.Metrics, registry, func() error {
			if err := c.wait(a, db, store.RoleAggregator); err != nil {
				return err
			}
			return a.runAggregator(a.ctx, db, &chain{url: c.nodeURL(), options: c.options(a)}, c.foldFlags, time.Second, registry)
		})
	})
}

// nodeURL finds the node that others settle on; empty if none is named.
func (f dataFlags) nodeURL() string {
	if u := os.Getenv(envL1); u != "" {
		return u
	}
	u, _ := runNote{filepath.Join(f.DataDir, "chain.url")}.read()
	return u
}

// runAggregator plans groups until ctx ends, and takes its role again when it is lost.
func (a *app) runAggregator(ctx context.Context, db *database, node *chain, flags foldFlags, poll time.Duration, registry *prometheus.Registry) error {
	rollup, err := a.rollup(ctx, db)
	if err != nil {
		return err
	}
	policy := flags.policy(aggregates(rollup))
	if len(policy.Circuits) == 0 {
		return errors.New("the rollup has no verifier of an aggregate circuit, so there is nothing to fold for: register one (settle verifier propose --aggregate)")
	}
	metrics, err := jobs.NewPlannerMetrics(registry)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	step := newLastStep(store.RoleAggregator)
	if err := register(registry, step); err != nil {
		return err
	}
	log := a.log.With("role", string(store.RoleAggregator))
	config := jobs.PlannerConfig{Store: db.store, Policy: policy, Poll: poll, Metrics: metrics, Logger: log, Stepped: step.mark}
	if flags.FoldLowGas > 0 || flags.FoldHighGas > 0 {
		if node.url == "" {
			return fmt.Errorf("the base fee decides about folding (--fold-low-gas, --fold-high-gas): set %s", envL1)
		}
		asker := &feeAsker{node: node, chainID: rollup.ChainID}
		defer asker.close()
		config.GasPrice = asker.baseFee
	}
	if _, err := jobs.NewPlanner(config); err != nil {
		return err
	}
	return a.keepRole(ctx, store.RoleAggregator, func(ctx context.Context, works func()) (bool, error) {
		return holdRole(ctx, db, store.RoleAggregator, log, func(tenure context.Context, epoch store.Epoch, wake <-chan struct{}) error {
			config.Epoch = epoch
			planner, err := jobs.NewPlanner(config)
			if err != nil {
				return err
			}
			works()
			return planner.Run(tenure, wake)
		})
	})
}

// aggregates are the aggregate circuits that the rollup has verifiers for, by the key
// of the proofs that they fold; of several for one key the one with the most slots.
func aggregates(rollup store.Rollup) map[settle.KeyHash]aggregator.Circuit {
	inner := map[string]settle.KeyHash{}
	for _, v := range rollup.Verifiers {
		if v.Circuit == settle.CircuitTransition {
			inner[v.Shape] = v.KeyHash
		}
	}
	out := map[settle.KeyHash]aggregator.Circuit{}
	for _, v := range rollup.Verifiers {
		if v.Circuit != settle.CircuitAggregate {
			continue
		}
		shape, err := circuits.ParseAggregateShape(v.Shape)
		key, known := inner[shape.Inner]
		if err != nil || !known || shape.Slots < 2 || shape.Slots <= out[key].Slots {
			continue
		}
		out[key] = aggregator.Circuit{Shape: v.Shape, Slots: shape.Slots, KeyHash: v.KeyHash}
	}
	return out
}

// feeAsker asks for the base fee over one connection, made at the first question. It
// is for one goroutine.
type feeAsker struct {
	node    *chain
	chainID uint64
	conn    *l1.Conn
}

// baseFee is that of the head, in wei per gas.
func (f *feeAsker) baseFee(ctx context.Context) (fee uint64, err error) {
	if f.conn == nil {
		if f.conn, err = f.node.dial(ctx, f.chainID); err != nil {
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
