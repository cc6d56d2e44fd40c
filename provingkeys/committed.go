package provingkeys

import (
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
)

// Committed returns the fingerprint that is committed with a circuit's shape: the
// CacheConfig.Fingerprint of our circuits.
func Committed(circuit, shape string) (settle.Fingerprint, error) {
	if circuit != settle.CircuitTransition {
		return settle.Fingerprint{}, fmt.Errorf("unknown circuit %q, expected %s", circuit, settle.CircuitTransition)
	}
	s, err := circuits.ShapeByName(shape)
	if err != nil {
		return settle.Fingerprint{}, err
	}
	return circuits.Fingerprint(s)
}

// TransitionID names the keys of a shape of the transition circuit.
func TransitionID(shape string) (ID, error) {
	fingerprint, err := Committed(settle.CircuitTransition, shape)
	return ID{Circuit: settle.CircuitTransition, Shape: shape, Fingerprint: fingerprint}, err
}
