package sequencer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

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
// Leaves are the stored digests; inner nodes are hashed up to the root, which must be
// that of the last batch. So no digest is wrong, no account missing, none too many.
// A row whose balance was damaged beside an intact digest passes here. The first
// batch that would use it finds it (state.ErrDamaged), as does Check; until then the
// damage is in nothing that was executed or proven.
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
	feeAccounts, err := db.FeeAccounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the fee accounts: %w", err)
	}
	fees := make(map[settle.TokenID]settle.AccountIndex, len(feeAccounts))
	for _, f := range feeAccounts {
		fees[f.Token] = f.Index
	}
	loader := state.NewLoader(h, domain, number)
	if err := readAccounts(func(f func(store.Account) error) error { return db.EachAccount(ctx, f) }, loader); err != nil {
		return nil, err
	}
	s, err := loader.State(fees)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStateMismatch, err)
	}
	if err := checkRoot(ctx, db, s, root); err != nil {
		return nil, err
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

func lastRoot(ctx context.Context, db interface {
	LastBatch(ctx context.Context) (store.Batch, error)
}, rollup store.Rollup) (settle.BatchNumber, settle.Element, error) {
	last, err := db.LastBatch(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return 0, rollup.GenesisRoot, nil
	} else if err != nil {
		return 0, settle.Element{}, fmt.Errorf("read the last batch: %w", err)
	}
	return last.Number, last.NewRoot, nil
}

func readAccounts(each func(func(store.Account) error) error, loader *state.Loader) error {
	var damage error
	err := each(func(a store.Account) error {
		x, leaf, err := accountFromStored(a)
		if err == nil {
			err = loader.Add(x.Index, x.Account, leaf)
		}
		if err != nil {
			damage = fmt.Errorf("%w: account %d: %w", ErrStateMismatch, a.Index, err)
		}
		return damage
	})
	switch {
	case damage != nil:
		return damage
	case err != nil:
		return fmt.Errorf("read the accounts: %w", err)
	}
	return nil
}

// checkRoot returns ErrStateMismatch, explained, unless the state has the root.
func checkRoot(ctx context.Context, db interface {
	AccountsAstray(ctx context.Context, limit int) ([]settle.AccountIndex, error)
}, s *state.State, want settle.Element) error {
	have := s.Root()
	if settle.Element(have.Bytes()) == want {
		return nil
	}
	why := describeDamage(s.Damaged())
	if why == "" {
		astray, err := db.AccountsAstray(ctx, maxNamed+1)
		if err != nil {
			return err
		}
		why = describeAstray(astray)
	}
	if why == "" {
		why = "every account hashes to its own digest and is what its last change left, so accounts are missing with their history, or it is the batch that is wrong"
	}
	return fmt.Errorf("%w: after batch %d the root is %s, expected %s; %s. %s", ErrStateMismatch, s.Number(), settle.Element(have.Bytes()), want, why, remedy)
}

const remedy = "Nothing was executed. Restore the database from a backup, or rebuild its accounts from genesis and the data of the batches"

// maxNamed is how many accounts an error names.
const maxNamed = 10

func describeDamage(damaged []settle.AccountIndex) string {
	return describe(damaged, "account %s does not hash to its stored digest", "accounts %s do not hash to their stored digests")
}

func describeAstray(astray []settle.AccountIndex) string {
	return describe(astray, "account %s is not what its last change left", "accounts %s are not what their last changes left")
}

// describe names the accounts; "" when there are none.
func describe(accounts []settle.AccountIndex, one, several string) string {
	names := make([]string, 0, maxNamed)
	for _, index := range accounts[:min(len(accounts), maxNamed)] {
		names = append(names, strconv.FormatUint(uint64(index), 10))
	}
	list := strings.Join(names, ", ")
	switch {
	case len(accounts) == 0:
		return ""
	case len(accounts) == 1:
		return fmt.Sprintf(one, list)
	case len(accounts) > maxNamed:
		list += " and more"
	}
	return fmt.Sprintf(several, list)
}
