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
	"github.com/zksettle/settle/state"
)

func drawIndex(t *rapid.T, label string) settle.AccountIndex {
	return settle.AccountIndex(rapid.OneOf(rapid.Uint32Max(20), rapid.Just(uint32(math.MaxUint32)), rapid.Uint32()).Draw(t, label))
}

// Every account, and every empty slot, has a proof against the root that the
// naive tree gives, and no proof holds after any change of it.
func TestProofHoldsForWhatItSaysAndNothingElse(t *testing.T) {
	h := poseidon.New()
	rapid.Check(t, func(t *rapid.T) {
		s, w := drawWorld(t)
		root := s.Root()
		require.Equal(t, naive.Root(w.Accounts).String(), root.BigInt(new(big.Int)).String())
		index := drawIndex(t, "index")
		if rapid.Bool().Draw(t, "existing") {
			index = rapid.SampledFrom(slices.Sorted(maps.Keys(w.Accounts))).Draw(t, "account")
		}
		proof := s.Prove(index)
		require.NoError(t, proof.Verify(h, root))
		for word := range root {
			other := root
			other.Add(&other, new(fr.Element).SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(64*word))))
			require.ErrorIs(t, proof.Verify(h, other), state.ErrProof, "a root that differs in word %d", word)
		}

		spoilt := proof
		switch rapid.IntRange(0, 7).Draw(t, "spoil") {
		case 0:
			spoilt.Account.Balance.Lo ^= 1 << rapid.IntRange(0, 63).Draw(t, "bit")
		case 1:
			spoilt.Account.Nonce ^= 1
		case 2:
			spoilt.Account.Token ^= 1
		case 3:
			spoilt.Account.L1[rapid.IntRange(0, 19).Draw(t, "byte")] ^= 1
		case 4:
			one := fr.One()
			spoilt.Account.Owner.Add(&spoilt.Account.Owner, &one)
		case 5:
			one := fr.One()
			sibling := &spoilt.Siblings[rapid.IntRange(0, 15).Draw(t, "level")][rapid.IntRange(0, 2).Draw(t, "sibling")]
			sibling.Add(sibling, &one)
		case 6: // two levels change places
			a, b := rapid.IntRange(0, 15).Draw(t, "level"), rapid.IntRange(0, 15).Draw(t, "other level")
			spoilt.Siblings[a], spoilt.Siblings[b] = spoilt.Siblings[b], spoilt.Siblings[a]
			if spoilt == proof {
				return
			}
		case 7:
			spoilt.Index ^= 1 << rapid.IntRange(0, 31).Draw(t, "bit of the index")
			other := s.Prove(spoilt.Index)
			if other.Account == spoilt.Account && other.Siblings == spoilt.Siblings {
				return // one empty slot beside another: the same proof holds for both
			}
		}
		require.ErrorIs(t, spoilt.Verify(h, root), state.ErrProof)
	})
}

// A leaf is no node: an inner node's children are not taken for an account.
func TestProofTellsLeafFromNode(t *testing.T) {
	h := poseidon.New()
	a := state.Account{Owner: element(7), Token: 1, Nonce: 2, Balance: settle.NewAmount(3), L1: settle.Address{19: 4}}
	leaf, node := a.Leaf(h), h.Node(a.Elements())
	require.NotEqual(t, node, leaf)
}

// Forks do not see each other's writes, whoever writes first and however deep
// the line of forks is.
func TestForkedTreesAreIndependent(t *testing.T) {
	h := poseidon.New()
	type tree struct {
		tree   *state.Tree
		leaves map[settle.AccountIndex]fr.Element
	}
	fresh := func(leaves map[settle.AccountIndex]fr.Element) fr.Element {
		out := state.NewTree(h)
		write(out, leaves)
		return out.Root()
	}
	rapid.Check(t, func(t *rapid.T) {
		trees := []tree{{state.NewTree(h), map[settle.AccountIndex]fr.Element{}}}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			i := rapid.IntRange(0, len(trees)-1).Draw(t, "tree")
			if rapid.Bool().Draw(t, "fork") {
				trees = append(trees, tree{trees[i].tree.Fork(), maps.Clone(trees[i].leaves)})
				continue
			}
			changed := map[settle.AccountIndex]fr.Element{}
			for range rapid.IntRange(1, 4).Draw(t, "leaves") {
				changed[drawIndex(t, "index")] = element(rapid.Uint64().Draw(t, "leaf"))
			}
			maps.Copy(trees[i].leaves, changed)
			write(trees[i].tree, changed)
		}
		for _, x := range trees {
			require.Equal(t, fresh(x.leaves), x.tree.Root())
		}
	})
}

func write(t *state.Tree, leaves map[settle.AccountIndex]fr.Element) {
	indices := slices.Sorted(maps.Keys(leaves))
	digests := make([]fr.Element, len(indices))
	for i, index := range indices {
		digests[i] = leaves[index]
	}
	t.Update(indices, digests)
}
