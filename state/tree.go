package state

import (
	"maps"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

const (
	levels   = settle.TreeLevels
	arity    = settle.TreeArity
	pageBits = 8
)

// page holds the digests of neighbouring nodes of a level. Forks share pages;
// only the tree whose token is in it may write to one.
type page struct {
	owner   *owner
	digests [1 << pageBits]fr.Element
}

// owner is a token that tells trees apart. It has a size, as pointers to empty
// values may be equal.
type owner struct{ _ byte }

// Tree is the sparse 4-ary Merkle tree of 16 levels over account leaves. Level
// 0 holds the leaves, level 16 the root; a node at (level, position) has the
// children (level-1, 4·position + 0..3). Not safe for concurrent use.
type Tree struct {
	hasher *poseidon.Hasher
	empty  [levels + 1]fr.Element // digest of an empty subtree by level
	pages  [levels + 1]map[uint32]*page
	owner  *owner
}

// NewTree returns the tree of empty leaves.
func NewTree(h *poseidon.Hasher) *Tree {
	t := &Tree{hasher: h, owner: new(owner)}
	t.empty[0] = Account{}.Leaf(h)
	for l := range levels {
		e := t.empty[l]
		t.empty[l+1] = h.Node([4]fr.Element{e, e, e, e})
	}
	for l := range t.pages {
		t.pages[l] = map[uint32]*page{}
	}
	return t
}

// Root returns the digest of the whole tree.
func (t *Tree) Root() fr.Element { return t.at(levels, 0) }

func (t *Tree) at(level int, position uint32) fr.Element {
	if p := t.pages[level][position>>pageBits]; p != nil {
		return p.digests[position&(1<<pageBits-1)]
	}
	return t.empty[level]
}

// Fork returns a tree with the same leaves. Either can be updated without the
// other: pages are shared until one writes to them. It costs one map entry per
// page, that is per 256 nodes. Meanwhile t may be read, not updated or forked.
func (t *Tree) Fork() *Tree {
	fork := &Tree{hasher: t.hasher, empty: t.empty, owner: new(owner)}
	for l := range t.pages {
		fork.pages[l] = maps.Clone(t.pages[l])
	}
	t.owner = new(owner)
	return fork
}

func (t *Tree) set(level int, position uint32, digest fr.Element) {
	t.writable(level, position).digests[position&(1<<pageBits-1)] = digest
}

// writable returns the page of a node, made or copied if need be.
func (t *Tree) writable(level int, position uint32) *page {
	p := t.pages[level][position>>pageBits]
	switch {
	case p == nil:
		p = &page{owner: t.owner}
		for i := range p.digests {
			p.digests[i] = t.empty[level]
		}
		t.pages[level][position>>pageBits] = p
	case p.owner != t.owner:
		p = &page{owner: t.owner, digests: p.digests}
		t.pages[level][position>>pageBits] = p
	}
	return p
}

func (t *Tree) children(level int, position uint32) (c [arity]fr.Element) {
	for i := range c {
		c[i] = t.at(level-1, arity*position+uint32(i))
	}
	return c
}

// NodeUpdate is one touched node of a batch: its children before and after, and
// which of them were touched. An untouched child has Old equal to New.
type NodeUpdate struct {
	Level    int // 1..16
	Position uint32
	Old, New [arity]fr.Element
	Touched  [arity]bool
}

// Update writes leaves, given in strictly increasing order of index, and
// returns the touched nodes level by level, ordered by position: each node of
// the multiproof once. Without leaves it returns the root alone, nothing
// touched.
func (t *Tree) Update(indices []settle.AccountIndex, leaves []fr.Element) []NodeUpdate {
	if len(indices) == 0 {
		root := t.children(levels, 0)
		return []NodeUpdate{{Level: levels, Old: root, New: root}}
	}
	touched := make([]uint32, len(indices))
	for i, index := range indices {
		touched[i] = uint32(index)
	}
	digests := leaves
	var updates []NodeUpdate
	for level := 1; level <= levels; level++ {
		first := len(updates)
		for i, position := range touched {
			parent, slot := position/arity, position%arity
			if len(updates) == first || updates[len(updates)-1].Position != parent {
				old := t.children(level, parent)
				updates = append(updates, NodeUpdate{Level: level, Position: parent, Old: old, New: old})
			}
			u := &updates[len(updates)-1]
			u.New[slot], u.Touched[slot] = digests[i], true
		}
		for i, position := range touched {
			t.set(level-1, position, digests[i])
		}
		touched, digests = touched[:0:0], nil
		for _, u := range updates[first:] {
			touched = append(touched, u.Position)
			digests = append(digests, t.hasher.Node(u.New))
		}
	}
	t.set(levels, 0, digests[0])
	return updates
}
