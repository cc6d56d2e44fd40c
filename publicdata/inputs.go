package publicdata

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
)

// BatchInputs returns (c, ζ, v) of stored words and their commitment: what a proof of
// the batch must have as its public inputs. It is the one ζ that L1 takes; the circuit
// holds v = D(ζ) for any. ErrMalformed for bytes that are not below the modulus.
func BatchInputs(c settle.Element, words []settle.Element) ([3]settle.Element, error) {
	elements, err := elementsOf(words)
	if err != nil {
		return [3]settle.Element{}, err
	}
	return inputsFor(c, elements)
}

// GroupInputs returns (C, Z, V) for a proof that stands for those with these inputs, in
// the order of their batches. C is the proof's own, as on L1: if it is not the commitment
// to the inputs, no proof holds for this Z and V. ErrMalformed as of BatchInputs.
func GroupInputs(c settle.Element, batches [][3]settle.Element) ([3]settle.Element, error) {
	words := make([]settle.Element, 0, 3*len(batches))
	for _, b := range batches {
		words = append(words, b[:]...)
	}
	return BatchInputs(c, words)
}

func inputsFor(c settle.Element, words []fr.Element) ([3]settle.Element, error) {
	var commitment fr.Element
	if err := commitment.SetBytesCanonical(c[:]); err != nil {
		return [3]settle.Element{}, fmt.Errorf("%w: commitment: %w", ErrMalformed, err)
	}
	zeta := Challenge(commitment, words)
	v := Evaluate(words, zeta)
	return [3]settle.Element{c, zeta.Bytes(), v.Bytes()}, nil
}

func elementsOf(words []settle.Element) ([]fr.Element, error) {
	out := make([]fr.Element, len(words))
	for i := range words {
		if err := out[i].SetBytesCanonical(words[i][:]); err != nil {
			return nil, fmt.Errorf("%w: word %d: %w", ErrMalformed, i, err)
		}
	}
	return out, nil
}
