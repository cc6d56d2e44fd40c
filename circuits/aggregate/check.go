package aggregate

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
)

// check constrains, with s_0 = Σ r_i, s_j = Σ r_i·input_ij, s_4 = Σ r_i·h(D_i),
// L = Σ_j s_j·K_j + Σ r_i·D_i,
//
//	Π e(r_i·A_i, B_i) · e(-s_0·α, β) · e(L, -γ) · e(Σ r_i·C_i, -δ)
//	  · e(ρ·Σ r_i·D_i, G') · e(ρ·Σ r_i·PoK_i, G) = 1,
//
// the sum over all slots of r_i times Groth16's equation plus ρ·r_i times the
// commitment's, in the exponent. PairingCheck constrains each B_i to the subgroup.
func (d *definition) check() error {
	cv := d.curve
	var commitments, knowledge, thirds []*pointG1
	scalars := make([]frontend.Variable, len(d.key.points))
	for j := range scalars {
		scalars[j] = frontend.Variable(0)
	}
	var g1 []*pointG1
	var g2 []*sw_bn254.G2Affine
	for i := range d.Slots {
		slot, r := &d.Slots[i], d.coefficients[i]
		left, err := cv.sum([]*pointG1{&slot.Proof.A}, []scalar{r})
		if err != nil {
			return err
		}
		g1, g2 = append(g1, left), append(g2, &slot.Proof.B)
		commitments, knowledge = append(commitments, &slot.Proof.Commitment), append(knowledge, &slot.Proof.Knowledge)
		thirds = append(thirds, &slot.Proof.C)
		h, err := d.challenge(&slot.Proof.Commitment)
		if err != nil {
			return err
		}
		value := cv.value(r)
		for j, input := range []frontend.Variable{1, slot.Inputs[0], slot.Inputs[1], slot.Inputs[2], h} {
			scalars[j] = d.api.Add(scalars[j], d.api.Mul(value, input))
		}
	}
	sumC, err := cv.sum(thirds, d.coefficients)
	if err != nil {
		return err
	}
	sumD, err := cv.sum(commitments, d.coefficients)
	if err != nil {
		return err
	}
	sumK, err := cv.sum(knowledge, d.coefficients)
	if err != nil {
		return err
	}
	inputs := cv.fixedSum(sumD, d.key.points, scalars)
	alpha := cv.fixedSum(nil, []bn254.G1Affine{d.key.negativeAlpha}, scalars[:1])
	checkedD, checkedK := sumD, sumK
	if d.On("check: the commitments have their own coefficient") {
		if checkedD, err = cv.sum([]*pointG1{sumD}, []scalar{d.rho}); err != nil {
			return err
		}
		if checkedK, err = cv.sum([]*pointG1{sumK}, []scalar{d.rho}); err != nil {
			return err
		}
	}
	for _, fixed := range []struct {
		g1 *pointG1
		g2 bn254.G2Affine
	}{
		{alpha, d.key.beta}, {inputs, d.key.negativeGamma}, {sumC, d.key.negativeDelta},
		{checkedD, d.key.commitmentSigma}, {checkedK, d.key.commitmentBase},
	} {
		point := sw_bn254.NewG2AffineFixed(fixed.g2)
		g1, g2 = append(g1, fixed.g1), append(g2, &point)
	}
	var decide pairingCheck = d.pairing
	if d.decide != nil {
		decide = d.decide
	}
	err = decide.PairingCheck(g1, g2)
	// gnark leaves the lines of B in the circuit, where another compilation would take
	// them for wires of the witness instead of computing them.
	for i := range d.Slots {
		d.Slots[i].Proof.B.Lines = nil
	}
	return err
}
