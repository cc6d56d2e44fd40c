// Package circuits is the door to the circuits: shapes, compilation, witnesses
// and the fingerprints that tie keys to circuits. Below it lie the only packages
// that name gnark's frontend.API.
package circuits

import (
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/aggregate"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/transition"
	"github.com/zksettle/settle/state"
)

// Shape fixes the size of a transition circuit.
type Shape = transition.Shape

// ErrNoFingerprint reports a shape whose fingerprint is not committed.
var ErrNoFingerprint = errors.New("no committed fingerprint")

//go:embed fingerprints.csv
var fingerprints string

// RegisterHints registers the hints of all circuits with gnark's solver. A
// process calls it once before it solves a system that it did not compile.
func RegisterHints() {
	solver.RegisterHint(gadget.Hints()...)
	solver.RegisterHint(aggregate.Hints()...)
}

// Shapes lists every shape, smallest first.
func Shapes() []Shape { return transition.Shapes() }

// ShapeByName finds a shape, or transition.ErrUnknownShape.
func ShapeByName(name string) (Shape, error) { return transition.ShapeByName(name) }

// Compile returns the constraint system of a shape.
func Compile(shape Shape) (constraint.ConstraintSystem, error) { return transition.Compile(shape) }

// Assign returns the full witness of a batch for a shape.
func Assign(shape Shape, trace *state.Trace) (witness.Witness, error) {
	assignment, err := transition.Assign(shape, trace)
	if err != nil {
		return nil, err
	}
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("witness for shape %s: %w", shape.Name, err)
	}
	return w, nil
}

// FingerprintOf is SHA-256 of a constraint system's serialization.
func FingerprintOf(ccs constraint.ConstraintSystem) (settle.Fingerprint, error) {
	h := sha256.New()
	if _, err := ccs.WriteTo(h); err != nil {
		return settle.Fingerprint{}, fmt.Errorf("serialize constraint system: %w", err)
	}
	return settle.Fingerprint(h.Sum(nil)), nil
}

// Fingerprint returns the committed fingerprint of a shape's system. Start-up
// compares it with the manifest of the keys, and never compiles.
func Fingerprint(shape Shape) (settle.Fingerprint, error) {
	return committed(settle.CircuitTransition, shape.Name)
}

func committed(circuit, shape string) (settle.Fingerprint, error) {
	rows, err := csv.NewReader(strings.NewReader(fingerprints)).ReadAll()
	if err != nil {
		return settle.Fingerprint{}, fmt.Errorf("fingerprints.csv: %w", err)
	}
	for _, row := range rows {
		if len(row) == 3 && row[0] == circuit && row[1] == shape {
			var f settle.Fingerprint
			err := f.UnmarshalText([]byte(row[2]))
			return f, err
		}
	}
	return settle.Fingerprint{}, fmt.Errorf("%w for %s,%s", ErrNoFingerprint, circuit, shape)
}
