package provingkeys

import (
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
)

// Committed returns the fingerprint that is committed with a circuit's shape: the
// CacheConfig.Fingerprint of our circuits.
func Committed(circuit, shape string) (settle.Fingerprint, error) {
	switch circuit {
	case settle.CircuitTransition:
		s, err := circuits.ShapeByName(shape)
		if err != nil {
			return settle.Fingerprint{}, err
		}
		return circuits.Fingerprint(s)
	case settle.CircuitAggregate: // one for all shapes, of the circuit's template
		return circuits.AggregateFingerprint()
	}
	return settle.Fingerprint{}, fmt.Errorf("unknown circuit %q, expected %s or %s", circuit, settle.CircuitTransition, settle.CircuitAggregate)
}

// TransitionID names the keys of a shape of the transition circuit.
func TransitionID(shape string) (ID, error) {
	fingerprint, err := Committed(settle.CircuitTransition, shape)
	return ID{Circuit: settle.CircuitTransition, Shape: shape, Fingerprint: fingerprint}, err
}
