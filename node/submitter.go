package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// SubmitterConfig configures settling.
type SubmitterConfig struct {
	MaxFee      settle.Amount // cap on the fee per gas, in wei; 0: 200 gwei
	MaxInFlight int           // transactions under way at a time, at least 1
	// Patience is how long a proven batch may wait to be aggregated, where the rollup has an
	// aggregate verifier; then it settles by its own proof. 0 settles every batch at once.
	Patience time.Duration
	Poll     time.Duration // between looks at L1 and database
	Claims   time.Duration // between looks at the L1 log for claims of exits; 0: none
}

// Submitter settles proven batches on L1 until ctx ends or the role cannot heal.
func (n *Node) Submitter(ctx context.Context, cfg SubmitterConfig) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return err
	}
	metrics, err := newSubmitterMetrics(n.Ops)
	if err != nil {
		return err
	}
	if len(aggregates(rollup)) == 0 {
		cfg.Patience = 0
	}
	s := &submitter{
		Node: n, rollup: rollup, claims: cfg.Claims, step: metrics.step,
		config: l1.SubmitterConfig{
			ChainID: rollup.ChainID, Rollup: rollup.Address, DeployBlock: rollup.DeployBlock, Key: n.L1.Key,
			MaxFee: cfg.MaxFee, MaxInFlight: cfg.MaxInFlight, Patience: cfg.Patience, Poll: cfg.Poll,
			Logger: n.Log.With("role", string(store.RoleSubmitter)), Observer: metrics,
		},
	}
	defer metrics.l1.watch(ctx, n.L1, rollup.ChainID)()
	return n.lead(ctx, store.RoleSubmitter, s.failed(ctx), s.serve)
}

// submitter is the role over its tenures.
type submitter struct {
	*Node
	rollup store.Rollup
	config l1.SubmitterConfig
	claims time.Duration
	step   lastStep
	found  bool // the contract, at this node's address
}

// serve settles in one tenure. It looks at chain and contract anew each time: behind the
// address may be another node.
func (s *submitter) serve(ctx context.Context, tenure leader.Tenure) error {
	client, err := s.L1.Dial(ctx, s.rollup.ChainID)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := s.check(ctx, client); err != nil {
		return err
	}
	config := s.config
	config.Epoch = tenure.Epoch
	config.Stepped = func() { s.step.mark(); tenure.Progressed() }
	worker, err := l1.NewSubmitter(ctx, client, s.DB.Store, config)
	if err != nil {
		return err
	}
	tenure.Working()
	defer s.followClaims(ctx, client, tenure.Epoch)()
	return worker.Run(ctx, s.wakes(ctx, config.Logger))
}

// followClaims follows the claims of exits beside settling, which waits for none of it,
// until the returned function is called.
func (s *submitter) followClaims(ctx context.Context, client l1.Node, epoch store.Epoch) (stop func()) {
	if s.claims == 0 {
		return func() {}
	}
	follower := l1.NewClaimFollower(client, s.DB.Store, l1.ClaimFollowerConfig{
		Rollup: s.rollup.Address, DeployBlock: s.rollup.DeployBlock, Epoch: epoch, Every: s.claims, Logger: s.config.Logger,
	})
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { _ = follower.Run(ctx) }) // that the role was lost the submitter finds out too
	return func() {
		cancel()
		following.Wait()
	}
}

// failed notes, for people, why the role stands still.
func (s *submitter) failed(ctx context.Context) func(error) {
	return func(err error) {
		if !errors.Is(err, store.ErrFenced) {
			_ = s.DB.Store.NoteStandstill(ctx, store.RoleSubmitter, err.Error()) // where Postgres is not what is away
		}
	}
}

// check compares deployment and progress with the chain. A node that lacks the
// contract's block has no contract, and is only behind if one was found before.
func (s *submitter) check(ctx context.Context, client l1.Node) error {
	err := l1.CheckDeployment(ctx, client, Deployment(s.rollup))
	if err == nil {
		err = checkCopy(ctx, s.DB.Store, client, s.rollup)
	}
	if errors.Is(err, l1.ErrNoContract) && s.found {
		head, askErr := client.BlockNumber(ctx)
		if askErr != nil {
			return fmt.Errorf("%w, and its head is unknown: %w", l1.ErrNodeBehind, askErr)
		}
		if head < s.rollup.DeployBlock {
			return fmt.Errorf("%w: its head is block %d, the rollup was deployed in block %d", l1.ErrNodeBehind, head, s.rollup.DeployBlock)
		}
	}
	s.found = s.found || err == nil
	return err
}
