package state_test

import (
	"maps"
	"math"
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
	"github.com/zksettle/settle/state"
)

func element(v uint64) (e fr.Element) {
	e.SetUint64(v)
	return e
}

// drawWorld returns a state of a few accounts, near and far, of tokens 0 and 1
// and 2; token 2 has no fee account. Owners are small numbers: Apply does not
// ask whether they are on the curve.
func drawWorld(t *rapid.T) (*state.State, naive.World) {
	indices := rapid.SliceOfNDistinct(rapid.OneOf(
		rapid.Uint32Max(20), rapid.Just(uint32(math.MaxUint32)), rapid.Uint32()), 3, 10, rapid.ID).Draw(t, "indices")
	slices.Sort(indices)
	number := settle.BatchNumber(rapid.Uint32Max(1000).Draw(t, "number"))
	w := naive.World{
		Number: uint64(number) + 1, Accounts: map[settle.AccountIndex]naive.Account{}, Fees: map[settle.TokenID]settle.AccountIndex{},
	}
	var accounts []state.Indexed
	for i, index := range indices {
		token := settle.TokenID(rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "token"))
		if i < 2 {
			token = settle.TokenID(i)
			w.Fees[token] = settle.AccountIndex(index)
		}
		a := state.Account{
			Owner: element(uint64(rapid.IntRange(1, 4).Draw(t, "owner"))), Token: token,
			Nonce: settle.Nonce(rapid.SampledFrom([]uint64{0, 0, 7, uint64(settle.MaxNonce) - 1, uint64(settle.MaxNonce)}).Draw(t, "nonce")),
			L1:    settle.Address{19: byte(rapid.IntRange(1, 2).Draw(t, "l1"))},
			Balance: rapid.SampledFrom([]settle.Amount{
				{}, settle.NewAmount(1000), settle.NewAmount(1 << 60), {Hi: math.MaxUint64, Lo: math.MaxUint64 - 50},
			}).Draw(t, "balance"),
		}
		accounts = append(accounts, state.Indexed{Index: settle.AccountIndex(index), Account: a})
		w.Accounts[settle.AccountIndex(index)] = naive.Of(a)
	}
	s, err := state.Load(poseidon.New(), element(42), number, accounts, w.Fees)
	require.NoError(t, err)
	return s, w
}

// drawTransaction returns a transaction that fits the world, spoilt in one
// field now and then.
func drawTransaction(t *rapid.T, b *state.Batch, w naive.World) state.Transaction {
	var indices []settle.AccountIndex
	for i := range w.Accounts {
		indices = append(indices, i)
	}
	slices.Sort(indices)
	from := rapid.SampledFrom(indices).Draw(t, "from")
	alike := slices.DeleteFunc(slices.Clone(indices), func(i settle.AccountIndex) bool { return b.Account(i).Token != b.Account(from).Token })
	to := rapid.SampledFrom(alike).Draw(t, "to")
	sender, receiver := b.Account(from), b.Account(to)
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: from, To: to, Token: sender.Token, Nonce: sender.Nonce,
		Amount: state.Float40(rapid.IntRange(0, 100).Draw(t, "amount")), Fee: state.Float16(rapid.IntRange(0, 9).Draw(t, "fee")),
		ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
	}
	switch tx.Kind = rapid.SampledFrom([]settle.Kind{1, 1, 1, 2, 2, 3, 4}).Draw(t, "kind"); tx.Kind {
	case settle.KindOpen:
		next, err := b.NextIndex()
		if err != nil {
			require.ErrorIs(t, err, state.ErrExhausted) // the last index is taken
		}
		tx.To, tx.ToOwner, tx.Assigned = 0, element(uint64(rapid.IntRange(1, 4).Draw(t, "new owner"))), next
	case settle.KindExit, settle.KindExitAll:
		tx.To, tx.ToOwner, tx.ToL1 = 0, fr.Element{}, sender.L1
		if tx.Kind == settle.KindExitAll {
			tx.Amount = 0
		}
	}
	switch rapid.IntRange(0, 30).Draw(t, "spoil") {
	case 0:
		tx.Kind = settle.Kind(rapid.SampledFrom([]int{0, 2, 3, 4, 15}).Draw(t, "spoilt kind"))
	case 1:
		tx.From = settle.AccountIndex(rapid.Uint32().Draw(t, "other from"))
	case 2:
		tx.To = settle.AccountIndex(rapid.Uint32().Draw(t, "other to"))
	case 3:
		tx.Token = settle.TokenID(rapid.IntRange(0, 3).Draw(t, "other token"))
	case 4:
		tx.Nonce += settle.Nonce(rapid.SampledFrom([]uint64{1, math.MaxUint64}).Draw(t, "nonce off by"))
	case 5:
		tx.ValidUntil = b.Number() + settle.BatchNumber(rapid.IntRange(0, 2).Draw(t, "valid")) - 1
	case 6:
		tx.ToOwner = element(uint64(rapid.IntRange(0, 4).Draw(t, "other owner")))
	case 7:
		tx.ToL1 = settle.Address{0: 1}
	case 8:
		tx.PublicKey = element(uint64(rapid.IntRange(0, 4).Draw(t, "other key")))
	case 9:
		tx.Amount = state.Float40(rapid.OneOf(rapid.Uint64Max(1<<40-1), rapid.Just[uint64](1<<40), rapid.Uint64()).Draw(t, "any amount"))
	case 10:
		tx.Fee = state.Float16(rapid.Uint16().Draw(t, "any fee"))
	case 11:
		tx.Amount = 31<<35 | 1<<34 // above 2^128
	case 12:
		tx.To = rapid.SampledFrom(indices).Draw(t, "to any") // perhaps another token
		tx.ToOwner, tx.ToL1 = b.Account(tx.To).Owner, b.Account(tx.To).L1
	}
	if tx.Kind == settle.KindOpen { // any empty slot will do
		for !b.Account(tx.Assigned).IsEmpty() {
			tx.Assigned++
		}
	}
	return tx
}

