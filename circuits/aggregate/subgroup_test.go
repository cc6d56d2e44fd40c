package aggregate

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
)

// The prime factors of the order of the twist E'(Fp²) other than r.
func cofactorPrimes() []*big.Int {
	return []*big.Int{
		big.NewInt(10069), big.NewInt(5864401), big.NewInt(1875725156269),
		mustInt("197620364512881247228717050342013327560683201906968909"),
	}
}

// twistPoint returns a point of E'(Fp²) of exactly the given prime order.
func twistPoint(t testing.TB, order *big.Int) bn254.G2Affine {
	t.Helper()
	cofactor := fr.Modulus()
	for _, l := range cofactorPrimes() {
		if l.Cmp(order) != 0 {
			cofactor.Mul(cofactor, l)
		}
	}
	if order.Cmp(fr.Modulus()) == 0 {
		cofactor.Div(cofactor, fr.Modulus())
	}
	random := rand.New(rand.NewPCG(7, order.Uint64()))
	for {
		var p bn254.G2Affine
		p.X.A0.SetUint64(random.Uint64())
		p.X.A1.SetUint64(random.Uint64())
		var y2 bn254.E2
		y2.Square(&p.X).Mul(&y2, &p.X)
		b := twistB()
		y2.Add(&y2, &b)
		if y2.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y2)
		require.True(t, p.IsOnCurve())
		if q := multiple(p, cofactor); !q.IsInfinity() {
			zero := multiple(q, order)
			require.True(t, zero.IsInfinity())
			return q
		}
	}
}

func twistB() bn254.E2 {
	_, _, _, g2 := bn254.Generators()
	var b, x3 bn254.E2
	b.Square(&g2.Y)
	x3.Square(&g2.X).Mul(&x3, &g2.X)
	return *b.Sub(&b, &x3)
}

// multiple is double and add: gnark-crypto's ScalarMultiplication assumes order r.
func multiple(p bn254.G2Affine, k *big.Int) bn254.G2Affine {
	var acc bn254.G2Jac
	acc.X.SetOne()
	acc.Y.SetOne()
	if k.Sign() < 0 {
		p.Neg(&p)
		k = new(big.Int).Neg(k)
	}
	for i := k.BitLen() - 1; i >= 0; i-- {
		acc.DoubleAssign()
		if k.Bit(i) == 1 {
			acc.AddMixed(&p)
		}
	}
	var out bn254.G2Affine
	out.FromJacobian(&acc)
	return out
}

// psi is the untwist-Frobenius-twist endomorphism.
func psi(p bn254.G2Affine) bn254.G2Affine {
	var u, v bn254.E2
	u.A0.SetBigInt(mustInt("21575463638280843010398324269430826099269044274347216827212613867836435027261"))
	u.A1.SetBigInt(mustInt("10307601595873709700152284273816112264069230130616436755625194854815875713954"))
	v.A0.SetBigInt(mustInt("2821565182194536844548159561693502659359617185244120367078079554186484126554"))
	v.A1.SetBigInt(mustInt("3505843767911556378687030309984248845540243509899259641013678093033130930403"))
	var out bn254.G2Affine
	out.X.Conjugate(&p.X)
	out.X.Mul(&out.X, &u)
	out.Y.Conjugate(&p.Y)
	out.Y.Mul(&out.Y, &v)
	return out
}

// millerDigits is 6x₀+2 in the digits of gnark's Miller loop, low first.
func millerDigits() []int {
	return []int{
		0, 0, 0, 1, 0, 1, 0, -1, 0, 0, -1,
		0, 0, 0, 1, 0, 0, -1, 0, -1, 0, 0,
		0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0,
		1, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0,
		-1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 0,
		-1, 0, -1, 0, 0, 0, 1, 0, -1, 0, 1,
	}
}

