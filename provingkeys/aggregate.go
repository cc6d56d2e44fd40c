package provingkeys

import (
	"fmt"

	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
)

// AggregateID names the keys of an aggregate shape ("demo-2") for proofs under the
// keys of its inner shape in the same folder, of which fingerprint returns the
// committed one (Committed). Errors as of ReadManifest.
func AggregateID(dir, shape string, fingerprint FingerprintFunc, opts Options) (ID, error) {
	inner, err := innerID(shape, fingerprint)
	if err != nil {
		return ID{}, err
	}
	m, err := ReadManifest(dir, inner, opts)
	if err != nil {
		return ID{}, fmt.Errorf("inner keys of %s: %w", shape, err)
	}
	template, err := fingerprint(settle.CircuitAggregate, shape)
	if err != nil {
		return ID{}, fmt.Errorf("committed fingerprint of the aggregate circuit: %w", err)
	}
	return ID{Circuit: settle.CircuitAggregate, Shape: shape, Fingerprint: template, Inner: m.KeyHash}, nil
}

// InnerKey loads the verifying key of the proofs that an aggregate shape folds.
// Errors as of Open.
func InnerKey(dir, shape string, fingerprint FingerprintFunc, opts Options) (groth16.VerifyingKey, settle.KeyHash, error) {
	inner, err := innerID(shape, fingerprint)
	if err != nil {
		return nil, settle.KeyHash{}, err
	}
	vk, m, err := OpenVerifyingKey(dir, inner, opts)
	if err != nil {
		return nil, settle.KeyHash{}, fmt.Errorf("inner keys of %s: %w", shape, err)
	}
	return vk, m.KeyHash, nil
}

func innerID(shape string, fingerprint FingerprintFunc) (ID, error) {
	parsed, err := circuits.ParseAggregateShape(shape)
	if err != nil {
		return ID{}, err
	}
	committed, err := fingerprint(settle.CircuitTransition, parsed.Inner)
	if err != nil {
		return ID{}, fmt.Errorf("committed fingerprint of %s/%s: %w", settle.CircuitTransition, parsed.Inner, err)
	}
	return ID{Circuit: settle.CircuitTransition, Shape: parsed.Inner, Fingerprint: committed}, nil
}

// CompileAggregate returns the function that compiles an aggregate shape for the keys
// of its inner shape in a folder, for Setup.
func CompileAggregate(dir, shape string, opts Options) func() (constraint.ConstraintSystem, error) {
	return func() (constraint.ConstraintSystem, error) {
		parsed, err := circuits.ParseAggregateShape(shape)
		if err != nil {
			return nil, err
		}
		vk, hash, err := InnerKey(dir, shape, Committed, opts)
		if err != nil {
			return nil, err
		}
		return circuits.CompileAggregate(parsed, vk, hash)
	}
}
