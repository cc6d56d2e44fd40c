package poseidon_test

// The paper's condition on the internal matrix (eprint 2023/323, section 5.3):
// the minimal polynomials of M, M², … M^2t are irreducible of degree t, so that
// no subspace trail avoids the S-box for ever. For degree t this says that the
// characteristic polynomial is irreducible.

import "math/big"

// polynomial has the coefficient of x^i at i; the last one is not zero.
type polynomial []*big.Int

type polynomials struct{ p *big.Int }

func (k polynomials) trim(f polynomial) polynomial {
	for len(f) > 0 && f[len(f)-1].Sign() == 0 {
		f = f[:len(f)-1]
	}
	return f
}

// mod returns f mod g.
func (k polynomials) mod(f, g polynomial) polynomial {
	f = k.trim(append(polynomial{}, f...))
	lead := new(big.Int).ModInverse(g[len(g)-1], k.p)
	for len(f) >= len(g) {
		factor := new(big.Int).Mul(f[len(f)-1], lead)
		shift := len(f) - len(g)
		for i := range g {
			c := new(big.Int).Mul(factor, g[i])
			f[shift+i] = c.Mod(c.Sub(f[shift+i], c), k.p)
		}
		f = k.trim(f)
	}
	return f
}

func (k polynomials) mulMod(a, b, g polynomial) polynomial {
	product := make(polynomial, len(a)+len(b))
	for i := range product {
		product[i] = new(big.Int)
	}
	for i := range a {
		for j := range b {
			product[i+j].Add(product[i+j], new(big.Int).Mul(a[i], b[j]))
		}
	}
	for i := range product {
		product[i].Mod(product[i], k.p)
	}
	return k.mod(product, g)
}

// frobenius returns f^p mod g.
func (k polynomials) frobenius(f, g polynomial) polynomial {
	result := polynomial{big.NewInt(1)}
	for i := k.p.BitLen() - 1; i >= 0; i-- {
		if result = k.mulMod(result, result, g); k.p.Bit(i) == 1 {
			result = k.mulMod(result, f, g)
		}
	}
	return result
}

func (k polynomials) minusX(f polynomial) polynomial {
	f = append(polynomial{}, f...)
	for len(f) < 2 {
		f = append(f, new(big.Int))
	}
	f[1] = new(big.Int).Mod(new(big.Int).Sub(f[1], big.NewInt(1)), k.p)
	return k.trim(f)
}

// irreducible is Rabin's test for a monic f whose degree is a power of two:
// x^(p^t) = x mod f, and x^(p^(t/2)) - x is prime to f.
func (k polynomials) irreducible(f polynomial) bool {
	degree := len(f) - 1
	power := polynomial{new(big.Int), big.NewInt(1)}
	for step := 1; step <= degree; step++ {
		power = k.frobenius(power, f)
		if step == degree/2 {
			a, b := f, k.minusX(power)
			for len(b) > 0 {
				a, b = b, k.mod(a, b)
			}
			if len(a) != 1 {
				return false
			}
		}
	}
	return len(k.minusX(power)) == 0
}

// characteristic is the characteristic polynomial by Faddeev and LeVerrier.
func (k polynomials) characteristic(m [][]*big.Int) polynomial {
	t := len(m)
	f := make(polynomial, t+1)
	f[t] = big.NewInt(1)
	auxiliary := matrix(t, func(_, _ int) *big.Int { return new(big.Int) })
	for i := 1; i <= t; i++ {
		for d := range t {
			auxiliary[d][d] = new(big.Int).Add(auxiliary[d][d], f[t-i+1])
		}
		auxiliary = k.multiply(m, auxiliary)
		trace := new(big.Int)
		for d := range t {
			trace.Add(trace, auxiliary[d][d])
		}
		trace.Mul(trace, new(big.Int).ModInverse(big.NewInt(int64(i)), k.p))
		f[t-i] = trace.Mod(trace.Neg(trace), k.p)
	}
	return f
}

func (k polynomials) multiply(a, b [][]*big.Int) [][]*big.Int {
	return matrix(len(a), func(i, j int) *big.Int {
		sum := new(big.Int)
		for l := range b {
			sum.Add(sum, new(big.Int).Mul(a[i][l], b[l][j]))
		}
		return sum.Mod(sum, k.p)
	})
}

// secure reports the paper's condition for M.
func (k polynomials) secure(m [][]*big.Int) bool {
	power := m
	for range 2 * len(m) {
		if !k.irreducible(k.characteristic(power)) {
			return false
		}
		power = k.multiply(m, power)
	}
	return true
}
