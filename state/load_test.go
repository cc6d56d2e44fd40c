package state_test

import (
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
	"github.com/zksettle/settle/state"
)

// reload takes a state through a Loader, spoiling what the caller wants to.
func reload(t require.TestingT, s *state.State, indices []settle.AccountIndex, fees map[settle.TokenID]settle.AccountIndex, spoil func(*state.Indexed, *fr.Element)) *state.State {
	h := poseidon.New()
	l := state.NewLoader(h, s.Domain(), s.Number())
	for _, index := range indices {
		a := state.Indexed{Index: index, Account: s.Account(index)}
		leaf := a.Leaf(h)
		spoil(&a, &leaf)
		require.NoError(t, l.Add(a.Index, a.Account, leaf))
	}
	loaded, err := l.State(fees)
	require.NoError(t, err)
	return loaded
}

func asStored(*state.Indexed, *fr.Element) {}

func sortedIndices(w naive.World) (indices []settle.AccountIndex) {
	for index := range w.Accounts {
		indices = append(indices, index)
	}
	slices.Sort(indices)
	return indices
}

// A state from digests is the state from accounts: same root, same batches.
func TestLoaderAgreesWithLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := drawWorld(t)
		loaded := reload(t, s, sortedIndices(w), w.Fees, asStored)
		require.Equal(t, s.Root(), loaded.Root())
		if rapid.Bool().Draw(t, "verify all") {
			require.Empty(t, loaded.Damaged())
		}
		var transactions []state.Transaction
		b := s.Begin()
		for range rapid.IntRange(0, 8).Draw(t, "transactions") {
			if tx := drawTransaction(t, b, w); b.Step(tx) == nil {
				transactions = append(transactions, tx)
			}
		}
		want, err := b.Seal()
		require.NoError(t, err)
		next := loaded.Begin()
		for _, tx := range transactions {
			require.NoError(t, next.Step(tx))
		}
		wantNext, wantErr := s.Begin().NextIndex()
		got, err := next.Seal()
		require.NoError(t, err)
		require.Equal(t, want, got)
		gotNext, gotErr := loaded.Begin().NextIndex()
		require.Equal(t, wantNext, gotNext)
		require.Equal(t, wantErr == nil, gotErr == nil)
	})
}

// A digest that is not the account's shows in the root.
func TestLoaderShowsAWrongDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := drawWorld(t)
		wrong := rapid.SampledFrom(sortedIndices(w)).Draw(t, "wrong")
		word := rapid.IntRange(0, 3).Draw(t, "word")
		loaded := reload(t, s, sortedIndices(w), w.Fees, func(a *state.Indexed, leaf *fr.Element) {
			if a.Index == wrong {
				leaf.Add(leaf, new(fr.Element).SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(64*word))))
			}
		})
		require.NotEqual(t, s.Root(), loaded.Root())
		require.ErrorIs(t, loaded.Verify(wrong), state.ErrDamaged)
	})
}

