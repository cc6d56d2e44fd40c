package verifier

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
)

// KeyWords is the number of 32-byte words of a verifying key.
const KeyWords = 32

// Public inputs and commitments of every circuit of ours.
const (
	publicInputs = 3
	commitments  = 1
	kPoints      = 1 + publicInputs + commitments // the first is the constant's
)

// ErrBadKey reports a verifying key that must not be deployed or used.
var ErrBadKey = errors.New("bad verifying key")

// Words returns the key as the 32 base field elements that the constructor of
// Groth16Verifier takes: α; β, γ, δ; K for the constant, c, ζ, v and the
// commitment; G, GSigmaNeg. G1 points as (x, y), G2 points as (x1, x0, y1, y0),
// the order of the EVM. ErrBadKey when the key is not for three public inputs
// and one commitment to private wires only.
func Words(vk groth16.VerifyingKey) ([KeyWords]*big.Int, error) {
	words, err := elements(vk)
	if err != nil {
		return [KeyWords]*big.Int{}, err
	}
	var out [KeyWords]*big.Int
	for i := range words {
		out[i] = words[i].BigInt(new(big.Int))
	}
	return out, nil
}

// KeyHash returns SHA-256 of the 32 words, big-endian. Groth16Verifier computes
// the same on L1.
func KeyHash(vk groth16.VerifyingKey) (settle.KeyHash, error) {
	words, err := elements(vk)
	if err != nil {
		return settle.KeyHash{}, err
	}
	h := sha256.New()
	for i := range words {
		b := words[i].Bytes()
		h.Write(b[:])
	}
	return settle.KeyHash(h.Sum(nil)), nil
}

func elements(vk groth16.VerifyingKey) ([KeyWords]fp.Element, error) {
	var words [KeyWords]fp.Element
	k, err := concrete(vk)
	if err != nil {
		return words, err
	}
	n := 0
	g1 := func(p *bn254.G1Affine) { n += copy(words[n:], []fp.Element{p.X, p.Y}) }
	g2 := func(p *bn254.G2Affine) { n += copy(words[n:], []fp.Element{p.X.A1, p.X.A0, p.Y.A1, p.Y.A0}) }
	g1(&k.G1.Alpha)
	g2(&k.G2.Beta)
	g2(&k.G2.Gamma)
	g2(&k.G2.Delta)
	for i := range k.G1.K {
		g1(&k.G1.K[i])
	}
	g2(&k.CommitmentKeys[0].G)
	g2(&k.CommitmentKeys[0].GSigmaNeg)
	return words, nil
}

// concrete checks curve and numbers.
func concrete(vk groth16.VerifyingKey) (*groth16bn254.VerifyingKey, error) {
	k, ok := vk.(*groth16bn254.VerifyingKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %T, expected one over BN254", ErrBadKey, vk)
	case len(k.CommitmentKeys) != commitments || len(k.PublicAndCommitmentCommitted) != commitments:
		return nil, fmt.Errorf("%w: %d commitments, expected %d", ErrBadKey, len(k.CommitmentKeys), commitments)
	case len(k.G1.K) != kPoints:
		return nil, fmt.Errorf("%w: %d public inputs, expected %d", ErrBadKey, len(k.G1.K)-1-commitments, publicInputs)
	case len(k.PublicAndCommitmentCommitted[0]) != 0:
		return nil, fmt.Errorf("%w: public inputs are committed", ErrBadKey)
	}
	return k, nil
}

// CheckKey refuses with ErrBadKey what the constructor of Groth16Verifier
// refuses: points at infinity, off the curve or outside the subgroup, and the
// relations between points that allow a forgery or betray an unfinished setup.
// γ = generator passes: a ceremony gives that.
func CheckKey(vk groth16.VerifyingKey) error {
	k, err := concrete(vk)
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
