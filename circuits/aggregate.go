package circuits

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/aggregate"
)

// MaxSlots bounds the slots of an aggregate circuit; more make a domain that no
// setup here is meant for.
const MaxSlots = 64

// AggregateShape fixes an aggregate circuit up to its inner key.
type AggregateShape struct {
	Inner string // shape of the transition proofs that it verifies
	Slots int    // how many at most
}

// Name is inner-slots, for example demo-2.
func (s AggregateShape) Name() string { return s.Inner + "-" + strconv.Itoa(s.Slots) }

// ParseAggregateShape reads a Name: an existing shape and 1 to MaxSlots slots.
func ParseAggregateShape(name string) (AggregateShape, error) {
	inner, slots, found := strings.Cut(name, "-")
	n, err := strconv.Atoi(slots)
	if !found || err != nil || n < 1 || n > MaxSlots || strconv.Itoa(n) != slots {
		return AggregateShape{}, fmt.Errorf("aggregate shape %q, expected a shape and 1 to %d slots, for example demo-2", name, MaxSlots)
	}
	if _, err := ShapeByName(inner); err != nil {
		return AggregateShape{}, err
	}
	return AggregateShape{inner, n}, nil
}

// CompileAggregate returns the constraint system that verifies proofs of one inner
// key, which is part of the system; hash is the key's.
func CompileAggregate(shape AggregateShape, inner groth16.VerifyingKey, hash settle.KeyHash) (constraint.ConstraintSystem, error) {
	key, err := aggregate.NewKey(inner, hash)
	if err != nil {
		return nil, err
	}
	return aggregate.Compile(key, shape.Slots)
}

// CompileAggregateTemplate returns the constraint system of a number of slots for an
// inner key that no proof exists under. Systems for real keys differ from it in
// constants alone, so that its count and fingerprint, which are committed, hold for
// all.
func CompileAggregateTemplate(slots int) (constraint.ConstraintSystem, error) {
	key, err := aggregate.TemplateKey()
	if err != nil {
		return nil, err
	}
	return aggregate.Compile(key, slots)
}

// AggregateFingerprint returns the committed fingerprint of the template of one slot.
// It stands for the aggregate circuit's version: systems for real keys cannot have
// theirs committed, and every change of the circuit changes it.
func AggregateFingerprint() (settle.Fingerprint, error) {
	return committed(settle.CircuitAggregate, "1")
}

// AssignAggregate returns the full witness for 1 to shape.Slots proofs of consecutive
// batches, in their order. Proofs that do not verify make a witness that no proof
// exists for.
func AssignAggregate(shape AggregateShape, proofs []settle.ProofEnvelope) (witness.Witness, error) {
	assignment, err := aggregate.Assign(shape.Slots, proofs)
	if err != nil {
		return nil, err
	}
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("witness for aggregate shape %s: %w", shape.Name(), err)
	}
	return w, nil
}