func snapshot(b *state.Batch, w naive.World, more ...settle.AccountIndex) map[settle.AccountIndex]naive.Account {
	accounts := map[settle.AccountIndex]naive.Account{}
	for _, i := range slices.AppendSeq(more, maps.Keys(w.Accounts)) {
		if a := b.Account(i); !a.IsEmpty() {
			accounts[i] = naive.Of(a)
		}
	}
	return accounts
}

func requireSameAccounts(t require.TestingT, want, got map[settle.AccountIndex]naive.Account) {
	require.Len(t, got, len(want))
	for i, a := range want {
		require.Equal(t, a.Owner.String(), got[i].Owner.String(), "owner of %d", i)
		require.Equal(t, a.Balance.String(), got[i].Balance.String(), "balance of %d", i)
		require.Equal(t, a.L1.String(), got[i].L1.String(), "l1 of %d", i)
		require.Equal(t, [2]uint64{a.Token, a.Nonce}, [2]uint64{got[i].Token, got[i].Nonce}, "token and nonce of %d", i)
	}
}

func TestApplyAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := drawWorld(t)
		for range rapid.IntRange(1, 2).Draw(t, "batches") {
			before, old := maps.Clone(w.Accounts), s.Root()
			require.Equal(t, naive.Root(before), old.BigInt(new(big.Int)))
			b := s.Begin()
			var executed []state.Transaction
			for range rapid.IntRange(0, 12).Draw(t, "transactions") {
				tx := drawTransaction(t, b, w)
				usage, accounts := b.Usage(), snapshot(b, w, tx.From, tx.To)
				next, code := w.Apply(tx)
				foreseen := b.UsageWith(tx)
				require.Equal(t, usage, b.Usage(), "UsageWith changes nothing")
				err := b.Step(tx)
				if code != "" {
					refusal, ok := settle.AsRefusal(err)
					require.True(t, ok, "%v is not a refusal", err)
					require.Equal(t, code, refusal.Code, refusal.Detail)
					require.NotEmpty(t, refusal.Detail)
					require.Equal(t, usage, b.Usage(), "a refused step changes nothing")
					requireSameAccounts(t, accounts, snapshot(b, w, tx.From, tx.To))
					require.Equal(t, len(executed), b.Len())
					continue
				}
				require.NoError(t, err)
				require.Equal(t, foreseen, b.Usage(), "UsageWith foresees Usage")
				w, executed = next, append(executed, tx)
				requireSameAccounts(t, w.Accounts, snapshot(b, w))
			}
			require.Equal(t, old, s.Root(), "the state changes only when the batch is sealed")
			foreseen := b.Usage()
			trace, err := b.Seal()
			require.NoError(t, err)
			_, err = b.Seal()
			require.ErrorIs(t, err, state.ErrStale)

			require.Equal(t, foreseen, trace.Usage())
			require.Equal(t, uint64(s.Number()), w.Number)
			root := s.Root()
			require.Equal(t, naive.Root(w.Accounts), root.BigInt(new(big.Int)))
			requireTrace(t, trace, old, root, before, w, executed)
			w.Number++
		}
	})
}

