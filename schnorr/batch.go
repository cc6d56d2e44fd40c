package schnorr

import (
	"crypto/rand"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/consensys/gnark-crypto/ecc/grumpkin/fp"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
)

// Signed is one signature to verify: Verify's arguments.
type Signed struct {
	Public    fr.Element
	Message   Message
	Signature Signature
}

// batchMinimum is the size below which one by one is faster.
const batchMinimum = 8

// VerifyBatch verifies signatures together: with random 128-bit z_i it checks
// Σ z_i·(s_i·G - R_i - e_i·A_i) = 0 by one multi-exponentiation, which bad ones
// pass with probability 2^-128. If it does not hold, each is verified alone.
//
// invalid is nil when all verify; otherwise it has the length of items, and
// names what is wrong with each bad one as Verify does. Two fifths of either
// is hashing, so the gain is the cores that the multi-exponentiation uses;
// on one core the two are level (BenchmarkVerifyBatch). err reports a failing
// random (crypto/rand's if nil), and nothing about the signatures.
func VerifyBatch(items []Signed, random io.Reader) (invalid []error, err error) {
	if random == nil {
		random = rand.Reader
	}
	if len(items) >= batchMinimum {
		ok, err := holdTogether(items, random)
		if err != nil || ok {
			return nil, err
		}
	}
	for i, item := range items {
		if bad := Verify(item.Public, item.Message, item.Signature); bad != nil {
			if invalid == nil {
				invalid = make([]error, len(items))
			}
			invalid[i] = bad
		}
	}
	return invalid, nil
}

func holdTogether(items []Signed, random io.Reader) (bool, error) {
	coefficients := make([]byte, 16*len(items))
	if _, err := io.ReadFull(random, coefficients); err != nil {
		return false, fmt.Errorf("draw batch coefficients: %w", err)
	}
	_, generator := grumpkin.Generators()
	points := make([]grumpkin.G1Affine, 1, 2*len(items)+1)
	scalars := make([]scalar.Element, 1, 2*len(items)+1)
	points[0] = generator // its scalar is Σ z_i·s_i
	for i, item := range items {
		s, err := item.Signature.scalar()
		if err != nil {
			return false, nil
		}
		a, okA := lift(fp.Element(item.Public))
		r, okR := lift(fp.Element(item.Signature.RX))
		if !okA || !okR {
			return false, nil
		}
		var z scalar.Element
		z.SetBytes(coefficients[16*i : 16*i+16])
		scalars[0].Add(&scalars[0], s.Mul(&s, &z))
		e := EndomorphismScalar(Challenge(item.Signature.RX, item.Public, item.Message))
		e.Mul(&e, &z)
		points = append(points, r, a)
		scalars = append(scalars, *z.Neg(&z), *e.Neg(&e))
	}
	var sum grumpkin.G1Jac
	if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		return false, fmt.Errorf("multi-exponentiation: %w", err)
	}
	return sum.Z.IsZero(), nil
}
