package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

func accountColumns() []string {
	return []string{"index", "owner", "token", "nonce", "balance", "l1", "leaf"}
}

func accountValues(a *Account) []any {
	return []any{int64(a.Index), a.Owner[:], int64(a.Token), int64(a.Nonce), amount(a.Balance), a.L1[:], a.Leaf[:]}
}

func accountFields(a *Account) []any {
	return []any{&a.Index, fixed(a.Owner[:]), &a.Token, &a.Nonce, (*amount)(&a.Balance), fixed(a.L1[:]), fixed(a.Leaf[:])}
}

func changeColumns() []string {
	return []string{"batch", "account",
		"before_owner", "before_token", "before_nonce", "before_balance", "before_l1", "before_leaf",
		"after_owner", "after_token", "after_nonce", "after_balance", "after_l1", "after_leaf"}
}

func changeValues(n settle.BatchNumber, c *AccountChange) []any {
	values := append([]any{int64(n)}, accountValues(&c.Before)...)
	return append(values, accountValues(&c.After)[1:]...)
}

// Account returns the account with its executed state, or ErrNotFound.
func (s *Store) Account(ctx context.Context, i settle.AccountIndex) (Account, error) {
	a, err := one(ctx, s.pool, accountFields, accountsByIndexSQL, []int64{int64(i)})
	if err != nil {
		return Account{}, fmt.Errorf("account %d: %w", i, err)
	}
	return a, nil
}

// Accounts returns those of the accounts that exist. Owner, token and L1 of an
// account never change, so a caller may keep them.
func (s *Store) Accounts(ctx context.Context, is []settle.AccountIndex) (map[settle.AccountIndex]Account, error) {
	found, err := list(ctx, s.pool, accountFields, accountsByIndexSQL, indices(is))
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	byIndex := make(map[settle.AccountIndex]Account, len(found))
	for _, a := range found {
		byIndex[a.Index] = a
	}
	return byIndex, nil
}

func indices(is []settle.AccountIndex) []int64 {
	out := make([]int64, len(is))
	for i, index := range is {
		out[i] = int64(index)
	}
	return out
}

// AccountsByOwner lists the accounts of the payment address (owner, l1) by index,
// beginning after index after (-1: from the start), at most limit.
func (s *Store) AccountsByOwner(ctx context.Context, owner settle.Element, l1 settle.Address, after int64, limit int) ([]Account, error) {
	found, err := list(ctx, s.pool, accountFields, accountsByOwnerSQL, owner[:], l1[:], after, limit)
	if err != nil {
		return nil, fmt.Errorf("accounts of %s with %s: %w", owner, l1, err)
	}
	return found, nil
}

// AccountHistory lists the changes of an account, newest first, of batches below
// before (0: no bound), at most limit.
func (s *Store) AccountHistory(ctx context.Context, i settle.AccountIndex, before settle.BatchNumber, limit int) ([]AccountHistory, error) {
	found, err := list(ctx, s.pool, func(h *AccountHistory) []any {
		fields := append([]any{&h.Batch}, accountFields(&h.Before)...)
		return append(fields, accountFields(&h.After)...)
	}, accountHistorySQL, i, before, limit)
	if err != nil {
		return nil, fmt.Errorf("history of account %d: %w", i, err)
	}
	return found, nil
}

// EachAccount calls f for every account by index, streaming, and stops at its error.
func (s *Store) EachAccount(ctx context.Context, f func(Account) error) error {
	rows, err := s.pool.Query(ctx, accountsAllSQL)
	if err != nil {
		return fmt.Errorf("all accounts: %w", err)
	}
	var a Account
	_, err = pgx.ForEachRow(rows, accountFields(&a), func() error { return f(a) })
	if err != nil {
		return fmt.Errorf("all accounts: %w", err)
	}
	return nil
}
