package baseline

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"

	"github.com/zksettle/settle"
)

// exponentBits is the width of the exponent above the mantissa of an amount or fee.
const exponentBits = 5

// messageWidths are those of from, to, token, amount, fee and nonce in a signed
// message, low bits first.
func messageWidths() []int {
	return []int{settle.IndexBits, settle.IndexBits, settle.TokenBits, settle.AmountBits, settle.FeeBits, settle.NonceBits}
}

// leafWidths are those of token, nonce and balance in a leaf, low bits first.
func leafWidths() []int { return []int{settle.TokenBits, settle.NonceBits, settle.BalanceBits} }

// pack is Σ fields[i]·2^(widths before i).
func pack(widths []int, fields ...*big.Int) fr.Element {
	sum, shift := new(big.Int), uint(0)
	for i, f := range fields {
		sum.Add(sum, new(big.Int).Lsh(f, shift))
		shift += uint(widths[i])
	}
	var e fr.Element
	e.SetBigInt(sum)
	return e
}

func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64](v T) *big.Int {
	return new(big.Int).SetUint64(uint64(v))
}

// floatValue is mantissa·10^exponent, the exponent being the upper 5 bits of width.
func floatValue(encoded uint64, width uint) *big.Int {
	mantissa := width - exponentBits
	value := new(big.Int).Exp(big.NewInt(10), number(encoded>>mantissa), nil)
	return value.Mul(value, number(encoded&(1<<mantissa-1)))
}

// compress is the 2-to-1 compression of gnark's Poseidon2: the right lane of the
// permutation plus the right input.
func compress(p *poseidon2.Permutation, left, right fr.Element) (fr.Element, error) {
	lanes := [2]fr.Element{left, right}
	if err := p.Permutation(lanes[:]); err != nil {
		return fr.Element{}, fmt.Errorf("poseidon2: %w", err)
	}
	return *lanes[1].Add(&lanes[1], &right), nil
}

// hash2 is gnark-crypto's Merkle–Damgård hash of two elements.
func hash2(a, b fr.Element) fr.Element {
	h := poseidon2.NewMerkleDamgardHasher()
	for _, e := range []fr.Element{a, b} {
		bytes := e.Bytes()
		h.Write(bytes[:])
	}
	var sum fr.Element
	sum.SetBytes(h.Sum(nil))
	return sum
}

// ownerOf is the hash of a key by which a leaf names its owner.
func ownerOf(key *eddsa.PublicKey) fr.Element { return hash2(key.A.X, key.A.Y) }

// leafOf commits to an account.
func leafOf(owner fr.Element, token settle.TokenID, nonce settle.Nonce, balance *big.Int) fr.Element {
	return hash2(owner, pack(leafWidths(), number(token), number(nonce), balance))
}
