// Package gadget holds the parts that chips are made of: hashing, Grumpkin's arithmetic
// and the signature. Each has its own argument and tests.
package gadget

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/poseidon2"
	"github.com/zksettle/settle/poseidon"
)

// Poseidon is package poseidon in circuit: 264 constraints a width-4
// permutation, 363 a width-8 one.
type Poseidon struct {
	api    frontend.API
	p4, p8 *poseidon2.Permutation
}

// NewPoseidon returns the hasher for one circuit over BN254's scalar field.
func NewPoseidon(api frontend.API) (*Poseidon, error) {
	p4, err := poseidon2.New(api, 4)
	if err != nil {
		return nil, err
	}
	p8, err := poseidon2.New(api, 8)
	if err != nil {
		return nil, err
	}
	return &Poseidon{api: api, p4: p4, p8: p8}, nil
}

// Permute4 returns the width-4 permutation of x.
func (p *Poseidon) Permute4(x [4]frontend.Variable) ([4]frontend.Variable, error) {
	err := p.p4.Permute(x[:])
	return x, err
}

// Permute8 returns the width-8 permutation of x.
func (p *Poseidon) Permute8(x [8]frontend.Variable) ([8]frontend.Variable, error) {
	err := p.p8.Permute(x[:])
	return x, err
}

// Hash4 is P4(x)[0] + x[0].
func (p *Poseidon) Hash4(x [4]frontend.Variable) (frontend.Variable, error) {
	y, err := p.Permute4(x)
	return p.api.Add(y[0], x[0]), err
}

// Node hashes four children.
func (p *Poseidon) Node(children [4]frontend.Variable) (frontend.Variable, error) {
	return p.Hash4(children)
}

// Leaf is P4(x)[1] + x[1].
func (p *Poseidon) Leaf(x [4]frontend.Variable) (frontend.Variable, error) {
	y, err := p.Permute4(x)
	return p.api.Add(y[1], x[1]), err
}

// Sponge digests a fixed number of words (package poseidon, method Sponge).
func (p *Poseidon) Sponge(tag uint32, words []frontend.Variable) (frontend.Variable, error) {
	return p.SpongeOf(tag, 0, words)
}

// SpongeOf is Sponge for words of which only count groups are used (package
// poseidon, method SpongeOf). The caller constrains count.
func (p *Poseidon) SpongeOf(tag uint32, count frontend.Variable, words []frontend.Variable) (frontend.Variable, error) {
	x := [4]frontend.Variable{
		0, 0, 0, p.api.Add(uint64(tag)+uint64(len(words))<<32, p.api.Mul(count, new(big.Int).Lsh(big.NewInt(1), 64))),
	}
	for start := 0; start == 0 || start < len(words); start += poseidon.Rate {
		for lane := range min(poseidon.Rate, len(words)-start) {
			x[lane] = p.api.Add(x[lane], words[start+lane])
		}
		var err error
		if x, err = p.Permute4(x); err != nil {
			return nil, err
		}
	}
	return x[0], nil
}
