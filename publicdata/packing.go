package publicdata

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Field is one field of a packed word: its value and width in bits.
type Field struct {
	Value *big.Int
	Bits  uint
}

// U is a Field from an unsigned integer.
func U(v uint64, bits uint) Field { return Field{new(big.Int).SetUint64(v), bits} }

// Bytes is a Field from big-endian bytes, as wide as they are.
func Bytes(b []byte) Field { return Field{new(big.Int).SetBytes(b), uint(8 * len(b))} }

// Pack places fields low bits first in the order listed. It panics when a value
// exceeds its width, or the widths together what an element holds: callers hold
// values whose types bound them, or have checked them.
func Pack(fields ...Field) fr.Element {
	sum, shift := new(big.Int), uint(0)
	for _, f := range fields {
		if f.Value.Sign() < 0 || uint(f.Value.BitLen()) > f.Bits {
			panic(fmt.Sprintf("publicdata: %s does not fit %d bits", f.Value, f.Bits))
		}
		sum.Or(sum, new(big.Int).Lsh(f.Value, shift))
		shift += f.Bits
	}
	if shift >= fr.Bits {
		panic(fmt.Sprintf("publicdata: %d bits do not fit an element", shift))
	}
	var e fr.Element
	e.SetBigInt(sum)
	return e
}

// unpacker takes fields off a word, low bits first.
type unpacker struct{ rest *big.Int }

func unpack(word fr.Element) *unpacker { return &unpacker{word.BigInt(new(big.Int))} }

func (u *unpacker) big(bits uint) *big.Int {
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	v := new(big.Int).And(u.rest, mask)
	u.rest.Rsh(u.rest, bits)
	return v
}

func (u *unpacker) uint(bits uint) uint64 { return u.big(bits).Uint64() }

func (u *unpacker) address() (a [20]byte) {
	u.big(160).FillBytes(a[:])
	return a
}

// end reports bits above the last field.
func (u *unpacker) end(what string) error {
	if u.rest.Sign() != 0 {
		return fmt.Errorf("%w: %s has bits above its last field", ErrMalformed, what)
	}
	return nil
}
