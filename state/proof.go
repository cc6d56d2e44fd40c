package state

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// ErrProof reports a Merkle proof that does not lead to the expected root.
var ErrProof = errors.New("the Merkle proof does not lead to the root")

// Siblings are the nodes beside a leaf's path to the root: 16 levels from the
// leaf upwards, and at each the three other children of the parent in order of
// their position.
type Siblings [levels][arity - 1]fr.Element

// Proof shows that an account stands at an index of the tree with some root. An
// empty account at the index proves that nobody holds it.
type Proof struct {
	Index    settle.AccountIndex
	Account  Account
	Siblings Siblings
}

// Siblings returns the nodes beside the path of the leaf at index.
func (t *Tree) Siblings(index settle.AccountIndex) Siblings {
	var s Siblings
	position := uint32(index)
	for level := range s {
		children := t.children(level+1, position/arity)
		next := 0
		for slot, digest := range children {
			if uint32(slot) != position%arity {
				s[level][next] = digest
				next++
			}
		}
		position /= arity
	}
	return s
}

// Prove returns the proof of the account at index against Root. Of an account that
// Verify reports it is no proof.
func (s *State) Prove(index settle.AccountIndex) Proof {
	return Proof{Index: index, Account: s.Account(index), Siblings: s.tree.Siblings(index)}
}

// Root returns the root that the proof leads to: one leaf and 16 node hashes.
func (p *Proof) Root(h *poseidon.Hasher) fr.Element {
	digest, position := p.Account.Leaf(h), uint32(p.Index)
	for level := range p.Siblings {
		var children [arity]fr.Element
		next := 0
		for slot := range children {
			if uint32(slot) == position%arity {
				children[slot] = digest
				continue
			}
			children[slot] = p.Siblings[level][next]
			next++
		}
		digest = h.Node(children)
		position /= arity
	}
	return digest
}

// Verify returns ErrProof unless the account stands at the index of the tree
// with this root.
func (p *Proof) Verify(h *poseidon.Hasher, root fr.Element) error {
	if got := p.Root(h); !got.Equal(&root) {
		return fmt.Errorf("%w: account %d leads to %s, expected %s", ErrProof, p.Index, settle.Element(got.Bytes()), settle.Element(root.Bytes()))
	}
	return nil
}
