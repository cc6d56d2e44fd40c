package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// submitTenure is a period of holding the submitter's role.
type submitTenure struct {
	db     *database
	node   *chain
	rollup store.Rollup
	rows   l1.Settlements
	config l1.SubmitterConfig
	log    *slog.Logger
	claims time.Duration // between looks for claims of exits; 0: none
	found  bool          // the contract, at this node's address
}

// serve settles while this process holds the role; took says that it did. It looks at
// chain and contract anew each time: behind the address may be another node.
func (t *submitTenure) serve(ctx context.Context, works func()) (took bool, err error) {
	defer func() {
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrWriterHeld) && !errors.Is(err, store.ErrFenced) {
			_ = t.db.store.NoteStandstill(ctx, store.RoleSubmitter, err.Error()) // for people, where Postgres is not what is away
		}
	}()
	client, err := t.node.dial(ctx, t.rollup.ChainID)
	if err != nil {
		return false, err
	}
	defer client.Close()
	if err := t.check(ctx, client); err != nil {
		return false, err
	}
	return holdRole(ctx, t.db, store.RoleSubmitter, t.log, func(tenure context.Context, epoch store.Epoch, wake <-chan struct{}) error {
		t.config.Epoch = epoch
		submitter, err := l1.NewSubmitter(tenure, client, t.rows, t.config)
		if err != nil {
			return err
		}
		works()
		defer t.followClaims(tenure, client, epoch)()
		return submitter.Run(tenure, wake)
	})
}

// followClaims follows the claims of exits beside settling, which waits for none of it,
// until the returned function is called.
func (t *submitTenure) followClaims(ctx context.Context, node l1.Node, epoch store.Epoch) (stop func()) {
	if t.claims == 0 {
		return func() {}
	}
	follower := l1.NewClaimFollower(node, t.db.store, l1.ClaimFollowerConfig{
		Rollup: t.rollup.Address, DeployBlock: t.rollup.DeployBlock, Epoch: epoch, Every: t.claims, Logger: t.log,
	})
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { _ = follower.Run(ctx) }) // that the role was lost the submitter finds out too
	return func() {
		cancel()
		following.Wait()
	}
}

// check compares deployment and progress with the chain. A node that lacks the
// contract's block has no contract, and is only behind if one was found before.
func (t *submitTenure) check(ctx context.Context, client l1.Node) error {
	err := l1.CheckDeployment(ctx, client, deploymentOf(t.rollup))
	if err == nil {
		err = checkCopy(ctx, t.db.store, client, t.rollup)
	}
	if errors.Is(err, l1.ErrNoContract) && t.found {
		head, askErr := client.BlockNumber(ctx)
		if askErr != nil {
			return fmt.Errorf("%w, and its head is unknown: %w", l1.ErrNodeBehind, askErr)
		}
		if head < t.rollup.DeployBlock {
			return fmt.Errorf("%w: its head is block %d, the rollup was deployed in block %d", l1.ErrNodeBehind, head, t.rollup.DeployBlock)
		}
	}
	t.found = t.found || err == nil
	return err
}
