package gadget

import (
	"crypto/sha256"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// hashToCurveNaive is RFC 9380's hash_to_curve for y² = x³ - 17 by its
// definitions: expand_message_xmd (5.3.1) with SHA-256, hash_to_field (5.2) with
// L = 48, the Shallue-van de Woestijne map (6.6.1) with Z found as in appendix
// H.1, and an affine addition. Plain big.Int, no curve code.
func hashToCurveNaive(msg, dst []byte) (x, y *big.Int) {
	uniform := expandNaive(msg, dst, 96)
	x0, y0 := mapNaive(reduce(new(big.Int).SetBytes(uniform[:48])))
	x1, y1 := mapNaive(reduce(new(big.Int).SetBytes(uniform[48:])))
	slope := times(minus(y0, y1), inverse(minus(x0, x1)))
	x = minus(minus(times(slope, slope), x0), x1)
	return x, minus(times(slope, minus(x0, x)), y0)
}

func expandNaive(msg, dst []byte, length int) []byte {
	suffix := append(append([]byte{}, dst...), byte(len(dst)))
	sum := func(parts ...[]byte) []byte {
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	b0 := sum(make([]byte, 64), msg, []byte{byte(length >> 8), byte(length), 0}, suffix)
	block := sum(b0, []byte{1}, suffix)
	out := append([]byte{}, block...)
	for i := byte(2); len(out) < length; i++ {
		mixed := make([]byte, len(b0))
		for j := range mixed {
			mixed[j] = b0[j] ^ block[j]
		}
		block = sum(mixed, []byte{i}, suffix)
		out = append(out, block...)
	}
	return out[:length]
}

func reduce(a *big.Int) *big.Int   { return a.Mod(a, fr.Modulus()) }
func times(a, b *big.Int) *big.Int { return reduce(new(big.Int).Mul(a, b)) }
func minus(a, b *big.Int) *big.Int { return reduce(new(big.Int).Sub(a, b)) }
func inverse(a *big.Int) *big.Int  { return new(big.Int).ModInverse(a, fr.Modulus()) }
func isSquare(a *big.Int) bool     { return big.Jacobi(a, fr.Modulus()) >= 0 }

// gOf is x³ - 17.
func gOf(x *big.Int) *big.Int { return minus(times(x, times(x, x)), big.NewInt(17)) }

// findZ is find_z_svdw of appendix H.1.
func findZ() *big.Int {
	for ctr := int64(1); ; ctr++ {
		for _, candidate := range []int64{ctr, -ctr} {
			z := reduce(big.NewInt(candidate))
			g := gOf(z)
			if g.Sign() == 0 {
				continue
			}
			h := times(minus(new(big.Int), times(big.NewInt(3), times(z, z))), inverse(times(big.NewInt(4), g)))
			if h.Sign() == 0 || !isSquare(h) {
				continue
			}
			if isSquare(g) || isSquare(gOf(times(minus(new(big.Int), z), inverse(big.NewInt(2))))) {
				return z
			}
		}
	}
}

func mapNaive(u *big.Int) (x, y *big.Int) {
	z := findZ()
	g, one, threeZ2 := gOf(z), big.NewInt(1), times(big.NewInt(3), times(z, z))
	tv1 := times(times(u, u), g)
	tv2 := reduce(new(big.Int).Add(one, tv1))
	tv1 = minus(one, tv1)
	tv3 := inverse(times(tv1, tv2))
	tv4 := new(big.Int).ModSqrt(times(minus(new(big.Int), g), threeZ2), fr.Modulus())
	if tv4.Bit(0) == 1 {
		tv4 = minus(new(big.Int), tv4)
	}
	tv5 := times(times(times(u, tv1), tv3), tv4)
	tv6 := times(times(big.NewInt(-4), g), inverse(threeZ2))
	half := times(minus(new(big.Int), z), inverse(big.NewInt(2)))
	x1, x2 := minus(half, tv5), reduce(new(big.Int).Add(half, tv5))
	x3 := times(times(tv2, tv2), tv3)
	x3 = reduce(x3.Add(times(tv6, times(x3, x3)), z))
	switch {
	case isSquare(gOf(x1)):
		x = x1
	case isSquare(gOf(x2)):
		x = x2
	default:
		x = x3
	}
	y = new(big.Int).ModSqrt(gOf(x), fr.Modulus())
	if y.Bit(0) != u.Bit(0) {
		y = minus(new(big.Int), y)
	}
	return x, y
}
