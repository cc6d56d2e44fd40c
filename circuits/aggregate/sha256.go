package aggregate

import (
	"math/big"
	"math/bits"

	"github.com/consensys/gnark/frontend"
)

// sha2 is SHA-256 (FIPS 180-4) over boolean wires: 26,000 constraints a block and
// no table. gnark's byte-wise one takes 35,000 and 131,000 once for its tables.
type sha2 struct{ api frontend.API }

// word is 32 bits, low bit first: boolean wires or constants 0 and 1.
type word [32]frontend.Variable

// sum64 returns the digest of 64 bytes given as 512 boolean wires, first bit of the
// message first, in the same order.
func (h sha2) sum64(message []frontend.Variable) []frontend.Variable {
	var block [16]word
	for i := range message {
		block[i/32][31-i%32] = message[i]
	}
	state := [8]word{}
	for i, v := range initialHash {
		state[i] = constantWord(v)
	}
	state = h.compress(state, block)
	// The padding of a message of 64 bytes is a block of its own, all constant.
	var padding [16]word
	for i := range padding {
		padding[i] = constantWord(0)
	}
	padding[0], padding[15] = constantWord(1<<31), constantWord(512)
	state = h.compress(state, padding)
	var digest []frontend.Variable
	for _, w := range state {
		for i := range w {
			digest = append(digest, w[31-i])
		}
	}
	return digest
}

func (h sha2) compress(state [8]word, block [16]word) [8]word {
	var w [64]word
	copy(w[:], block[:])
	for t := 16; t < 64; t++ {
		small0 := h.xor(rotate(w[t-15], 7), rotate(w[t-15], 18), shift(w[t-15], 3))
		small1 := h.xor(rotate(w[t-2], 17), rotate(w[t-2], 19), shift(w[t-2], 10))
		w[t] = h.add(0, small1, w[t-7], small0, w[t-16])
	}
	s := state
	for t := range 64 {
		a, b, c, d, e, f, g, hh := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		big1 := h.xor(rotate(e, 6), rotate(e, 11), rotate(e, 25))
		big0 := h.xor(rotate(a, 2), rotate(a, 13), rotate(a, 22))
		choice, majority := h.choose(e, f, g), h.majority(a, b, c)
		s = [8]word{
			h.add(roundConstants[t], hh, big1, choice, w[t], big0, majority), a, b, c,
			h.add(roundConstants[t], d, hh, big1, choice, w[t]), e, f, g,
		}
	}
	for i := range s {
		s[i] = h.add(0, state[i], s[i])
	}
	return s
}

// choose returns x where e is 1 and y where it is 0.
func (h sha2) choose(e, x, y word) (out word) {
	for i := range out {
		out[i] = h.api.Add(y[i], h.api.Mul(e[i], h.api.Sub(x[i], y[i])))
	}
	return out
}

func (h sha2) majority(x, y, z word) (out word) {
	for i := range out {
		both := h.api.Mul(y[i], z[i])
		out[i] = h.api.Add(both, h.api.Mul(x[i], h.api.Sub(h.api.Add(y[i], z[i]), h.api.Mul(2, both))))
	}
	return out
}

func (h sha2) xor(x, y, z word) (out word) {
	for i := range out {
		out[i] = h.xorBit(h.xorBit(x[i], y[i]), z[i])
	}
	return out
}

func (h sha2) xorBit(x, y frontend.Variable) frontend.Variable {
	return h.api.Sub(h.api.Add(x, y), h.api.Mul(2, x, y))
}

// add returns the sum of a constant and words modulo 2^32: the integer sum, which is
// far below the field, is decomposed and its upper bits are dropped.
func (h sha2) add(constant uint32, words ...word) (out word) {
	sum := frontend.Variable(constant)
	for _, w := range words {
		for i, bit := range w {
			sum = h.api.Add(sum, h.api.Mul(bit, uint64(1)<<i))
		}
	}
	terms := uint(len(words))
	if constant != 0 {
		terms++
	}
	if v, ok := h.api.Compiler().ConstantValue(sum); ok {
		return constantWord(uint32(new(big.Int).And(v, big.NewInt(1<<32-1)).Uint64()))
	}
	copy(out[:], h.api.ToBinary(sum, 32+bits.Len(terms-1)))
	return out
}

func rotate(w word, n int) (out word) {
	for i := range out {
		out[i] = w[(i+n)%32]
	}
	return out
}

func shift(w word, n int) (out word) {
	for i := range out {
		out[i] = frontend.Variable(0)
		if i+n < 32 {
			out[i] = w[i+n]
		}
	}
	return out
}

func constantWord(v uint32) (out word) {
	for i := range out {
		out[i] = frontend.Variable(v >> i & 1)
	}
	return out
}

// The constants of FIPS 180-4, section 4.2.2 and 5.3.3: fractional parts of roots of
// the first primes. TestSHA256Constants computes them.
var (
	initialHash = [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}
	roundConstants = [64]uint32{
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	}
)
