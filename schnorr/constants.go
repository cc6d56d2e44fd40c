package schnorr

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/consensys/gnark-crypto/ecc/grumpkin/fp"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"

	"github.com/zksettle/settle/poseidon"
)

// baseWindows is the number of 8-bit windows of a scalar.
const baseWindows = 32

// constants are derived from the generator alone and never change.
type constants struct {
	hasher *poseidon.Hasher
	beta   fp.Element
	lambda scalar.Element
	base   [baseWindows][255]grumpkin.G1Affine // base[i][d-1] = d·2^(8i)·G
}

// shared computes the constants at first use (a few milliseconds, 0.5 MB).
var shared = sync.OnceValue(newConstants)

func newConstants() *constants {
	c := &constants{hasher: poseidon.New(), beta: beta(), lambda: lambda()}
	generator, _ := grumpkin.Generators()
	points := make([]grumpkin.G1Jac, 0, baseWindows*255)
	for range baseWindows {
		multiple := generator
		for range 255 {
			points = append(points, multiple)
			multiple.AddAssign(&generator)
		}
		generator = multiple
	}
	for i, p := range grumpkin.BatchJacobianToAffineG1(points) {
		c.base[i/255][i%255] = p
	}
	return c
}

// addBase adds s·G to acc. s is a scalar as 32 big-endian bytes.
func (c *constants) addBase(acc *grumpkin.G1Jac, s *[32]byte) {
	for i := range baseWindows {
		if d := s[31-i]; d != 0 {
			acc.AddMixed(&c.base[i][d-1])
		}
	}
}

// baseMul returns k·G; k is not zero.
func (c *constants) baseMul(k *scalar.Element) grumpkin.G1Affine {
	var acc grumpkin.G1Jac
	acc.X.SetOne()
	acc.Y.SetOne()
	bytes := k.Bytes()
	c.addBase(&acc, &bytes)
	var p grumpkin.G1Affine
	p.FromJacobian(&acc)
	return p
}

// lift returns the curve point with coordinate x and even y; ok is false when
// x³ - 17 is not a square.
func lift(x fp.Element) (p grumpkin.G1Affine, ok bool) {
	square := squareOfY(x)
	if p.Y.Sqrt(&square) == nil {
		return grumpkin.G1Affine{}, false
	}
	p.X = x
	if isOdd(&p.Y) {
		p.Y.Neg(&p.Y)
	}
	return p, true
}

// squareOfY is x³ - 17.
func squareOfY(x fp.Element) (square fp.Element) {
	var b fp.Element
	square.Square(&x).Mul(&square, &x)
	b.SetUint64(17)
	square.Sub(&square, &b)
	return square
}

func isOdd(y *fp.Element) bool { return y.Bits()[0]&1 == 1 }
