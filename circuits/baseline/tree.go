package baseline

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// tree is a binary Merkle tree whose leaves behind the last one are 0: no account
// hashes to 0, so an empty slot cannot be opened.
type tree struct {
	permutation *poseidon2.Permutation
	nodes       [][]fr.Element // by level from the leaves; the last is the root alone
	empty       []fr.Element   // the node over empty leaves, by level
}

func newTree(depth int, leaves []fr.Element) (*tree, error) {
	t := &tree{permutation: poseidon2.NewDefaultPermutation(), nodes: [][]fr.Element{leaves}, empty: make([]fr.Element, depth+1)}
	for level := range depth {
		var err error
		if t.empty[level+1], err = compress(t.permutation, t.empty[level], t.empty[level]); err != nil {
			return nil, err
		}
		below := t.nodes[level]
		t.nodes = append(t.nodes, make([]fr.Element, (len(below)+1)/2))
		for i := range t.nodes[level+1] {
			if err := t.rehash(level+1, i); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *tree) node(level, i int) fr.Element {
	if i < len(t.nodes[level]) {
		return t.nodes[level][i]
	}
	return t.empty[level]
}

func (t *tree) rehash(level, i int) (err error) {
	t.nodes[level][i], err = compress(t.permutation, t.node(level-1, 2*i), t.node(level-1, 2*i+1))
	return err
}

func (t *tree) root() fr.Element { return t.nodes[len(t.nodes)-1][0] }

// path returns the siblings from a leaf up.
func (t *tree) path(index int) []fr.Element {
	siblings := make([]fr.Element, len(t.nodes)-1)
	for level := range siblings {
		siblings[level] = t.node(level, index>>level^1)
	}
	return siblings
}

func (t *tree) set(index int, leaf fr.Element) error {
	t.nodes[0][index] = leaf
	for level := 1; level < len(t.nodes); level++ {
		if err := t.rehash(level, index>>level); err != nil {
			return err
		}
	}
	return nil
}
