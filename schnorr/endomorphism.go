package schnorr

import (
	"encoding/binary"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/consensys/gnark-crypto/ecc/grumpkin/fp"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
)

// EndomorphismBits is the number of low bits of h that make the scalar e.
const EndomorphismBits = 128

// EndomorphismSteps is the number of double-and-add steps: two bits each.
const EndomorphismSteps = EndomorphismBits / 2

// β is a cube root of one modulo r and λ the cube root of one modulo q with
// φ(x, y) = (β·x, y) = λ·(x, y). Of the two pairs that fit, this one is the
// format; decimal.
const (
	betaText   = "4407920970296243842393367215006156084916469457145843978461"
	lambdaText = "2203960485148121921418603742825762020974279258880205651966"
)

// Beta returns β.
func Beta() fr.Element {
	var b fr.Element
	if _, err := b.SetString(betaText); err != nil {
		panic("schnorr: " + err.Error()) // a constant that the tests read
	}
	return b
}

// Lambda returns λ as an integer in [0, q).
func Lambda() *big.Int {
	l := lambda()
	return l.BigInt(new(big.Int))
}

// low128 is the low 128 bits of an element as two 64-bit words, low word first.
type low128 [2]uint64

func lowBits(h fr.Element) low128 {
	b := h.Bytes()
	return low128{binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[16:])}
}

// pair returns the bits 2i and 2i + 1.
func (w low128) pair(i int) (sign, phi uint64) {
	v := w[i/32] >> (2 * (i % 32))
	return v & 1, v >> 1 & 1
}

// EndomorphismScalar returns e = e1 + λ·e2 modulo q for the low 128 bits of h
// by algorithm 1 of Halo (eprint 2019/1021, section 6.2): starting from (2, 2),
// for the bit pairs (2i, 2i+1) from i = 63 down to 0, both are doubled and one
// is changed by ±1: e1 if bit 2i+1 is 0, else e2; up if bit 2i is 1, else down.
// 0 < e1, e2 < 2^66, and e is never 0 modulo q.
func EndomorphismScalar(h fr.Element) scalar.Element {
	bits := lowBits(h)
	var signs, phis uint64
	for i := range EndomorphismSteps {
		sign, phi := bits.pair(i)
		signs |= sign << i
		phis |= phi << i
	}
	// Unrolled, each part is 2^65 + Σ ±2^i over the steps that chose it.
	part := func(chosen uint64) (e scalar.Element) {
		var down scalar.Element
		down.SetUint64(chosen)
		e.SetUint64(1 << 63).Double(&e).Double(&e)
		e.Sub(&e, &down)
		up := down.SetUint64(signs & chosen)
		return *e.Add(&e, up.Double(up))
	}
	e, first := part(phis), part(^phis)
	e.Mul(&e, &shared().lambda).Add(&e, &first)
	return e
}

func lambda() scalar.Element {
	var l scalar.Element
	if _, err := l.SetString(lambdaText); err != nil {
		panic("schnorr: " + err.Error()) // a constant that the tests read
	}
	return l
}

// endomorphismMul sets acc to e·a for the low 128 bits of h, by the same steps
// on points. a is on the curve.
func (c *constants) endomorphismMul(acc *grumpkin.G1Jac, a *grumpkin.G1Affine, h fr.Element) {
	bits := lowBits(h)
	var steps [2][2]grumpkin.G1Affine // by φ bit, then sign bit
	steps[0][1] = *a
	steps[1][1].X.Mul(&a.X, &c.beta)
	steps[1][1].Y = a.Y
	steps[0][0].Neg(&steps[0][1])
	steps[1][0].Neg(&steps[1][1])

	acc.FromAffine(a)
	acc.AddMixed(&steps[1][1])
	acc.DoubleAssign()
	for i := EndomorphismSteps - 1; i >= 0; i-- {
		sign, phi := bits.pair(i)
		acc.DoubleAssign()
		acc.AddMixed(&steps[phi][sign])
	}
}

func beta() fp.Element { return fp.Element(Beta()) }
