package toycircuit

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
)

// ForgePoK turns a proof of inputs from, in gnark's raw encoding, into one of inputs to
// without a witness: it adds Σ (to - from)ᵢ·Kᵢ, divided by rho, to the proof of knowledge.
// A verifier of a ceremony's key, whose γ is the commitment's base, accepts that if it
// multiplies the commitment's pairing check into Groth16's with a coefficient rho that is
// known before the proof is (1, if it takes none). No sound verifier accepts it.
func (p *Prover) ForgePoK(proof []byte, from, to [3]settle.Element, rho fr.Element) ([]byte, error) {
	forged, err := gnarkcodec.Proof(proof)
	if err != nil {
		return nil, fmt.Errorf("decode toy proof: %w", err)
	}
	key := p.VerifyingKey.(*groth16bn254.VerifyingKey)
	rho.Inverse(&rho)
	for i := range from {
		var a, b fr.Element
		a.SetBytes(from[i][:])
		b.SetBytes(to[i][:])
		b.Sub(&b, &a).Mul(&b, &rho)
		var shift bn254.G1Affine
		shift.ScalarMultiplication(&key.G1.K[i+1], b.BigInt(new(big.Int)))
		forged.CommitmentPok.Add(&forged.CommitmentPok, &shift)
	}
	var buf bytes.Buffer
	if _, err := forged.WriteRawTo(&buf); err != nil {
		return nil, fmt.Errorf("encode toy proof: %w", err)
	}
	return buf.Bytes(), nil
}

// OffSubgroup returns a point of the twist that is not in G2: the first of small x.
func OffSubgroup() bn254.G2Affine {
	_, _, _, g := bn254.Generators()
	// The twist's constant is y² - x³ at the generator.
	var b, x3 bn254.E2
	b.Square(&g.Y)
	x3.Square(&g.X).Mul(&x3, &g.X)
	b.Sub(&b, &x3)
	for i := uint64(1); ; i++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(i)
		p.X.A1.SetOne()
		var y2 bn254.E2
		y2.Square(&p.X).Mul(&y2, &p.X).Add(&y2, &b)
		if y2.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y2)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
}
