package state_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/naive"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// drawGenesis funds a few accounts of tokens 0 and 1.
func drawGenesis(t *rapid.T) *state.Genesis {
	g := &state.Genesis{FeeAccounts: []state.GenesisFeeAccount{{Token: 0, Index: 0}, {Token: 1, Index: 1}}}
	for i := range rapid.IntRange(2, 8).Draw(t, "accounts") {
		key, err := schnorr.NewPrivateKey(append(make([]byte, 31), byte(i+1)))
		require.NoError(t, err)
		g.Accounts = append(g.Accounts, state.GenesisAccount{
			Owner: key.Public(), Token: settle.TokenID(i % 2), Balance: settle.NewAmount(rapid.Uint64Max(1000).Draw(t, "balance")), L1: settle.Address{19: byte(i + 1)},
		})
	}
	return g
}

// executed is what a sequencer that knows the genesis has, perhaps with other fee
// accounts than those of genesis.
func executed(t *rapid.T, h *poseidon.Hasher, g *state.Genesis, domain fr.Element) *state.State {
	var accounts []state.Indexed
	fees := map[settle.TokenID]settle.AccountIndex{}
	for i, a := range g.Accounts {
		index := settle.AccountIndex(i)
		accounts = append(accounts, state.Indexed{Index: index, Account: state.Account{Owner: a.Owner.X, Token: a.Token, Balance: a.Balance, L1: a.L1}})
		if _, ok := fees[a.Token]; !ok || rapid.Bool().Draw(t, "another fee account") {
			fees[a.Token] = index
		}
	}
	s, err := state.Load(h, domain, 0, accounts, fees)
	require.NoError(t, err)
	return s
}

// drawHistory executes random batches of all kinds and returns D of each, through
// the words that L1 sees, with the state after each.
func drawHistory(t *rapid.T, s *state.State) (data []*publicdata.Data, after [][]state.Indexed) {
	live := settle.AccountIndex(0)
	for !s.Account(live).IsEmpty() {
		live++
	}
	for range rapid.IntRange(0, 5).Draw(t, "batches") {
		b := s.Begin()
		for range rapid.IntRange(0, 8).Draw(t, "transactions") {
			w := naive.World{Accounts: map[settle.AccountIndex]naive.Account{}}
			for i := range live {
				w.Accounts[i] = naive.Account{}
			}
			tx := drawTransaction(t, b, w)
			tx.Amount &= 1<<settle.AmountBits - 1
			if b.Step(tx) == nil && tx.Kind == settle.KindOpen {
				live = max(live, tx.Assigned+1)
			}
		}
		trace, err := b.Seal()
		require.NoError(t, err)
		d, err := publicdata.Parse(trace.Data().Words())
		require.NoError(t, err)
		var accounts []state.Indexed
		for i := range live {
			accounts = append(accounts, state.Indexed{Index: i, Account: s.Account(i)})
		}
		data, after = append(data, d), append(after, accounts)
	}
	return data, after
}

func TestRebuildOfRandomHistories(t *testing.T) {
	h, domain := poseidon.New(), element(42)
	kinds := map[settle.Kind]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := drawGenesis(t)
		s := executed(t, h, g, domain)
		r, err := state.NewRebuilder(h, g, domain)
		require.NoError(t, err)
		require.Equal(t, s.Root(), r.Root())
		data, after := drawHistory(t, s)
		for i, d := range data {
			require.NoError(t, r.Apply(d))
			require.Equal(t, d.Header.Number, r.Number())
			require.Equal(t, d.Header.NewRoot, r.Root())
			require.Equal(t, after[i], r.Accounts())
			for _, x := range d.Transfers {
				kinds[x.Kind]++
			}
		}
		require.Equal(t, s.Root(), r.Root())
	})
	for kind := settle.KindTransfer; kind <= settle.KindExitAll; kind++ {
		require.NotZero(t, kinds[kind], "no %s was rebuilt", kind)
	}
}

