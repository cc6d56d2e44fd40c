package node

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

// Verdict says how what L1 has settled stands to the database.
type Verdict string

const (
	VerdictEqual     Verdict = "equal"     // same batch, same root
	VerdictRecording Verdict = "recording" // L1 has settled batches that the database has, with their roots, and not yet as settled
	VerdictBehind    Verdict = "behind"    // L1 has settled fewer than the database, with their roots
	VerdictOldCopy   Verdict = "old_copy"  // L1 has settled batches that the database does not have
	VerdictDiverged  Verdict = "diverged"  // another root after the same batch
)

// Compare says how the contract's progress stands to the database, whose last
// settled batch was read before the contract was: it may have gone on meanwhile.
func Compare(ctx context.Context, s *store.Store, settled settle.BatchNumber, onL1 wire.Progress) (Verdict, error) {
	here, err := s.Point(ctx, onL1.Batch)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return VerdictOldCopy, nil
	case err != nil:
		return "", err
	case here.Root != onL1.Root:
		return VerdictDiverged, nil
	case settled < onL1.Batch:
		return VerdictRecording, nil
	case settled > onL1.Batch:
		return VerdictBehind, nil
	}
	return VerdictEqual, nil
}

// ProgressOnL1 reads number and root from the contract, both of one block.
func ProgressOnL1(ctx context.Context, node l1.Node, rollup store.Rollup) (p wire.Progress, err error) {
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
	ErrOldCopy  = errors.New("this database is an old copy")
	ErrDiverged = errors.New("this database and L1 have gone apart")
)

// checkCopy refuses a database to which L1 is ahead: a sequencer on it would build
// other batches than those that are settled.
func checkCopy(ctx context.Context, s *store.Store, node l1.Node, rollup store.Rollup) error {
	settled, err := s.LastSettled(ctx)
	if err != nil {
		return err
	}
	onL1, err := ProgressOnL1(ctx, node, rollup)
	if err != nil {
		return err
	}
	found, err := Compare(ctx, s, settled.Batch, onL1)
	switch {
	case err != nil:
		return err
	case found == VerdictOldCopy:
		return fmt.Errorf("%w: L1 has settled batch %d, which is not in it. Stop all roles and restore a newer copy (docs/runbook.md)", ErrOldCopy, onL1.Batch)
	case found == VerdictDiverged:
		return fmt.Errorf("%w: after batch %d L1 has root %s, the database another. Stop all roles, find out which copy is the rollup's and restore it (docs/runbook.md)",
			ErrDiverged, onL1.Batch, onL1.Root)
	}
	return nil
}

// CheckCopy compares deployment and progress with L1 before any role has begun: neither API
// nor sequencer may work on an old copy. ErrOldCopy, ErrDiverged, or l1's errors.
func (n *Node) CheckCopy(ctx context.Context) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return err
	}
	client, err := n.L1.Dial(ctx, rollup.ChainID)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := l1.CheckDeployment(ctx, client, Deployment(rollup)); err != nil {
		return err
	}
	return checkCopy(ctx, n.DB.Store, client, rollup)
}
