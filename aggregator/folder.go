package aggregator

import (
	"errors"
	"fmt"
	"sync"

	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/verifier"
)

// ErrProof reports a proof that cannot be folded.
var ErrProof = errors.New("proof cannot be folded")

// InnerKeyFunc returns the verifying key of the proofs that an aggregate shape folds,
// and its hash (provingkeys.InnerKey).
type InnerKeyFunc func(shape string) (groth16.VerifyingKey, settle.KeyHash, error)

// Folder makes witnesses of the aggregate circuit. Safe for concurrent use.
type Folder struct {
	inner InnerKeyFunc

	mu   sync.Mutex
	keys map[string]innerKey // by aggregate shape
}

type innerKey struct {
	key  groth16.VerifyingKey
	hash settle.KeyHash
}

// NewFolder returns a Folder. It loads each inner key once.
func NewFolder(inner InnerKeyFunc) *Folder {
	return &Folder{inner: inner, keys: map[string]innerKey{}}
}

// Assign returns the full witness of an aggregate shape for proofs of consecutive
// batches in order. It verifies each of them first, as the circuit would only say
// that one of them is wrong: ErrProof.
func (f *Folder) Assign(shape string, proofs []settle.ProofEnvelope) (witness.Witness, error) {
	parsed, err := circuits.ParseAggregateShape(shape)
	if err != nil {
		return nil, err
	}
	inner, err := f.key(shape)
	if err != nil {
		return nil, err
	}
	for i := range proofs {
		if err := check(proofs[i], inner); err != nil {
			return nil, fmt.Errorf("%w: number %d of %d: %w", ErrProof, i+1, len(proofs), err)
		}
	}
	return circuits.AssignAggregate(parsed, proofs)
}

func check(p settle.ProofEnvelope, inner innerKey) error {
	if p.Circuit != settle.CircuitTransition || p.KeyHash != inner.hash {
		return fmt.Errorf("it is of circuit %s under key %s, expected %s under %s", p.Circuit, p.KeyHash, settle.CircuitTransition, inner.hash)
	}
	return verifier.Verify(p, inner.key)
}

func (f *Folder) key(shape string) (innerKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k, ok := f.keys[shape]; ok {
		return k, nil
	}
	key, hash, err := f.inner(shape)
	if err != nil {
		return innerKey{}, err
	}
	f.keys[shape] = innerKey{key, hash}
	return f.keys[shape], nil
}
