package hostile

import (
	"maps"
	"slices"
)

// Hints lists the names of the hints that the system uses.
func (t *Target) Hints() []string { return slices.Sorted(maps.Values(t.names)) }
