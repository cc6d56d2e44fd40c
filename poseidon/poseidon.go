// Package poseidon is the hash of the rollup: Poseidon2 (eprint 2023/323) over
// the BN254 scalar field with gnark-crypto's constants, at widths 4 and 8, and
// the three modes built on it: tree node, leaf, and sponge.
package poseidon

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// Round numbers for 128-bit security with the x^5 S-box (eprint 2023/323, table 1).
const (
	FullRounds     = 8
	PartialRounds4 = 56
	PartialRounds8 = 57
)

// Rate is the number of words that a sponge absorbs in one permutation.
const Rate = 3

// Hasher holds the round constants. The zero value is not usable; a Hasher is
// immutable and safe for concurrent use.
type Hasher struct {
	p4, p8 *poseidon2.Permutation
}

// New returns a Hasher. It parses no constants: gnark-crypto holds them.
func New() *Hasher {
	return &Hasher{
		p4: poseidon2.NewPermutation(4, FullRounds, PartialRounds4),
		p8: poseidon2.NewPermutation(8, FullRounds, PartialRounds8),
	}
}

func permute(p *poseidon2.Permutation, x []fr.Element) {
	if err := p.Permutation(x); err != nil {
		// The only error is a wrong width, which the array types rule out.
		panic(fmt.Sprintf("poseidon: %v", err))
	}
}

// Permute4 applies the width-4 permutation in place.
func (h *Hasher) Permute4(x *[4]fr.Element) { permute(h.p4, x[:]) }

// Permute8 applies the width-8 permutation in place.
func (h *Hasher) Permute8(x *[8]fr.Element) { permute(h.p8, x[:]) }

// Hash4 compresses four elements to one: P4(x)[0] + x[0]. The feed-forward
// makes the permutation one-way.
func (h *Hasher) Hash4(x [4]fr.Element) fr.Element {
	first := x[0]
	h.Permute4(&x)
	x[0].Add(&x[0], &first)
	return x[0]
}

// Node hashes the four children of a tree node, in order.
func (h *Hasher) Node(children [4]fr.Element) fr.Element { return h.Hash4(children) }

// Leaf hashes an account's four elements: P4(x)[1] + x[1]. Lane 1 instead of
// lane 0 keeps a leaf from being read as a node.
func (h *Hasher) Leaf(x [4]fr.Element) fr.Element {
	second := x[1]
	h.Permute4(&x)
	x[1].Add(&x[1], &second)
	return x[1]
}

// Sponge digests words, whose number is fixed by the caller's context: rate
// lanes 0 to 2 by addition, the last block padded with zeros, the capacity lane
// starting as tag + 2^32·len(words), output lane 0 after the last permutation.
// No words give one permutation over a zero block.
func (h *Hasher) Sponge(tag uint32, words []fr.Element) fr.Element {
	return h.SpongeOf(tag, 0, words)
}

// SpongeOf is Sponge for words of which only the first count groups are used and the
// rest is padding: the capacity lane starts as tag + 2^32·len(words) + 2^64·count.
func (h *Hasher) SpongeOf(tag, count uint32, words []fr.Element) fr.Element {
	var x [4]fr.Element
	x[3].SetBigInt(new(big.Int).Add(
		new(big.Int).SetUint64(uint64(tag)+uint64(len(words))<<32),
		new(big.Int).Lsh(big.NewInt(int64(count)), 64)))
	for start := 0; start == 0 || start < len(words); start += Rate {
		for lane := range min(Rate, len(words)-start) {
			x[lane].Add(&x[lane], &words[start+lane])
		}
		h.Permute4(&x)
	}
	return x[0]
}

// Tag reads ASCII text, at most 31 bytes, as a big-endian field element: the
// domain separator of a hash.
func Tag(text string) fr.Element {
	if len(text) > 31 {
		panic("poseidon: tag longer than 31 bytes: " + text)
	}
	var e fr.Element
	e.SetBytes([]byte(text))
	return e
}
