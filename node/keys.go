package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// Keys is a folder of proving keys, by fingerprint.
type Keys struct {
	Dir       string
	UnsafeDev bool // accepts development keys: whoever made them can forge proofs
	Log       *slog.Logger
}

// Options are how keys are read.
func (k Keys) Options() provingkeys.Options {
	return provingkeys.Options{AllowUnsafeDev: k.UnsafeDev, Log: k.Log}
}

// ID names the keys of a circuit's shape. Those of an aggregate are for the inner keys in
// the same folder.
func (k Keys) ID(circuit, shape string) (provingkeys.ID, error) {
	if circuit == settle.CircuitAggregate {
		return provingkeys.AggregateID(k.Dir, shape, provingkeys.Committed, k.Options())
	}
	return provingkeys.TransitionID(shape)
}

// Manifest reads the manifest of a shape's keys, and checks that it is of the circuit.
func (k Keys) Manifest(circuit, shape string) (*provingkeys.Manifest, error) {
	id, err := k.ID(circuit, shape)
	if err != nil {
		return nil, err
	}
	return provingkeys.ReadManifest(k.Dir, id, k.Options())
}

// Setup makes a shape's keys by a development setup unless the folder has them; for an
// aggregate shape the inner keys first.
func (k Keys) Setup(ctx context.Context, circuit, shapeName string) (*provingkeys.Manifest, error) {
	if circuit == settle.CircuitAggregate {
		shape, err := circuits.ParseAggregateShape(shapeName)
		if err != nil {
			return nil, err
		}
		if _, err := k.Setup(ctx, settle.CircuitTransition, shape.Inner); err != nil {
			return nil, err
		}
		id, err := k.ID(circuit, shapeName)
		if err != nil {
			return nil, err
		}
		return provingkeys.Setup(ctx, k.Dir, id, provingkeys.CompileAggregate(k.Dir, shapeName, k.Options()), k.Options())
	}
	shape, err := circuits.ShapeByName(shapeName)
	if err != nil {
		return nil, err
	}
	id, err := k.ID(circuit, shapeName)
	if err != nil {
		return nil, err
	}
	compile := func() (constraint.ConstraintSystem, error) { return circuits.Compile(shape) }
	return provingkeys.Setup(ctx, k.Dir, id, compile, k.Options())
}

// Verifier reads what a verifier of a shape on L1 is made of.
func (k Keys) Verifier(circuit, shape string) (l1.VerifierKey, error) {
	id, err := k.ID(circuit, shape)
	if err != nil {
		return l1.VerifierKey{}, err
	}
	vk, manifest, err := provingkeys.OpenVerifyingKey(k.Dir, id, k.Options())
	if err != nil {
		return l1.VerifierKey{}, err
	}
	words, err := verifier.Words(vk)
	if err != nil {
		return l1.VerifierKey{}, err
	}
	return l1.VerifierKey{
		Circuit: circuit, Shape: shape, Words: words, Hash: manifest.KeyHash,
		UnsafeDev: manifest.Setup == provingkeys.SetupUnsafeDev,
	}, nil
}

// Usable reads the manifests of the deployed verifiers' keys, by shape. Keys that are not
// those of the deployment are an error; but aggregate keys may be missing: who has none
// aggregates no proofs.
func (k Keys) Usable(rollup store.Rollup) (map[string]*provingkeys.Manifest, error) {
	usable := map[string]*provingkeys.Manifest{}
	for _, v := range rollup.Verifiers {
		manifest, err := k.Manifest(v.Circuit, v.Shape)
		if v.Circuit == settle.CircuitAggregate && errors.Is(err, provingkeys.ErrMissing) {
			k.Log.Warn("no keys to fold proofs with: that is left to others", "shape", v.Shape, "reason", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if manifest.KeyHash != v.KeyHash {
			return nil, fmt.Errorf("the keys of shape %s in %s have hash %s, the deployed verifier has %s: copy the keys of the deployment there, or deploy anew",
				v.Shape, k.Dir, manifest.KeyHash, v.KeyHash)
		}
		usable[v.Shape] = manifest
	}
	return usable, nil
}
