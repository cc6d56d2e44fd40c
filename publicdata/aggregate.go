package publicdata

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/poseidon"
)

// AggregateTag is the tag of the sponge over the inputs of aggregated proofs.
const AggregateTag = 3

// AggregateWords returns W = (c_1, ζ_1, v_1, c_2, …): the public inputs of the
// proofs that one aggregate proof stands for, in the order of their batches.
func AggregateWords(inputs [][3]fr.Element) []fr.Element {
	words := make([]fr.Element, 0, 3*len(inputs))
	for _, in := range inputs {
		words = append(words, in[:]...)
	}
	return words
}

// AggregateCommitment returns C, the digest of W padded with zeros to the slots of
// the circuit; the number of proofs enters the capacity lane. Returns ErrCapacity
// for no proof or more than slots.
func AggregateCommitment(h *poseidon.Hasher, slots int, inputs [][3]fr.Element) (fr.Element, error) {
	if len(inputs) < 1 || len(inputs) > slots {
		return fr.Element{}, fmt.Errorf("%w: %d proofs for %d slots", ErrCapacity, len(inputs), slots)
	}
	words := append(AggregateWords(inputs), make([]fr.Element, 3*(slots-len(inputs)))...)
	return h.SpongeOf(AggregateTag, uint32(len(inputs)), words), nil
}

// AggregateInputs returns (C, Z, V), the public inputs of the aggregate circuit in
// order: Z = Challenge(C, W), V = Evaluate(W, Z).
func AggregateInputs(h *poseidon.Hasher, slots int, inputs [][3]fr.Element) ([3]fr.Element, error) {
	c, err := AggregateCommitment(h, slots, inputs)
	if err != nil {
		return [3]fr.Element{}, err
	}
	words := AggregateWords(inputs)
	z := Challenge(c, words)
	return [3]fr.Element{c, z, Evaluate(words, z)}, nil
}
