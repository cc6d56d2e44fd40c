package sequencer

import (
	"context"
	"errors"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// AuditStore is what Check reads.
type AuditStore interface {
	Rollup(ctx context.Context) (store.Rollup, error)
	LastBatch(ctx context.Context) (store.Batch, error)
	EachAccountAt(ctx context.Context, n settle.BatchNumber, f func(store.Account) error) error
	AccountsAstray(ctx context.Context, limit int) ([]settle.AccountIndex, error)
}

var _ AuditStore = (*store.Store)(nil)

// Audit is what a Check found in order.
type Audit struct {
	Batch    settle.BatchNumber // the last one
	Root     settle.Element     // after it
	Accounts int
}

// Check compares all that the database says about accounts: each account with its
// digest, the digests with the root of the last batch, and each account with the last
// change in its history. A start compares only digests and root. ErrStateMismatch
// names what is wrong. A sequencer may be at work meanwhile.
func Check(ctx context.Context, db AuditStore, h *poseidon.Hasher) (Audit, error) {
	rollup, err := db.Rollup(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return Audit{}, ErrNoGenesis
	} else if err != nil {
		return Audit{}, fmt.Errorf("read the rollup's identity: %w", err)
	}
	domain, err := element(rollup.Domain, "domain")
	if err != nil {
		return Audit{}, fmt.Errorf("%w: %w", ErrStateMismatch, err)
	}
	number, root, err := lastRoot(ctx, db, rollup)
	if err != nil {
		return Audit{}, err
	}
	loader := state.NewLoader(h, domain, number)
	audit := Audit{Batch: number, Root: root}
	each := func(f func(store.Account) error) error {
		return db.EachAccountAt(ctx, number, func(a store.Account) error { audit.Accounts++; return f(a) })
	}
	if err := readAccounts(each, loader); err != nil {
		return Audit{}, err
	}
	s, err := loader.State(nil)
	if err != nil {
		return Audit{}, fmt.Errorf("%w: %w", ErrStateMismatch, err)
	}
	if err := checkRoot(ctx, db, s, root); err != nil {
		return Audit{}, err
	}
	astray, err := db.AccountsAstray(ctx, maxNamed+1)
	if err != nil {
		return Audit{}, err
	}
	for _, why := range []string{describeDamage(s.Damaged()), describeAstray(astray)} {
		if why != "" {
			return Audit{}, fmt.Errorf("%w: after batch %d %s. %s", ErrStateMismatch, number, why, remedy)
		}
	}
	return audit, nil
}
