package provingkeys

import (
	"crypto/sha256"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
)

// The public face of every circuit of ours.
const (
	PublicInputs = gnarkcodec.PublicInputs // c, ζ, v
	Commitments  = gnarkcodec.Commitments
	KeyWords     = 32 // 32-byte words of a verifying key

	kPoints = 1 + PublicInputs + Commitments // the first is the constant's
)

// Concrete returns vk as a key over BN254. ErrBadKey when it is not for three
// public inputs and one commitment to private wires only.
func Concrete(vk groth16.VerifyingKey) (*groth16bn254.VerifyingKey, error) {
	k, ok := vk.(*groth16bn254.VerifyingKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %T, expected one over BN254", ErrBadKey, vk)
	case len(k.CommitmentKeys) != Commitments || len(k.PublicAndCommitmentCommitted) != Commitments:
		return nil, fmt.Errorf("%w: %d commitments, expected %d", ErrBadKey, len(k.CommitmentKeys), Commitments)
	case len(k.G1.K) != kPoints:
		return nil, fmt.Errorf("%w: %d public inputs, expected %d", ErrBadKey, len(k.G1.K)-1-Commitments, PublicInputs)
	case len(k.PublicAndCommitmentCommitted[0]) != 0:
		return nil, fmt.Errorf("%w: public inputs are committed", ErrBadKey)
	}
	return k, nil
}

// Words returns the key as the base field elements that the constructor of the
// contract Groth16Verifier takes: α; β, γ, δ; K for the constant, c, ζ, v and the
// commitment; G, GSigmaNeg. G1 points as (x, y), G2 points as (x1, x0, y1, y0), the
// order of the EVM. Errors as of Concrete.
func Words(vk groth16.VerifyingKey) ([KeyWords]fp.Element, error) {
	var words [KeyWords]fp.Element
	k, err := Concrete(vk)
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

// KeyHash returns SHA-256 of the 32 words, big-endian. The contract computes the
// same at its deployment. Errors as of Concrete.
func KeyHash(vk groth16.VerifyingKey) (settle.KeyHash, error) {
	words, err := Words(vk)
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
