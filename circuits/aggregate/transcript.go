package aggregate

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
)

// Tags of the transcript and of what is squeezed from it.
const (
	transcriptTag  = 4
	coefficientTag = "settle/aggregate/r/v1"
)

// transcript draws r_i for every slot and ρ. They depend on the key, the number of
// slots and every limb and input of every slot, so that no proof can be chosen with
// its coefficient in view.
func (d *definition) transcript() error {
	words := []frontend.Variable{d.key.idLow, d.key.idHigh, len(d.Slots)}
	for i := range d.Slots {
		if d.On("transcript: it holds the proofs") {
			words = append(words, d.proofWords(&d.Slots[i].Proof)...)
		}
		if d.On("transcript: it holds the inputs") {
			words = append(words, d.Slots[i].Inputs[:]...)
		}
	}
	seed, err := d.poseidon.Sponge(transcriptTag, words)
	if err != nil {
		return err
	}
	d.coefficients = make([]scalar, len(d.Slots))
	for i := range d.Slots {
		if d.coefficients[i], err = d.squeeze(seed, i); err != nil {
			return err
		}
	}
	if !d.On("transcript: one coefficient for each proof") {
		for i := range d.coefficients {
			d.coefficients[i] = d.coefficients[0]
		}
	}
	d.rho, err = d.squeeze(seed, len(d.Slots))
	return err
}

// squeeze reads coefficient k as the low 128 bits of P4(seed, k, tag, 0)[0] + seed.
func (d *definition) squeeze(seed frontend.Variable, k int) (scalar, error) {
	h, err := d.poseidon.Hash4([4]frontend.Variable{seed, k, poseidon.Tag(coefficientTag), 0})
	if err != nil {
		return scalar{}, err
	}
	bits, err := gadget.LowBits(d.api, d.ranges, h)
	if err != nil {
		return scalar{}, err
	}
	return newScalar(bits), nil
}

// proofWords packs the limbs of a proof's points, three of 64 bits to a word.
func (d *definition) proofWords(p *Proof) []frontend.Variable {
	var words []frontend.Variable
	for _, coordinates := range [][]*baseElement{
		{&p.A.X, &p.A.Y}, {&p.B.P.X.A0, &p.B.P.X.A1, &p.B.P.Y.A0, &p.B.P.Y.A1}, {&p.C.X, &p.C.Y},
		{&p.Commitment.X, &p.Commitment.Y}, {&p.Knowledge.X, &p.Knowledge.Y},
	} {
		var limbs []frontend.Variable
		for _, e := range coordinates {
			limbs = append(limbs, d.curve.fp.Reduce(e).Limbs...)
		}
		for start := 0; start < len(limbs); start += 3 {
			word := frontend.Variable(0)
			for k, limb := range limbs[start:min(start+3, len(limbs))] {
				word = d.api.Add(word, d.api.Mul(limb, new(big.Int).Lsh(big.NewInt(1), uint(64*k))))
			}
			words = append(words, word)
		}
	}
	return words
}

// challenge is the field element that the inner proof's commitment stands for:
// SHA-256(x ‖ y) mod r, of coordinates below p.
func (d *definition) challenge(point *pointG1) (frontend.Variable, error) {
	var message []frontend.Variable
	for _, e := range []*baseElement{&point.X, &point.Y} {
		bits := d.curve.fp.ToBits(d.curve.fp.Reduce(e))
		if d.On("check: the hashed commitment is canonical") {
			bits = d.curve.fp.ToBitsCanonical(e)
		}
		message = append(message, 0, 0)
		if len(bits) < 254 {
			return nil, fmt.Errorf("a coordinate of %d bits", len(bits))
		}
		for k := 253; k >= 0; k-- {
			message = append(message, bits[k])
		}
	}
	value := frontend.Variable(0)
	for k, bit := range (sha2{d.api}).sum64(message) {
		weight := new(big.Int).Lsh(big.NewInt(1), uint(255-k))
		value = d.api.Add(value, d.api.Mul(bit, weight.Mod(weight, fr.Modulus())))
	}
	return value, nil
}
