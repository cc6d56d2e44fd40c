// Package poseidon2 is the Poseidon2 permutation of widths 4 and 8 over BN254's scalar field as constraints
// (Grassi, Khovratovich, Schofnegger: https://eprint.iacr.org/2023/323), with the constants of package poseidon.
//
// It is our own for the sake of one line, the S-box. A Groth16 prover pays for each wire that stands on the
// right side of some multiplication by a point of G2, which costs as much as three or four points of G1. Here
// x⁵ is made as x·x = x², x·x² = x³, x³·x² = x⁵: on the right stand x and x² only. With x⁴·x, which costs as
// many constraints, x⁴ would stand there too.
package poseidon2

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	native "github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/poseidon"
)

// Permutation is the permutation of one width in one circuit.
type Permutation struct {
	api       frontend.API
	width     int
	full      int            // rounds with an S-box on every lane; half of them come first, half last
	partial   int            // rounds in between, with an S-box on lane 0 only
	roundKeys [][]fr.Element // by round, then lane; a partial round has a key on lane 0 only
	diagonal  []fr.Element   // of the internal matrix, less 1
}

// New returns the permutation of width 4 or 8, as package poseidon has it, for a circuit over BN254's scalar
// field. Another width or field is an error: the constants are of this one.
func New(api frontend.API, width int) (*Permutation, error) {
	partial := map[int]int{4: poseidon.PartialRounds4, 8: poseidon.PartialRounds8}[width]
	if partial == 0 {
		return nil, fmt.Errorf("poseidon2 of width %d: expected 4 or 8", width)
	}
	if field := api.Compiler().Field(); field.Cmp(fr.Modulus()) != 0 {
		return nil, fmt.Errorf("poseidon2 of width %d: the circuit's field has order %s, expected that of BN254's scalars", width, field)
	}
	parameters := native.NewParameters(width, poseidon.FullRounds, partial)
	p := &Permutation{
		api: api, width: width, full: poseidon.FullRounds, partial: partial,
		roundKeys: parameters.RoundKeys, diagonal: parameters.DiagM1,
	}
	if len(p.roundKeys) != p.full+p.partial || len(p.diagonal) != width {
		return nil, fmt.Errorf("poseidon2 of width %d: %d round keys and %d entries of the diagonal, expected %d and %d",
			width, len(p.roundKeys), len(p.diagonal), p.full+p.partial, width)
	}
	return p, nil
}

// Permute replaces x, one variable for each lane, by its permutation: 264 constraints at width 4, 363 at
// width 8. Lanes that are constants on entry cost less.
func (p *Permutation) Permute(x []frontend.Variable) error {
	if len(x) != p.width {
		return fmt.Errorf("poseidon2 of width %d: %d lanes given", p.width, len(x))
	}
	p.external(x)
	for round, keys := range p.roundKeys {
		for lane, key := range keys {
			x[lane] = p.api.Add(x[lane], key)
		}
		if round < p.full/2 || round >= p.full/2+p.partial {
			for lane := range x {
				x[lane] = p.power5(x[lane])
			}
			p.external(x)
		} else {
			x[0] = p.power5(x[0])
			p.internal(x)
		}
	}
	return nil
}

// power5 is the S-box; see the package's comment. gnark puts the factor with more terms on the left: x, which is
// a sum, in x·x². So x² stands on the right alone, and x³, the left of two single wires, on the left alone.
func (p *Permutation) power5(x frontend.Variable) frontend.Variable {
	square := p.api.Mul(x, x)
	return p.api.Mul(p.api.Mul(x, square), square)
}

// external multiplies by the matrix of full rounds: M4 = (5 7 1 3 / 4 6 1 1 / 1 3 5 7 / 1 1 4 6) at width 4, and
// at width 8 the blocks (2·M4 M4 / M4 2·M4) (section 5.1 of the paper).
func (p *Permutation) external(x []frontend.Variable) {
	m4 := [4][4]int{{5, 7, 1, 3}, {4, 6, 1, 1}, {1, 3, 5, 7}, {1, 1, 4, 6}}
	product := make([]frontend.Variable, len(x))
	for lane := range x {
		block, row := x[lane/4*4:], m4[lane%4]
		product[lane] = p.api.Add(p.api.Mul(block[0], row[0]), p.api.Mul(block[1], row[1]), p.api.Mul(block[2], row[2]), p.api.Mul(block[3], row[3]))
	}
	copy(x, product)
	if p.width == 8 {
		for lane := range 4 {
			sum := p.api.Add(product[lane], product[lane+4])
			x[lane], x[lane+4] = p.api.Add(product[lane], sum), p.api.Add(product[lane+4], sum)
		}
	}
}

// internal multiplies by the matrix of partial rounds: ones, and the diagonal on top (section 5.2).
func (p *Permutation) internal(x []frontend.Variable) {
	sum := p.api.Add(x[0], x[1], x[2:]...)
	for lane := range x {
		x[lane] = p.api.Add(p.api.Mul(x[lane], p.diagonal[lane]), sum)
	}
}
