package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// verdict says how what L1 has settled stands to the database.
type verdict string

const (
	verdictEqual     verdict = "equal"     // same batch, same root
	verdictRecording verdict = "recording" // L1 has settled batches that the database has, with their roots, and not yet as settled
	verdictBehind    verdict = "behind"    // L1 has settled fewer than the database, with their roots
	verdictOldCopy   verdict = "old_copy"  // L1 has settled batches that the database does not have
	verdictDiverged  verdict = "diverged"  // another root after the same batch
)

// compare says how the contract's progress stands to the database, whose last
// settled batch was read before the contract was: it may have gone on meanwhile.
func compare(ctx context.Context, s *store.Store, settled settle.BatchNumber, onL1 wire.Progress) (verdict, error) {
	here, err := s.Point(ctx, onL1.Batch)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return verdictOldCopy, nil
	case err != nil:
		return "", err
	case here.Root != onL1.Root:
		return verdictDiverged, nil
	case settled < onL1.Batch:
		return verdictRecording, nil
	case settled > onL1.Batch:
		return verdictBehind, nil
	}
	return verdictEqual, nil
}

// progressOnL1 reads number and root from the contract, both of one block.
func progressOnL1(ctx context.Context, node l1.Node, rollup store.Rollup) (p wire.Progress, err error) {
	head, err := node.BlockNumber(ctx)
	if err != nil {
		var withURL *url.Error
		if errors.As(err, &withURL) { // which may hold an access token
			err = withURL.Err
		}
		return p, fmt.Errorf("ask L1 for its head: %w", err)
	}
	contract := l1.NewClient(node, rollup.Address).At(head)
	if p.Batch, err = contract.BatchNumber(ctx); err != nil {
		return p, err
	}
	p.Root, err = contract.Root(ctx)
	return p, err
}

// Errors of a database that must not be built upon.
var (
	errOldCopy  = errors.New("this database is an old copy")
	errDiverged = errors.New("this database and L1 have gone apart")
)

// checkCopy refuses a database to which L1 is ahead: a sequencer on it would build
// other batches than those that are settled.
func checkCopy(ctx context.Context, s *store.Store, node l1.Node, rollup store.Rollup) error {
	settled, err := s.LastSettled(ctx)
	if err != nil {
		return err
	}
	onL1, err := progressOnL1(ctx, node, rollup)
	if err != nil {
		return err
	}
	found, err := compare(ctx, s, settled.Batch, onL1)
	switch {
	case err != nil:
		return err
	case found == verdictOldCopy:
		return fmt.Errorf("%w: L1 has settled batch %d, which is not in it. Stop all roles and restore a newer copy (docs/runbook.md)", errOldCopy, onL1.Batch)
	case found == verdictDiverged:
		return fmt.Errorf("%w: after batch %d L1 has root %s, the database another. Stop all roles, find out which copy is the rollup's and restore it (docs/runbook.md)",
			errDiverged, onL1.Batch, onL1.Root)
	}
	return nil
}

// checkCopyOn is checkCopy before any role has begun.
func (a *app) checkCopyOn(db *database, node *chain) error {
	rollup, err := a.rollup(a.ctx, db)
	if err != nil {
		return err
	}
	client, err := node.dial(a.ctx, rollup.ChainID)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := l1.CheckDeployment(a.ctx, client, deploymentOf(rollup)); err != nil {
		return err
	}
	return checkCopy(a.ctx, db.store, client, rollup)
}
