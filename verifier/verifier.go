// Package verifier checks proofs natively, by key hash, and turns proofs and
// verifying keys into what the contracts on L1 take. Package bindings below it
// holds the contracts. Both sides accept the same proofs.
package verifier

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
)

// ErrUnknownKey reports a proof under a key that this process does not have.
var ErrUnknownKey = errors.New("unknown verifying key")

// Key is a verifying key of one circuit and shape. Its hash identifies it.
type Key struct {
	Circuit string
	Shape   string
	Hash    settle.KeyHash
	vk      *groth16bn254.VerifyingKey
}

// NewKey checks vk (CheckKey) and hashes it. It keeps a copy whose hidden products
// (e(α, β), -γ, -δ), by which gnark verifies, are those of the points that were hashed.
func NewKey(circuit, shape string, vk groth16.VerifyingKey) (*Key, error) {
	if err := CheckKey(vk); err != nil {
		return nil, fmt.Errorf("key of %s/%s: %w", circuit, shape, err)
	}
	hash, err := KeyHash(vk)
	if err != nil {
		return nil, fmt.Errorf("key of %s/%s: %w", circuit, shape, err)
	}
	own, err := provingkeys.Concrete(vk)
	if err != nil {
		return nil, fmt.Errorf("key of %s/%s: %w", circuit, shape, err)
	}
	k := *own
	if err := k.Precompute(); err != nil {
		return nil, fmt.Errorf("key of %s/%s: %w", circuit, shape, err)
	}
	return &Key{circuit, shape, hash, &k}, nil
}

// Verifier holds the known keys by hash. It is immutable and safe for
// concurrent use.
type Verifier struct{ keys map[settle.KeyHash]*Key }

// New returns a Verifier that knows keys.
func New(keys ...*Key) *Verifier {
	v := &Verifier{make(map[settle.KeyHash]*Key, len(keys))}
	for _, k := range keys {
		v.keys[k.Hash] = k
	}
	return v
}

// Verify accepts the proof iff it holds under the key that the envelope names
// for the circuit and shape that it names. A proof that does not hold is a
// *settle.Refusal; a key that is not known is ErrUnknownKey.
func (v *Verifier) Verify(env settle.ProofEnvelope) error {
	key, ok := v.keys[env.KeyHash]
	if !ok {
		return fmt.Errorf("%w: hash %s (%s/%s); known are %d keys", ErrUnknownKey, env.KeyHash, env.Circuit, env.Shape, len(v.keys))
	}
	return key.Verify(env)
}

// Verify accepts the proof iff it holds under key; env must name key's circuit,
// shape and hash.
func Verify(env settle.ProofEnvelope, vk groth16.VerifyingKey) error {
	key, err := NewKey(env.Circuit, env.Shape, vk)
	if err != nil {
		return err
	}
	return key.Verify(env)
}

// Verify accepts the proof iff it holds under k and env names k.
func (k *Key) Verify(env settle.ProofEnvelope) error {
	if env.KeyHash != k.Hash || env.Circuit != k.Circuit || env.Shape != k.Shape {
		return settle.Refuse(settle.CodeInvalidProof, "proof is for %s/%s under key %s, expected %s/%s under %s",
			env.Circuit, env.Shape, env.KeyHash, k.Circuit, k.Shape, k.Hash)
	}
	proof, err := decode(env.Proof)
	if err != nil {
		return err
	}
	// One more place: gnark appends the commitment's challenge.
	public := make(fr.Vector, publicInputs, publicInputs+commitments)
	for i := range public {
		if err := public[i].SetBytesCanonical(env.Inputs[i][:]); err != nil {
			return settle.Refuse(settle.CodeInvalidProof, "public input %d is not below the modulus", i)
		}
	}
	if err := groth16bn254.Verify(proof, k.vk, public, backend.WithVerifierHashToFieldFunction(sha256.New())); err != nil {
		return settle.Refuse(settle.CodeInvalidProof, "proof does not hold: %v", err)
	}
	return nil
}