// TestSubgroupArgument computes what docs/adr/0009-aggregation.md argues from.
// E'(Fp²) has the squarefree order r·h, so it is cyclic and ψ multiplies by an integer
// μ modulo each prime l of the order. For no l does the Miller loop's computation of
// [6x₀+2]B or of [6x₀+2]B + ψB + ψ³B meet equal or opposite points, so both are exact
// for every B that is not infinity; and [6x₀+2] + μ - μ² + μ³ is 0 modulo r alone.
func TestSubgroupArgument(t *testing.T) {
	order := new(big.Int).Set(fr.Modulus())
	for _, l := range cofactorPrimes() {
		require.True(t, l.ProbablyPrime(20))
		order.Mul(order, l)
	}
	// #E'(Fp²) = r·(2p - r).
	twice := new(big.Int).Lsh(fp.Modulus(), 1)
	require.Equal(t, twice.Sub(twice, fr.Modulus()), new(big.Int).Div(order, fr.Modulus()))

	for _, l := range append(cofactorPrimes(), fr.Modulus()) {
		q := twistPoint(t, l)
		mu := psiModulo(t, q, l)
		vanishes := func(k *big.Int) bool { return new(big.Int).Mod(k, l).Sign() == 0 }
		distinct := func(a, b *big.Int, what string) {
			require.False(t, vanishes(new(big.Int).Sub(a, b)), "%s: equal points of order %s", what, l)
			require.False(t, vanishes(new(big.Int).Add(a, b)), "%s: opposite points of order %s", what, l)
		}
		one := big.NewInt(1)
		digits := millerDigits()
		k := big.NewInt(1)
		for i := len(digits) - 2; i >= 0; i-- {
			if digits[i] == 0 {
				k.Lsh(k, 1)
				continue
			}
			// 2kQ ± Q is (kQ ± Q) + kQ; for k = 2 it is 2Q + Q, of the same points.
			sum := new(big.Int).Add(k, big.NewInt(int64(digits[i])))
			distinct(k, one, "k·Q ± Q")
			distinct(sum, k, "(k±1)·Q + k·Q")
			k.Add(sum, k)
		}
		x0 := big.NewInt(4965661367192848881)
		want := new(big.Int).Mul(x0, big.NewInt(6))
		require.Equal(t, want.Add(want, big.NewInt(2)), k, "the digits are 6x₀+2")
		square := new(big.Int).Mul(mu, mu)
		cube := new(big.Int).Mul(square, mu)
		distinct(k, mu, "[6x₀+2]Q + ψQ")
		sum := new(big.Int).Add(k, mu)
		if l.Cmp(fr.Modulus()) != 0 {
			distinct(sum, cube, "… + ψ³Q")
		} else {
			require.False(t, vanishes(new(big.Int).Sub(sum, cube)))
		}
		sum.Add(sum, cube).Sub(sum, square)
		require.Equal(t, l.Cmp(fr.Modulus()) == 0, vanishes(sum), "the relation modulo %s", l)
	}
}

// psiModulo finds μ with ψ(q) = μ·q: a root of X² - tX + p modulo the order of q.
func psiModulo(t *testing.T, q bn254.G2Affine, l *big.Int) *big.Int {
	t.Helper()
	trace := new(big.Int).Sub(fp.Modulus(), fr.Modulus())
	trace.Add(trace, big.NewInt(1))
	discriminant := new(big.Int).Mul(trace, trace)
	discriminant.Sub(discriminant, new(big.Int).Lsh(fp.Modulus(), 2)).Mod(discriminant, l)
	root := new(big.Int).ModSqrt(discriminant, l)
	require.NotNil(t, root)
	half := new(big.Int).ModInverse(big.NewInt(2), l)
	image := psi(q)
	for _, s := range []*big.Int{root, new(big.Int).Neg(root)} {
		mu := new(big.Int).Add(trace, s)
		mu.Mul(mu, half).Mod(mu, l)
		if m := multiple(q, mu); m.Equal(&image) {
			return mu
		}
	}
	t.Fatalf("ψ is no multiplication modulo %s", l)
	return nil
}