// Whatever is changed in D is noticed and leaves the state as it was.
func TestRebuildRefusesChangedData(t *testing.T) {
	h, domain := poseidon.New(), element(42)
	changes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := drawGenesis(t)
		data, _ := drawHistory(t, executed(t, h, g, domain))
		if len(data) == 0 {
			return
		}
		r, err := state.NewRebuilder(h, g, domain)
		require.NoError(t, err)
		last := rapid.IntRange(0, len(data)-1).Draw(t, "batch")
		for _, d := range data[:last] {
			require.NoError(t, r.Apply(d))
		}
		for name, spoil := range map[string]func(*publicdata.Data){
			"no open":         func(d *publicdata.Data) { d.Opens = nil },
			"no exit":         func(d *publicdata.Data) { d.Exits = nil },
			"exit to another": func(d *publicdata.Data) { d.Exits[0].L1[0] ^= 1 },
			"exit of another": func(d *publicdata.Data) { d.Exits[0].Amount.Lo ^= 1 },
		} {
			d := *data[last]
			if d.Exits = slices.Clone(d.Exits); len(d.Opens) > 0 && name == "no open" || len(d.Exits) > 0 && name != "no open" {
				spoil(&d)
				require.ErrorIs(t, r.Apply(&d), state.ErrRebuild, name)
			}
		}
		d := *data[last]
		change := spoilData(t, &d)
		if change == "" {
			return
		}
		changes[change]++
		root, accounts := r.Root(), r.Accounts()
		require.ErrorIs(t, r.Apply(&d), state.ErrRebuild, change)
		require.Equal(t, root, r.Root())
		require.Equal(t, accounts, r.Accounts())
		require.NoError(t, r.Apply(data[last]))
	})
	require.Greater(t, len(changes), 8, "%v", changes)
}

// spoilData changes D, whose lists are shared, in one place and says where; ""
// when D has no such place.
func spoilData(t *rapid.T, d *publicdata.Data) string {
	one := fr.One()
	change := rapid.SampledFrom([]string{
		"number", "old root", "new root", "domain", "L1 operation", "no fee accounts", "fee account", "two fee accounts",
		"from", "to", "amount", "fee", "kind", "missing record", "missing open", "open", "missing exit", "exit", "further open", "further exit",
	}).Draw(t, "change")
	d.FeeAccounts, d.Transfers = slices.Clone(d.FeeAccounts), slices.Clone(d.Transfers)
	d.Opens, d.Exits = slices.Clone(d.Opens), slices.Clone(d.Exits)
	// A change in one word: a comparison of fewer words must not pass for a whole one.
	step := new(fr.Element).SetBigInt(new(big.Int).Lsh(big.NewInt(1), 64*rapid.UintRange(0, 3).Draw(t, "word")))
	switch change {
	case "number":
		d.Header.Number += settle.BatchNumber(rapid.SampledFrom([]int{1, -1}).Draw(t, "off by"))
	case "old root":
		d.Header.OldRoot.Add(&d.Header.OldRoot, step)
	case "new root":
		d.Header.NewRoot.Add(&d.Header.NewRoot, step)
	case "domain":
		d.Header.Domain.Add(&d.Header.Domain, step)
	case "L1 operation":
		d.L1Ops = []publicdata.L1Op{{Kind: settle.L1Deposit}}
	case "further open":
		d.Opens = append(d.Opens, publicdata.Open{Owner: one})
	case "further exit":
		d.Exits = append(d.Exits, publicdata.Exit{})
	default:
		return spoilRecord(t, d, change)
	}
	return change
}

func spoilRecord(t *rapid.T, d *publicdata.Data, change string) string {
	if len(d.Transfers) == 0 {
		return ""
	}
	x := &d.Transfers[rapid.IntRange(0, len(d.Transfers)-1).Draw(t, "record")]
	switch change {
	case "no fee accounts":
		d.FeeAccounts = nil
	case "fee account":
		d.FeeAccounts[0].Index += 1000
	case "two fee accounts":
		d.FeeAccounts = append(d.FeeAccounts, d.FeeAccounts[0])
	case "from":
		x.From += 1000
	case "to":
		if x.Kind > settle.KindOpen {
			return ""
		}
		x.To += 1000
	case "amount":
		if x.Kind == settle.KindExitAll || x.Kind == settle.KindTransfer && x.From == x.To {
			return "" // there it has no effect
		}
		x.Amount++
	case "fee":
		for _, f := range d.FeeAccounts {
			if f.Index == x.From {
				return "" // pays it to itself
			}
		}
		x.Fee++
	case "kind":
		x.Kind = 9
	case "missing record":
		d.Transfers = d.Transfers[:len(d.Transfers)-1]
	case "missing open", "open":
		if len(d.Opens) == 0 {
			return ""
		}
		d.Opens[0].L1[0] ^= 1
		if change == "missing open" {
			d.Opens = d.Opens[1:]
		}
	case "missing exit", "exit":
		if len(d.Exits) == 0 {
			return ""
		}
		d.Exits[0].Amount, _ = d.Exits[0].Amount.Add(settle.NewAmount(1))
		if change == "missing exit" {
			d.Exits = d.Exits[1:]
		}
	}
	return change
}
