package poseidon_test

// Poseidon2 as its paper writes it (eprint 2023/323): big.Int, explicit
// matrices, and constants drawn from the Grain LFSR as the authors' parameter
// script does. Nothing is taken from gnark-crypto.

import (
	"math/big"

	"github.com/zksettle/settle/poseidon"
)

const modulusDecimal = "21888242871839275222246405745257275088548364400416034343698204186575808495617"

func modulus() *big.Int {
	p, _ := new(big.Int).SetString(modulusDecimal, 10)
	return p
}

// grain is the 80-bit self-shrinking LFSR of eprint 2019/458, appendix E.
type grain struct{ bits []byte }

func newGrain(fieldBits, width, fullRounds, partialRounds int) *grain {
	g := new(grain)
	seed := func(value, width int) {
		for i := width - 1; i >= 0; i-- {
			g.bits = append(g.bits, byte(value>>i&1))
		}
	}
	seed(1, 2) // a prime field
	seed(0, 4) // the S-box x^alpha
	seed(fieldBits, 12)
	seed(width, 12)
	seed(fullRounds, 10)
	seed(partialRounds, 10)
	seed(1<<30-1, 30)
	for range 160 {
		g.clock()
	}
	return g
}

func (g *grain) clock() byte {
	bit := g.bits[62] ^ g.bits[51] ^ g.bits[38] ^ g.bits[23] ^ g.bits[13] ^ g.bits[0]
	g.bits = append(g.bits[1:], bit)
	return bit
}

// bit clocks in pairs: the second bit counts when the first is 1.
func (g *grain) bit() byte {
	for g.clock() == 0 {
		g.clock()
	}
	return g.clock()
}

func (g *grain) number(bits int) *big.Int {
	v := new(big.Int)
	for range bits {
		v.Lsh(v, 1).Or(v, big.NewInt(int64(g.bit())))
	}
	return v
}

// naivePermutation is Poseidon2 of one width.
type naivePermutation struct {
	p                    *big.Int
	width, full, partial int
	constants            [][]*big.Int // by round, one for each lane (zeros in partial rounds)
	external, internal   [][]*big.Int
}

func newNaive(width, partial int) *naivePermutation {
	n := &naivePermutation{p: modulus(), width: width, full: poseidon.FullRounds, partial: partial}
	g := newGrain(n.p.BitLen(), width, n.full, partial)
	for round := range n.full + partial {
		constants := make([]*big.Int, width)
		for lane := range constants {
			constants[lane] = new(big.Int)
			if lane == 0 || !n.isPartial(round) {
				c := g.number(n.p.BitLen())
				for c.Cmp(n.p) >= 0 {
					c = g.number(n.p.BitLen())
				}
				constants[lane] = c
			}
		}
		n.constants = append(n.constants, constants)
	}
	// External: M4 for width 4, circ(2·M4, M4) for width 8.
	m4 := [4][4]int64{{5, 7, 1, 3}, {4, 6, 1, 1}, {1, 3, 5, 7}, {1, 1, 4, 6}}
	n.external = matrix(width, func(i, j int) *big.Int {
		entry := m4[i%4][j%4]
		if width > 4 && i/4 == j/4 {
			entry *= 2
		}
		return big.NewInt(entry)
	})
	// Internal: ones beside a diagonal, the first drawn that is secure.
	k := polynomials{n.p}
	for n.internal == nil || !k.secure(n.internal) {
		diagonal := make([]*big.Int, width)
		for i := range diagonal {
			diagonal[i] = new(big.Int).Mod(g.number(n.p.BitLen()), n.p)
		}
		n.internal = matrix(width, func(i, j int) *big.Int {
			if i == j {
				return diagonal[i]
			}
			return big.NewInt(1)
		})
	}
	return n
}

func (n *naivePermutation) isPartial(round int) bool {
	return round >= n.full/2 && round < n.full/2+n.partial
}

func matrix(width int, entry func(i, j int) *big.Int) [][]*big.Int {
	m := make([][]*big.Int, width)
	for i := range m {
		m[i] = make([]*big.Int, width)
		for j := range m[i] {
			m[i][j] = entry(i, j)
		}
	}
	return m
}

func (n *naivePermutation) times(m [][]*big.Int, x []*big.Int) []*big.Int {
	y := make([]*big.Int, n.width)
	for i := range y {
		y[i] = new(big.Int)
		for j := range x {
			y[i].Add(y[i], new(big.Int).Mul(m[i][j], x[j]))
		}
		y[i].Mod(y[i], n.p)
	}
	return y
}

func (n *naivePermutation) permute(x []*big.Int) []*big.Int {
	x = n.times(n.external, x)
	for round, constants := range n.constants {
		for lane := range x {
			x[lane] = new(big.Int).Add(x[lane], constants[lane])
			if lane == 0 || !n.isPartial(round) {
				x[lane].Exp(x[lane], big.NewInt(5), n.p)
			}
		}
		if n.isPartial(round) {
			x = n.times(n.internal, x)
		} else {
			x = n.times(n.external, x)
		}
	}
	return x
}

// feedForward returns P(x)[i] + x[i].
func (n *naivePermutation) feedForward(x []*big.Int, i int) *big.Int {
	y := new(big.Int).Add(n.permute(x)[i], x[i])
	return y.Mod(y, n.p)
}

// sponge pads with zeros to whole blocks of three, then absorbs.
func (n *naivePermutation) sponge(tag uint32, words []*big.Int) *big.Int {
	capacity := new(big.Int).Mul(big.NewInt(int64(len(words))), big.NewInt(1<<32))
	x := []*big.Int{new(big.Int), new(big.Int), new(big.Int), capacity.Add(capacity, big.NewInt(int64(tag)))}
	padded := append([]*big.Int{}, words...)
	for len(padded) == 0 || len(padded)%3 != 0 {
		padded = append(padded, new(big.Int))
	}
	for ; len(padded) > 0; padded = padded[3:] {
		for i := range 3 {
			x[i] = new(big.Int).Add(x[i], padded[i])
		}
		x = n.permute(x)
	}
	return x[0]
}
