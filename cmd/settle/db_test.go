package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func TestDBCheck(t *testing.T) {
	db := testdb.New(t)
	t.Setenv(envDatabase, db.URL)
	var out bytes.Buffer
	a := &app{ctx: t.Context(), log: slog.New(slog.DiscardHandler), stdout: &out, stderr: &out}
	require.ErrorIs(t, dbCheckCmd{}.Run(a), sequencer.ErrNoGenesis)

	h, domain := poseidon.New(), publicdata.Domain(1337, settle.Address{1})
	g := store.Genesis{Rollup: store.Rollup{Domain: domain.Bytes(), ChainID: 1337, Address: settle.Address{1}}}
	var accounts []state.Indexed
	for i := range settle.AccountIndex(3) {
		x := state.Indexed{Index: i, Account: state.Account{Balance: settle.NewAmount(7), L1: settle.Address{19: byte(i + 1)}}}
		x.Owner.SetUint64(uint64(i) + 1)
		leaf := x.Leaf(h)
		accounts = append(accounts, x)
		g.Accounts = append(g.Accounts, store.Account{Index: i, Owner: x.Owner.Bytes(), Balance: x.Balance, L1: x.L1, Leaf: leaf.Bytes()})
	}
	s, err := state.Load(h, domain, 0, accounts, nil)
	require.NoError(t, err)
	root := s.Root()
	g.Rollup.GenesisRoot = root.Bytes()
	_, err = store.New(db.Pool).InitGenesis(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, dbCheckCmd{}.Run(a))
	require.Contains(t, out.String(), "3 accounts are sound")
	require.Contains(t, out.String(), g.Rollup.GenesisRoot.String())

	_, err = db.Pool.Exec(t.Context(), "update accounts set balance = 8 where index = 1")
	require.NoError(t, err)
	err = dbCheckCmd{}.Run(a)
	require.ErrorIs(t, err, sequencer.ErrStateMismatch)
	require.ErrorContains(t, err, "account 1 does not hash to its stored digest")
}
