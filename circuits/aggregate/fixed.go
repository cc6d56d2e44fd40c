package aggregate

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// fixedWindow is the number of scalar bits that one addition of a constant point
// takes: 57 constraints for the products of 6 bits, 290 for the addition.
const fixedWindow = 6

// fixedSum returns start + Σ scalars[j]·points[j] for constant points; start may be
// nil. Scalars are elements of the circuit's field: that has the order of the curve,
// so it does not matter which of the two 254-bit readings of a scalar the bits are.
// Each table entry has an offset on it, taken off at the end.
func (c *curve) fixedSum(start *pointG1, points []bn254.G1Affine, scalars []frontend.Variable) *pointG1 {
	var acc accumulator
	begun := false
	if start != nil {
		acc, begun = accumulate(start), true
	}
	var offsets bn254.G1Jac
	for j, point := range points {
		bits := c.api.ToBinary(scalars[j], fr.Bits)
		base := point
		for low := 0; low < len(bits); low += fixedWindow {
			window := bits[low:min(low+fixedWindow, len(bits))]
			offset := c.offset()
			offsets.AddMixed(&offset)
			entry := c.lookup(base, offset, window)
			if begun {
				acc = c.add(acc, entry)
			} else {
				acc, begun = accumulate(entry), true
			}
			base.ScalarMultiplication(&base, big.NewInt(1<<len(window)))
		}
	}
	var end bn254.G1Affine
	end.FromJacobian(offsets.Neg(&offsets))
	return c.affine(c.add(acc, c.constant(end)))
}

// lookup returns offset + k·base for k given by boolean bits, low bit first: each
// limb is the multilinear polynomial in the bits that has the table's values.
func (c *curve) lookup(base, offset bn254.G1Affine, bits []frontend.Variable) *pointG1 {
	const limbs = 4
	size := 1 << len(bits)
	// coefficients[coordinate and limb][monomial], by the Möbius transform of the values.
	var coefficients [2 * limbs][]*big.Int
	var entry bn254.G1Jac
	entry.FromAffine(&offset)
	for range size {
		var p bn254.G1Affine
		p.FromJacobian(&entry)
		x, y := p.X.Bits(), p.Y.Bits()
		for l := range limbs {
			coefficients[l] = append(coefficients[l], new(big.Int).SetUint64(x[l]))
			coefficients[limbs+l] = append(coefficients[limbs+l], new(big.Int).SetUint64(y[l]))
		}
		entry.AddMixed(&base)
	}
	monomials := []frontend.Variable{1}
	for k, bit := range bits {
		for m := range 1 << k {
			monomials = append(monomials, c.api.Mul(monomials[m], bit))
		}
		for _, values := range coefficients {
			for m := range size {
				if m>>k&1 == 1 {
					values[m].Sub(values[m], values[m^1<<k])
				}
			}
		}
	}
	var values [2 * limbs]frontend.Variable
	for l := range values {
		terms := []frontend.Variable{}
		for m := range size {
			terms = append(terms, c.api.Mul(monomials[m], coefficients[l][m]))
		}
		values[l] = c.api.Add(terms[0], terms[1], terms[2:]...)
	}
	// Unchecked limbs: for boolean bits they are the table's, below 2^64.
	return &pointG1{X: *c.fp.UnsafeFromLimbs(values[:limbs]), Y: *c.fp.UnsafeFromLimbs(values[limbs:])}
}
