package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

func TestGenesisIsWrittenOnce(t *testing.T) {
	db := testdb.New(t)
	s := store.New(db.Pool)
	for name, read := range map[string]func() error{
		"rollup":   func() error { _, err := s.Rollup(t.Context()); return err },
		"status":   func() error { _, err := s.Status(t.Context()); return err },
		"progress": func() error { _, err := s.ProvenProgress(t.Context()); return err },
		"batch":    func() error { _, err := s.LastBatch(t.Context()); return err },
	} {
		require.ErrorIs(t, read(), store.ErrNotFound, name)
	}

	g := genesis()
	created, err := s.InitGenesis(t.Context(), g)
	require.NoError(t, err)
	require.True(t, created)
	created, err = s.InitGenesis(t.Context(), g)
	require.NoError(t, err)
	require.False(t, created)

	got, err := s.Rollup(t.Context())
	require.NoError(t, err)
	require.Equal(t, g.Rollup, got)
	fees, err := s.FeeAccounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, g.FeeAccounts, fees)

	for name, change := range map[string]func(*store.Rollup){
		"chain id":     func(r *store.Rollup) { r.ChainID++ },
		"contract":     func(r *store.Rollup) { r.Address[0]++ },
		"genesis hash": func(r *store.Rollup) { r.GenesisHash[0]++ },
		"genesis root": func(r *store.Rollup) { r.GenesisRoot[0]++ },
		"domain":       func(r *store.Rollup) { r.Domain[0]++ },
	} {
		other := genesis()
		change(&other.Rollup)
		_, err = s.InitGenesis(t.Context(), other)
		require.ErrorIs(t, err, store.ErrGenesisMismatch, name)
		require.ErrorContains(t, err, name)
	}
	_, err = db.Pool.Exec(t.Context(), "delete from rollup")
	require.ErrorContains(t, err, "never rewritten")
}

func TestGenesisWithGapIsRefused(t *testing.T) {
	g := genesis()
	g.Accounts[1].Index = 9
	s := store.New(testdb.New(t).Pool)
	_, err := s.InitGenesis(t.Context(), g)
	require.ErrorContains(t, err, "without gaps")
	_, err = s.Rollup(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestConcurrentGenesis(t *testing.T) {
	s := store.New(testdb.New(t).Pool)
	created := make(chan bool)
	for range 3 {
		go func() {
			c, err := s.InitGenesis(t.Context(), genesis())
			if err != nil {
				t.Error(err)
			}
			created <- c
		}()
	}
	count := 0
	for range 3 {
		if <-created {
			count++
		}
	}
	require.Equal(t, 1, count)
}

func TestMinFee(t *testing.T) {
	f := newFixture(t)
	most := settle.Amount{Hi: 1<<64 - 1, Lo: 1<<64 - 1}
	before, err := f.SetMinFee(t.Context(), 1, most)
	require.NoError(t, err)
	require.Equal(t, settle.NewAmount(2), before)
	fees, err := f.FeeAccounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, most, fees[0].MinFee)
	_, err = f.SetMinFee(t.Context(), 2, most)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// Of changes at once each replaces another one's: none is lost in what is returned.
func TestMinFeeAtOnce(t *testing.T) {
	f := newFixture(t)
	const writers = 8
	replaced, failed := make(chan settle.Amount, writers), make(chan error, writers)
	for i := range writers {
		go func() {
			before, err := f.SetMinFee(t.Context(), 1, settle.NewAmount(uint64(100+i)))
			replaced <- before
			failed <- err
		}()
	}
	seen := map[settle.Amount]bool{}
	for range writers {
		require.NoError(t, <-failed)
		seen[<-replaced] = true
	}
	fees, err := f.FeeAccounts(t.Context())
	require.NoError(t, err)
	seen[fees[0].MinFee] = true
	require.Len(t, seen, writers+1, "the first one, and each writer's")
}

func TestAccounts(t *testing.T) {
	f := newFixture(t)
	a, err := f.Account(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, f.accounts[1], a)
	_, err = f.Account(t.Context(), 99)
	require.ErrorIs(t, err, store.ErrNotFound)

	some, err := f.Accounts(t.Context(), []settle.AccountIndex{0, 2, 2, 99})
	require.NoError(t, err)
	require.Equal(t, map[settle.AccountIndex]store.Account{0: f.accounts[0], 2: f.accounts[2]}, some)

	var all []store.Account
	require.NoError(t, f.EachAccount(t.Context(), func(a store.Account) error { all = append(all, a); return nil }))
	require.Equal(t, f.accounts, all)
	require.ErrorIs(t, f.EachAccount(t.Context(), func(store.Account) error { return store.ErrCorrupt }), store.ErrCorrupt)

	history, err := f.AccountHistory(t.Context(), 1, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []store.AccountHistory{{Batch: 0, AccountChange: store.AccountChange{
		Before: store.Account{Index: 1}, After: f.accounts[1],
	}}}, history)
}

func TestAccountsByOwner(t *testing.T) {
	g := genesis()
	for i := range g.Accounts {
		if i != 2 {
			g.Accounts[i].Owner = digest("same")
		}
		if i != 3 {
			g.Accounts[i].L1 = address(5)
		}
	}
	s := store.New(testdb.New(t).Pool)
	_, err := s.InitGenesis(t.Context(), g)
	require.NoError(t, err)
	got, err := s.AccountsByOwner(t.Context(), digest("same"), address(5), -1, 10)
	require.NoError(t, err)
	require.Equal(t, g.Accounts[:2], got, "another l1 is another payment address")
	got, err = s.AccountsByOwner(t.Context(), digest("same"), address(5), 0, 10)
	require.NoError(t, err)
	require.Equal(t, g.Accounts[1:2], got)
	got, err = s.AccountsByOwner(t.Context(), digest("same"), address(5), -1, 1)
	require.NoError(t, err)
	require.Equal(t, g.Accounts[:1], got)
}
