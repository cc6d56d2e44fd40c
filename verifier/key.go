package verifier

import (
	"math/big"

	"github.com/consensys/gnark/backend/groth16"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
)

// KeyWords is the number of 32-byte words of a verifying key.
const KeyWords = provingkeys.KeyWords

// Public inputs and commitments of every circuit of ours.
const (
	publicInputs = provingkeys.PublicInputs
	commitments  = provingkeys.Commitments
)

// ErrBadKey reports a verifying key that must not be deployed or used.
var ErrBadKey = provingkeys.ErrBadKey

// Words returns the key as the 32 base field elements that the constructor of
// Groth16Verifier takes (provingkeys.Words gives their order). ErrBadKey when the
// key is not for three public inputs and one commitment to private wires only.
func Words(vk groth16.VerifyingKey) ([KeyWords]*big.Int, error) {
	words, err := provingkeys.Words(vk)
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
func KeyHash(vk groth16.VerifyingKey) (settle.KeyHash, error) { return provingkeys.KeyHash(vk) }

// CheckKey refuses with ErrBadKey what the constructor of Groth16Verifier refuses.
func CheckKey(vk groth16.VerifyingKey) error { return provingkeys.CheckKey(vk) }
