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

// Errors of a start that no retry mends.
var (
	// ErrNoGenesis: the database holds no rollup yet.
	ErrNoGenesis = errors.New("the database holds no genesis: initialise it with the genesis file of the deployment, then start the sequencer")
	// ErrStateMismatch: the stored accounts do not hash to the last batch's root, or
	// one of them not to its own digest.
	ErrStateMismatch = errors.New("stored accounts are not those of the last batch")
	// ErrKeyMismatch: a configured shape is not one that the deployed contract verifies.
	ErrKeyMismatch = errors.New("configured key is not in the rollup's registry")
)

// load rebuilds the state after the last sealed batch from Postgres alone.
//
// Leaves are hashed from the account rows, not taken from the stored digests:
// a row whose balance was damaged beside an intact digest would otherwise pass
// the comparison of roots and make every later batch that touches it unprovable.
func load(ctx context.Context, db Store, h *poseidon.Hasher, shapes []Shape) (*state.State, error) {
	rollup, err := db.Rollup(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoGenesis
	} else if err != nil {
		return nil, fmt.Errorf("read the rollup's identity: %w", err)
	}
	if err := checkShapes(rollup, shapes); err != nil {
		return nil, err
	}
	domain, err := element(rollup.Domain, "domain")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStateMismatch, err)
	}
	number, root, err := lastRoot(ctx, db, rollup)
	if err != nil {
		return nil, err
	}
	accounts, err := readAccounts(ctx, db)
	if err != nil {
		return nil, err
	}
	feeAccounts, err := db.FeeAccounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the fee accounts: %w", err)
	}
	fees := make(map[settle.TokenID]settle.AccountIndex, len(feeAccounts))
	for _, f := range feeAccounts {
		fees[f.Token] = f.Index
	}
	s, err := state.Load(h, domain, number, accounts, fees)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStateMismatch, err)
	}
	have := s.Root()
	if settle.Element(have.Bytes()) != root {
		return nil, mismatch(ctx, db, h, number, root, have.Bytes())
	}
	return s, nil
}

func checkShapes(rollup store.Rollup, shapes []Shape) error {
	for _, s := range shapes {
		known := false
		for _, v := range rollup.Verifiers {
			known = known || v.Circuit == settle.CircuitTransition && v.Shape == s.Name && v.KeyHash == s.KeyHash
		}
		if !known {
			return fmt.Errorf("%w: shape %s with key %s; use the keys that the contract was deployed with, or register these", ErrKeyMismatch, s.Name, s.KeyHash)
		}
	}
	return nil
}

func lastRoot(ctx context.Context, db Store, rollup store.Rollup) (settle.BatchNumber, settle.Element, error) {
	last, err := db.LastBatch(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return 0, rollup.GenesisRoot, nil
	} else if err != nil {
		return 0, settle.Element{}, fmt.Errorf("read the last batch: %w", err)
	}
	return last.Number, last.NewRoot, nil
}

func readAccounts(ctx context.Context, db Store) ([]state.Indexed, error) {
	var accounts []state.Indexed
	var damaged error
	err := db.EachAccount(ctx, func(a store.Account) error {
		x, err := accountFromStored(a)
		if err != nil {
			damaged = fmt.Errorf("%w: account %d: %w", ErrStateMismatch, a.Index, err)
			return damaged
		}
		accounts = append(accounts, x)
		return nil
	})
	switch {
	case damaged != nil:
		return nil, damaged
	case err != nil:
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	return accounts, nil
}

// mismatch explains a root that is not the expected one.
func mismatch(ctx context.Context, db Store, h *poseidon.Hasher, number settle.BatchNumber, want, have settle.Element) error {
	hint, err := damagedAccount(ctx, db, h)
	if err != nil {
		return err
	}
	if hint == "" {
		hint = "every row matches its own digest, so accounts are missing, or there are too many"
	}
	return fmt.Errorf("%w: after batch %d the root is %s, expected %s; %s. %s", ErrStateMismatch, number, have, want, hint, remedy)
}

const remedy = "Nothing was executed. Restore the database from a backup, or rebuild its accounts from genesis and the data of the batches"

// damagedAccount names the first account whose row does not hash to the digest
// stored in it; "" when there is none.
func damagedAccount(ctx context.Context, db Store, h *poseidon.Hasher) (damage string, err error) {
	errFound := errors.New("found")
	err = db.EachAccount(ctx, func(a store.Account) error {
		x, err := accountFromStored(a)
		if err != nil {
			damage = fmt.Sprintf("account %d: %v", a.Index, err)
			return errFound
		}
		if leaf := x.Leaf(h); settle.Element(leaf.Bytes()) != a.Leaf {
			damage = fmt.Sprintf("account %d does not hash to its own digest %s", a.Index, a.Leaf)
			return errFound
		}
		return nil
	})
	if err != nil && damage == "" {
		return "", fmt.Errorf("read the accounts: %w", err)
	}
	return damage, nil
}
