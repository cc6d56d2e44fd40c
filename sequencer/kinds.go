package sequencer

import (
	"slices"

	"github.com/zksettle/settle"
)

// KindsOf lists the kinds of transaction that batches of these shapes can carry.
// A transfer fits every shape; opens and exits need slots of their own, and are
// not taken while no shape has them.
func KindsOf(shapes []Shape) []settle.Kind {
	kinds := []settle.Kind{settle.KindTransfer}
	if slices.ContainsFunc(shapes, func(s Shape) bool { return s.Capacity.Opens > 0 }) {
		kinds = append(kinds, settle.KindOpen)
	}
	if slices.ContainsFunc(shapes, func(s Shape) bool { return s.Capacity.Exits > 0 }) {
		kinds = append(kinds, settle.KindExit, settle.KindExitAll)
	}
	return kinds
}
