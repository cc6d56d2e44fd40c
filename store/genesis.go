package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// InitGenesis writes the rollup's identity, genesis accounts (with their entries
// of batch 0 in the history) and fee accounts in one transaction. The same genesis
// again changes nothing and returns false; another one is ErrGenesisMismatch.
func (s *Store) InitGenesis(ctx context.Context, g Genesis) (created bool, err error) {
	for i, a := range g.Accounts {
		if a.Index != settle.AccountIndex(i) {
			return false, fmt.Errorf("genesis account %d has index %d: indices run from 0 without gaps", i, a.Index)
		}
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		r := g.Rollup
		tag, err := tx.Exec(ctx, genesisRollupSQL, r.Domain[:], r.ChainID, r.Address[:], r.DeployBlock,
			r.GenesisRoot[:], r.GenesisHash[:], r.UnsafeDev)
		if err != nil {
			return fmt.Errorf("rollup: %w", err)
		}
		if created = tag.RowsAffected() == 1; !created {
			return nil
		}
		if err := insertVerifiers(ctx, tx, r.Verifiers); err != nil {
			return err
		}
		if err := insertGenesisAccounts(ctx, tx, g.Accounts); err != nil {
			return err
		}
		return insertFeeAccounts(ctx, tx, g.FeeAccounts)
	})
	if err != nil {
		return false, fmt.Errorf("write genesis: %w", err)
	}
	if created {
		return true, nil
	}
	return false, s.sameRollup(ctx, g.Rollup)
}

func (s *Store) sameRollup(ctx context.Context, want Rollup) error {
	got, err := s.Rollup(ctx)
	if err != nil {
		return err
	}
	differ := func(what string, got, want any) error {
		return fmt.Errorf("%w: its %s is %v, expected %v: use another database, or the genesis and contract that this one was made with",
			ErrGenesisMismatch, what, got, want)
	}
	switch {
	case got.ChainID != want.ChainID:
		return differ("chain id", got.ChainID, want.ChainID)
	case got.Address != want.Address:
		return differ("contract", got.Address, want.Address)
	case got.GenesisHash != want.GenesisHash:
		return differ("genesis hash", got.GenesisHash, want.GenesisHash)
	case got.GenesisRoot != want.GenesisRoot:
		return differ("genesis root", got.GenesisRoot, want.GenesisRoot)
	case got.Domain != want.Domain:
		return differ("domain", got.Domain, want.Domain)
	}
	return nil
}

func insertVerifiers(ctx context.Context, tx pgx.Tx, vs []Verifier) error {
	var circuits, shapes []string
	var keys, addresses [][]byte
	for _, v := range vs {
		circuits, shapes = append(circuits, v.Circuit), append(shapes, v.Shape)
		keys, addresses = append(keys, v.KeyHash[:]), append(addresses, v.Address[:])
	}
	if _, err := tx.Exec(ctx, genesisVerifiersSQL, circuits, shapes, keys, addresses); err != nil {
		return fmt.Errorf("verifiers: %w", err)
	}
	return nil
}

// AddVerifier stores a verifier that was registered on L1 after genesis. One of a key
// that is stored is left alone. Roles see it when they start.
func (s *Store) AddVerifier(ctx context.Context, v Verifier) error {
	return s.inTx(ctx, func(tx pgx.Tx) error { return insertVerifiers(ctx, tx, []Verifier{v}) })
}

func insertFeeAccounts(ctx context.Context, tx pgx.Tx, fs []FeeAccount) error {
	var tokens, accounts []int64
	var fees []amount
	for _, f := range fs {
		tokens, accounts = append(tokens, int64(f.Token)), append(accounts, int64(f.Index))
		fees = append(fees, amount(f.MinFee))
	}
	if _, err := tx.Exec(ctx, genesisFeeAccountsSQL, tokens, accounts, fees); err != nil {
		return fmt.Errorf("fee accounts: %w", err)
	}
	return nil
}

// insertGenesisAccounts copies, as a genesis may have a million accounts.
func insertGenesisAccounts(ctx context.Context, tx pgx.Tx, accounts []Account) error {
	rows := pgx.CopyFromSlice(len(accounts), func(i int) ([]any, error) { return accountValues(&accounts[i]), nil })
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, accountColumns(), rows); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	changes := pgx.CopyFromSlice(len(accounts), func(i int) ([]any, error) {
		return changeValues(0, &AccountChange{Before: Account{Index: accounts[i].Index}, After: accounts[i]}), nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"account_changes"}, changeColumns(), changes); err != nil {
		return fmt.Errorf("account changes of genesis: %w", err)
	}
	return nil
}

// Rollup returns the rollup's identity, or ErrNotFound before genesis.
func (s *Store) Rollup(ctx context.Context) (Rollup, error) {
	r, err := one(ctx, s.pool, func(r *Rollup) []any {
		return []any{fixed(r.Domain[:]), &r.ChainID, fixed(r.Address[:]), &r.DeployBlock,
			fixed(r.GenesisRoot[:]), fixed(r.GenesisHash[:]), &r.UnsafeDev}
	}, rollupSQL)
	if err != nil {
		return Rollup{}, fmt.Errorf("rollup: %w", err)
	}
	r.Verifiers, err = list(ctx, s.pool, func(v *Verifier) []any {
		return []any{&v.Circuit, &v.Shape, fixed(v.KeyHash[:]), fixed(v.Address[:])}
	}, verifiersSQL)
	if err != nil {
		return Rollup{}, fmt.Errorf("verifiers: %w", err)
	}
	return r, nil
}

// FeeAccounts lists fee accounts by token.
func (s *Store) FeeAccounts(ctx context.Context) ([]FeeAccount, error) {
	fs, err := list(ctx, s.pool, func(f *FeeAccount) []any {
		return []any{&f.Token, &f.Index, (*amount)(&f.MinFee)}
	}, feeAccountsSQL)
	if err != nil {
		return nil, fmt.Errorf("fee accounts: %w", err)
	}
	return fs, nil
}

// SetMinFee changes the smallest fee taken for token and returns the one before;
// ErrNotFound if it has no fee account. The row is locked in between, so that of two
// changes at once each returns what it replaced.
func (s *Store) SetMinFee(ctx context.Context, token settle.TokenID, fee settle.Amount) (before settle.Amount, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		before, err = one(ctx, tx, func(a *settle.Amount) []any { return []any{(*amount)(a)} }, lockMinFeeSQL, token)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, setMinFeeSQL, token, amount(fee))
		return err
	})
	if err != nil {
		return before, fmt.Errorf("minimum fee of token %d: %w", token, err)
	}
	return before, nil
}