// An account whose fields are not those of its digest has no part in any batch,
// whoever names it and whatever the transaction would say about the fields.
func TestDamagedAccountIsNotUsed(t *testing.T) {
	const alice, bob, carol, collector settle.AccountIndex = 0, 1, 700, 701
	accounts := []settle.AccountIndex{alice, bob, carol, collector}
	w := naive.World{Fees: map[settle.TokenID]settle.AccountIndex{0: collector}}
	var rows []state.Indexed
	for _, index := range accounts {
		rows = append(rows, state.Indexed{Index: index, Account: state.Account{
			Owner: element(uint64(index) + 1), Balance: settle.NewAmount(100), L1: settle.Address{19: byte(index)},
		}})
	}
	sound, err := state.Load(poseidon.New(), element(42), 7, rows, w.Fees)
	require.NoError(t, err)
	pay := func(s *state.State, from, to settle.AccountIndex) state.Transaction {
		return state.Transaction{
			Kind: settle.KindTransfer, From: from, To: to, Amount: 5, Fee: 1, Nonce: s.Account(from).Nonce,
			ToOwner: s.Account(to).Owner, ToL1: s.Account(to).L1, PublicKey: s.Account(from).Owner,
		}
	}
	for name, damage := range map[string]func(*state.Account){
		"balance": func(a *state.Account) { a.Balance = settle.NewAmount(1_000_000) },
		"less":    func(a *state.Account) { a.Balance = settle.Amount{} },
		"nonce":   func(a *state.Account) { a.Nonce = 9 },
		"owner":   func(a *state.Account) { a.Owner = element(77) },
		"l1":      func(a *state.Account) { a.L1 = settle.Address{1} },
	} {
		for _, damaged := range accounts {
			s := reload(t, sound, accounts, w.Fees, func(a *state.Indexed, _ *fr.Element) {
				if a.Index == damaged {
					damage(&a.Account)
				}
			})
			require.Equal(t, sound.Root(), s.Root(), "the root is that of the digests")
			b := s.Begin()
			require.ErrorIs(t, b.Step(pay(s, damaged, alice)), state.ErrDamaged, "%s of the sender", name)
			require.ErrorIs(t, b.Step(pay(sound, damaged, alice)), state.ErrDamaged, "%s of the sender", name)
			exit := state.Transaction{Kind: settle.KindExitAll, From: damaged, PublicKey: s.Account(damaged).Owner, ToL1: s.Account(damaged).L1}
			require.ErrorIs(t, b.Step(exit), state.ErrDamaged, "%s of who leaves", name)
			switch damaged {
			case alice:
				require.NoError(t, b.Step(pay(s, bob, carol)), "the others go on")
			case collector:
				require.ErrorIs(t, b.Step(pay(s, bob, alice)), state.ErrDamaged, "%s of the fee account", name)
			default:
				require.ErrorIs(t, b.Step(pay(s, alice, damaged)), state.ErrDamaged, "%s of the receiver", name)
				require.NoError(t, b.Step(pay(s, alice, alice)), "the others go on")
			}
			require.ErrorIs(t, s.Verify(damaged), state.ErrDamaged)
			require.Equal(t, []settle.AccountIndex{damaged}, s.Damaged())
			for _, index := range accounts {
				if index != damaged {
					require.NoError(t, s.Verify(index))
				}
			}
		}
	}
}

func TestLoaderRefusesDisorder(t *testing.T) {
	l := state.NewLoader(poseidon.New(), element(42), 0)
	require.ErrorContains(t, l.Add(0, state.Account{}, element(1)), "account 0 is empty")
	require.NoError(t, l.Add(5, state.Account{Owner: element(1)}, element(1)))
	require.ErrorContains(t, l.Add(5, state.Account{Owner: element(1)}, element(1)), "5 after 5")
	require.ErrorContains(t, l.Add(4, state.Account{Owner: element(1)}, element(1)), "4 after 5")
	_, err := l.State(map[settle.TokenID]settle.AccountIndex{0: 6})
	require.ErrorContains(t, err, "fee account 6 of token 0")
}

// The tree that is hashed at once is the one that Update makes, and goes on as it.
func TestBuildTreeAgreesWithUpdate(t *testing.T) {
	h := poseidon.New()
	rapid.Check(t, func(t *rapid.T) {
		indices := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) settle.AccountIndex {
			return settle.AccountIndex(rapid.OneOf(rapid.Uint32Max(2000), rapid.Just(uint32(math.MaxUint32)), rapid.Uint32()).Draw(t, "index"))
		}), 0, 60, rapid.ID).Draw(t, "indices")
		slices.Sort(indices)
		leaves := make([]fr.Element, len(indices))
		for i := range leaves {
			leaves[i] = element(rapid.Uint64().Draw(t, "leaf"))
		}
		want := state.NewTree(h)
		want.Update(indices, leaves)
		got := state.BuildTree(h, indices, leaves)
		require.Equal(t, want.Root(), got.Root())
		for _, index := range append(indices, settle.AccountIndex(rapid.Uint32().Draw(t, "any"))) {
			require.Equal(t, want.Siblings(index), got.Siblings(index))
		}
		more := []settle.AccountIndex{settle.AccountIndex(rapid.Uint32().Draw(t, "more"))}
		fork := got.Fork()
		one := []fr.Element{element(7)}
		require.Equal(t, want.Update(more, one), fork.Update(more, one))
	})
}
