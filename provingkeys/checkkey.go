package provingkeys

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
)

// CheckKey refuses with ErrBadKey what the constructor of Groth16Verifier
// refuses: points at infinity, off the curve or outside the subgroup, and the
// relations between points that allow a forgery or betray an unfinished setup.
// γ = generator passes: a ceremony gives that.
func CheckKey(vk groth16.VerifyingKey) error {
	k, err := Concrete(vk)
	if err != nil {
		return err
	}
	if err := checkPoints(k); err != nil {
		return err
	}
	_, _, g1, g2 := bn254.Generators()
	beta, gamma, delta := &k.G2.Beta, &k.G2.Gamma, &k.G2.Delta
	base, sigma := &k.CommitmentKeys[0].G, &k.CommitmentKeys[0].GSigmaNeg
	for _, relation := range []struct {
		holds  bool
		reason string
	}{
		{k.G1.Alpha.X.Equal(&g1.X), "alpha is a generator"},
		{sameX(beta, &g2), "beta is a generator"},
		{sameX(delta, gamma), "delta is gamma"},
		{sameX(delta, &g2), "delta is a generator"},
		{sameX(beta, gamma), "beta is gamma"},
		{sameX(beta, delta), "beta is delta"},
		{sameX(sigma, base), "commitment secret is one"},
	} {
		if relation.holds {
			return fmt.Errorf("%w: %s", ErrBadKey, relation.reason)
		}
	}
	return nil
}

// sameX: equal or opposite.
func sameX(a, b *bn254.G2Affine) bool { return a.X.Equal(&b.X) }

func checkPoints(k *groth16bn254.VerifyingKey) error {
	g1 := func(name string, p *bn254.G1Affine) error {
		return checkPoint(name, p.IsInfinity(), p.IsInSubGroup())
	}
	g2 := func(name string, p *bn254.G2Affine) error {
		return checkPoint(name, p.IsInfinity(), p.IsInSubGroup())
	}
	errs := []error{
		g1("alpha", &k.G1.Alpha),
		g2("beta", &k.G2.Beta), g2("gamma", &k.G2.Gamma), g2("delta", &k.G2.Delta),
		g2("G", &k.CommitmentKeys[0].G), g2("GSigmaNeg", &k.CommitmentKeys[0].GSigmaNeg),
	}
	for i := range k.G1.K {
		errs = append(errs, g1(fmt.Sprintf("K[%d]", i), &k.G1.K[i]))
	}
	return errors.Join(errs...)
}

func checkPoint(name string, infinity, inSubgroup bool) error {
	switch {
	case infinity:
		return fmt.Errorf("%w: %s is the point at infinity", ErrBadKey, name)
	case !inSubgroup:
		return fmt.Errorf("%w: %s is off the curve or outside the subgroup", ErrBadKey, name)
	}
	return nil
}