// requireTrace checks every promise of Trace against the reference.
func requireTrace(t require.TestingT, trace *state.Trace, old, root fr.Element, before map[settle.AccountIndex]naive.Account, after naive.World, executed []state.Transaction) {
	require.Equal(t, publicdata.Header{
		Number: settle.BatchNumber(after.Number), OldRoot: old, NewRoot: root, Domain: element(42),
	}, trace.Header)
	requireTimeChain(t, trace, before, after, executed)
	requireMultiproof(t, trace)
	requireRebuilds(t, trace, before, after)
	blob, err := state.EncodeTrace(trace)
	require.NoError(t, err)
	decoded, err := state.DecodeTrace(blob)
	require.NoError(t, err)
	require.Equal(t, trace, decoded)
}

// orEmpty gives the fields of an account that does not exist their zeros.
func orEmpty(a naive.Account) naive.Account {
	if !a.Exists() {
		return naive.Of(state.Account{})
	}
	return a
}

// requireTimeChain replays the accesses: each reads the last write before it.
func requireTimeChain(t require.TestingT, trace *state.Trace, before map[settle.AccountIndex]naive.Account, after naive.World, executed []state.Transaction) {
	w := naive.World{Number: after.Number, Accounts: maps.Clone(before), Fees: after.Fees}
	last := map[settle.AccountIndex]uint32{}
	uses := map[settle.TokenID]uint32{}
	require.Len(t, trace.Transactions, len(executed))
	for n, x := range trace.Transactions {
		require.Equal(t, executed[n], x.Transaction)
		feeIndex := w.Fees[x.Transaction.Token]
		uses[x.Transaction.Token]++
		// The reference gives the end of the transaction; the reads between follow by hand.
		amount, fee := naive.Float(uint64(x.Transaction.Amount), 35), naive.Float(uint64(x.Transaction.Fee), 11)
		tx := x.Transaction
		if tx.Kind >= settle.KindExit {
			require.Zero(t, x.Receiver, "an exit credits nobody")
			amount = x.Paid.Big()
		} else {
			require.Zero(t, x.Paid)
		}
		for k, access := range []state.Access{x.Sender, x.Receiver, x.Fee} {
			if k == 1 && tx.Kind >= settle.KindExit {
				continue
			}
			receiver := tx.To
			if tx.Kind == settle.KindOpen {
				receiver = tx.Assigned
			}
			require.Equal(t, []settle.AccountIndex{tx.From, receiver, feeIndex}[k], access.Index)
			require.Equal(t, last[access.Index], access.PreviousTime)
			a := orEmpty(w.Accounts[access.Index])
			requireSameAccounts(t, map[settle.AccountIndex]naive.Account{0: a}, map[settle.AccountIndex]naive.Account{0: naive.Of(access.Before)})
			time := uint32(1<<16 + 3*n + k + 1)
			require.Greater(t, time, access.PreviousTime)
			last[access.Index] = time
			switch a.Balance = new(big.Int).Set(a.Balance); k {
			case 0:
				a.Balance.Sub(a.Balance, amount).Sub(a.Balance, fee)
				a.Nonce++
			case 1:
				a.Balance.Add(a.Balance, amount)
				if tx.Kind == settle.KindOpen {
					a = naive.Account{
						Owner: tx.ToOwner.BigInt(new(big.Int)), Balance: amount, L1: new(big.Int).SetBytes(tx.ToL1[:]), Token: uint64(tx.Token),
					}
				}
			case 2:
				a.Balance.Add(a.Balance, fee)
			}
			w.Accounts[access.Index] = a
		}
	}
	requireSameAccounts(t, after.Accounts, w.Accounts)

	require.Len(t, trace.Accounts, len(last))
	for i, a := range trace.Accounts {
		if i > 0 {
			require.Greater(t, a.Index, trace.Accounts[i-1].Index, "strictly increasing")
		}
		require.Equal(t, last[a.Index], a.LastTime)
		requireSameAccounts(t,
			map[settle.AccountIndex]naive.Account{0: orEmpty(before[a.Index]), 1: after.Accounts[a.Index]},
			map[settle.AccountIndex]naive.Account{0: naive.Of(a.Old), 1: naive.Of(a.New)})
	}
	require.Len(t, trace.FeeAccounts, len(uses))
	for i, f := range trace.FeeAccounts {
		if i > 0 {
			require.Greater(t, f.Token, trace.FeeAccounts[i-1].Token, "strictly increasing")
		}
		require.Equal(t, after.Fees[f.Token], f.Index)
		require.Equal(t, uses[f.Token], f.Uses)
	}
}

