package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func TestDBCheck(t *testing.T) {
	db := testdb.New(t)
	t.Setenv(node.EnvDatabase, db.URL)
	var out bytes.Buffer
	a := &app{&command.App{Ctx: t.Context(), Log: slog.New(slog.DiscardHandler), Stdout: &out, Stderr: &out}}
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

// TestNobodyMigratesUnasked: a role, and a command that only looks, refuses a schema that is older, names what is
// missing and the remedy, and changes nothing. A role that is told migrates.
func TestNobodyMigratesUnasked(t *testing.T) {
	t.Parallel()
	db := testdb.Empty(t)
	chain, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, chain.Close()) })
	env := testcmd.Environment(t, map[string]string{node.EnvDatabase: db.URL, node.EnvL1: chain.URL(), node.EnvL1Key: operatorKey(t)})
	tables := func() (n int) {
		require.NoError(t, db.Pool.QueryRow(t.Context(), "select count(*) from pg_tables where schemaname = current_schema()").Scan(&n))
		return n
	}
	for _, role := range [][]string{{"api"}, {"sequencer"}, {"submitter"}, {"worker"}, {"aggregator"}, {"up"}, {"deploy"}} {
		said := testcmd.Refuse(t, env, role...)
		for _, want := range []string{migrations.ErrOutdated.Error(), "001_schema.sql", "005_refused_proofs.sql", "settle db migrate", "--migrate"} {
			require.Contains(t, said, want, role)
		}
		require.Zero(t, tables(), role)
	}
	for _, command := range [][]string{{"fees", "list"}, {"fees", "set", "--token", "0", "--min-fee", "1"}, {"jobs", "list"}, {"jobs", "refused"}, {"jobs", "retry", "--dead"}, {"db", "check"}, {"replay", "1"}, {"verifier", "list"}} {
		said := testcmd.Refuse(t, env, command...)
		require.Contains(t, said, "settle db migrate", command)
		require.NotContains(t, said, "--migrate", command)
		require.Zero(t, tables(), command)
	}
	require.Contains(t, testcmd.Refuse(t, env, "sequencer", "--migrate"), "the database has no rollup")
	require.NotZero(t, tables())
	require.Contains(t, testcmd.Refuse(t, env, "worker"), "the database has no rollup")
}
