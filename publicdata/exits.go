package publicdata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
)

// Prefixes of what is hashed in the tree of a batch's exits.
const (
	exitLeafPrefix = 0x00
	exitNodePrefix = 0x01
)

// Errors of exits and their paths.
var (
	ErrNoExit    = errors.New("no such exit")
	ErrExitProof = errors.New("exit is not proven by its path")
)

// ExitsRoot returns the root of the keccak256 tree over the exits of a batch, in
// the order of D, as L1 stores it; zero when there are none. Twin of the Solidity
// library Exits (docs/protocol.md).
func ExitsRoot(batch settle.BatchNumber, exits []Exit) settle.Hash {
	if len(exits) == 0 {
		return settle.Hash{}
	}
	root, _ := climbExits(batch, exits, 0)
	return root
}

// ExitPath returns the siblings of exit i of a batch from the leaf up: as many as
// the tree is deep, none for a single exit. ErrNoExit when there is no exit i.
func ExitPath(batch settle.BatchNumber, exits []Exit, i int) ([]settle.Hash, error) {
	if i < 0 || i >= len(exits) {
		return nil, fmt.Errorf("%w: exit %d of batch %d, which has %d", ErrNoExit, i, batch, len(exits))
	}
	_, path := climbExits(batch, exits, i)
	return path, nil
}

// VerifyExit reports by ErrExitProof that exit i of a batch is not proven against
// root, as the contract's claim would find.
func VerifyExit(root settle.Hash, batch settle.BatchNumber, i uint32, exit Exit, path []settle.Hash) error {
	if root == (settle.Hash{}) {
		return fmt.Errorf("%w: batch %d has no exits", ErrExitProof, batch)
	}
	if uint64(i)>>len(path) != 0 {
		return fmt.Errorf("%w: no place %d in a tree of depth %d", ErrExitProof, i, len(path))
	}
	node := ExitLeaf(batch, i, exit)
	for level, sibling := range path {
		if i>>level&1 == 0 {
			node = exitNode(node, sibling)
		} else {
			node = exitNode(sibling, node)
		}
	}
	if node != root {
		return fmt.Errorf("%w: exit %d of batch %d", ErrExitProof, i, batch)
	}
	return nil
}

// climbExits builds the tree level by level and collects the siblings on the way
// from leaf i. Zero leaves up to a power of two are one digest per level. There
// is at least one exit.
func climbExits(batch settle.BatchNumber, exits []Exit, i int) (settle.Hash, []settle.Hash) {
	nodes := make([]settle.Hash, len(exits), len(exits)+1)
	for j := range exits {
		nodes[j] = ExitLeaf(batch, uint32(j), exits[j])
	}
	path := make([]settle.Hash, 0, bits.Len(uint(len(exits)-1)))
	for empty := (settle.Hash{}); len(nodes) > 1; empty = exitNode(empty, empty) {
		if len(nodes)%2 == 1 {
			nodes = append(nodes, empty)
		}
		path = append(path, nodes[i^1])
		for j := range len(nodes) / 2 {
			nodes[j] = exitNode(nodes[2*j], nodes[2*j+1])
		}
		nodes, i = nodes[:len(nodes)/2], i/2
	}
	return nodes[0], path
}

// ExitLeaf returns keccak256(0x00 ‖ batch ‖ i ‖ l1 ‖ token ‖ amount), values as
// 32-byte words.
func ExitLeaf(batch settle.BatchNumber, i uint32, exit Exit) settle.Hash {
	var b [1 + 5*32]byte
	b[0] = exitLeafPrefix
	word := func(n int) []byte { return b[1+32*n : 1+32*(n+1)] }
	binary.BigEndian.PutUint32(word(0)[28:], uint32(batch))
	binary.BigEndian.PutUint32(word(1)[28:], i)
	copy(word(2)[12:], exit.L1[:])
	binary.BigEndian.PutUint32(word(3)[28:], uint32(exit.Token))
	binary.BigEndian.PutUint64(word(4)[16:], exit.Amount.Hi)
	binary.BigEndian.PutUint64(word(4)[24:], exit.Amount.Lo)
	return keccak(b[:])
}

// exitNode returns keccak256(0x01 ‖ left ‖ right).
func exitNode(left, right settle.Hash) settle.Hash {
	var b [1 + 2*32]byte
	b[0] = exitNodePrefix
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return keccak(b[:])
}

func keccak(b []byte) (h settle.Hash) {
	hash := sha3.NewLegacyKeccak256()
	hash.Write(b)
	hash.Sum(h[:0])
	return h
}