// requireMultiproof recomputes both roots from the accounts and the nodes, and
// checks that the nodes are those above the accounts, each once.
func requireMultiproof(t require.TestingT, trace *state.Trace) {
	type place struct {
		level    int
		position uint64
	}
	h := poseidon.New()
	type digests struct{ old, new fr.Element }
	below := map[place]digests{}
	want := map[place]bool{{16, 0}: true}
	for _, a := range trace.Accounts {
		below[place{0, uint64(a.Index)}] = digests{naive.Of(a.Old).Leaf(h), naive.Of(a.New).Leaf(h)}
		for level, position := 1, uint64(a.Index)/4; level <= 16; level, position = level+1, position/4 {
			want[place{level, position}] = true
		}
	}
	require.Len(t, trace.Nodes, len(want), "each node above an account once")
	for i, n := range trace.Nodes {
		here := place{n.Level, uint64(n.Position)}
		require.True(t, want[here], "node %v is not above any account", here)
		delete(want, here)
		if i > 0 {
			p := trace.Nodes[i-1]
			require.True(t, p.Level < n.Level || p.Level == n.Level && p.Position < n.Position, "ordered by level and position")
		}
		for child := range 4 {
			d, touched := below[place{n.Level - 1, 4*uint64(n.Position) + uint64(child)}]
			require.Equal(t, touched, n.Touched[child])
			if touched {
				require.Equal(t, d, digests{n.Old[child], n.New[child]})
			} else {
				require.Equal(t, n.Old[child], n.New[child], "an untouched child keeps its digest")
			}
		}
		below[here] = digests{h.Node(n.Old), h.Node(n.New)}
	}
	require.Equal(t, digests{trace.Header.OldRoot, trace.Header.NewRoot}, below[place{16, 0}])
}

// requireRebuilds replays D alone on the accounts before the batch.
func requireRebuilds(t require.TestingT, trace *state.Trace, before map[settle.AccountIndex]naive.Account, after naive.World) {
	d, err := publicdata.Parse(trace.Data().Words())
	require.NoError(t, err)
	require.Equal(t, trace.Header, d.Header)
	fees := map[uint64]settle.AccountIndex{}
	for _, f := range d.FeeAccounts {
		fees[uint64(f.Token)] = f.Index
	}
	accounts := maps.Clone(before)
	add := func(i settle.AccountIndex, sum *big.Int) {
		a := accounts[i]
		a.Balance = new(big.Int).Add(a.Balance, sum)
		accounts[i] = a
	}
	opens, exits := d.Opens, d.Exits
	for _, r := range d.Transfers {
		amount, fee := naive.Float(r.Amount, 35), naive.Float(uint64(r.Fee), 11)
		if r.Kind >= settle.KindExit {
			require.Zero(t, r.To)
			require.Equal(t, accounts[r.From].Token, uint64(exits[0].Token))
			require.Equal(t, accounts[r.From].L1.String(), new(big.Int).SetBytes(exits[0].L1[:]).String())
			amount, exits = exits[0].Amount.Big(), exits[1:]
		}
		add(r.From, new(big.Int).Neg(amount))
		add(r.From, new(big.Int).Neg(fee))
		sender := accounts[r.From]
		switch r.Kind {
		case settle.KindTransfer:
			add(r.To, amount)
		case settle.KindOpen:
			accounts[r.To] = naive.Account{
				Owner: opens[0].Owner.BigInt(new(big.Int)), L1: new(big.Int).SetBytes(opens[0].L1[:]), Token: sender.Token, Balance: amount,
			}
			opens = opens[1:]
		}
		add(fees[sender.Token], fee)
		sender = accounts[r.From]
		sender.Nonce++
		accounts[r.From] = sender
	}
	require.Empty(t, opens)
	require.Empty(t, exits)
	requireSameAccounts(t, after.Accounts, accounts)
}
