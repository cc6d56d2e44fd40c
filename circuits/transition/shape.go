package transition

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/zksettle/settle"
)

// ErrUnknownShape reports a name that no shape has.
var ErrUnknownShape = errors.New("unknown shape")

// Shape fixes the size of a transition circuit. Each shape has its own keys.
type Shape struct {
	Name       string `json:"name"`
	WindowBits int    `json:"window_bits"` // of the fixed-base table of the signature
	settle.Capacity
}

// Shapes lists every shape, smallest first. K is 2N + F, so that accounts never
// bind; E, M and X are dimensioned for random batches of a population (cost.PopulationOf).
func Shapes() []Shape {
	return []Shape{
		{Name: "tiny", WindowBits: 4, Capacity: settle.Capacity{Transfers: 2, Accounts: 5, Nodes: 22, FeeAccounts: 1, Opens: 1, Exits: 1}},
		{Name: "demo", WindowBits: 6, Capacity: settle.Capacity{Transfers: 21, Accounts: 44, Nodes: 114, FeeAccounts: 2, Opens: 6, Exits: 6}},
		{Name: "small", WindowBits: 7, Capacity: settle.Capacity{Transfers: 108, Accounts: 220, Nodes: 1308, FeeAccounts: 4, Opens: 15, Exits: 15}},
		{Name: "medium", WindowBits: 8, Capacity: settle.Capacity{Transfers: 236, Accounts: 476, Nodes: 2530, FeeAccounts: 4, Opens: 26, Exits: 26}},
		{Name: "large", WindowBits: 10, Capacity: settle.Capacity{Transfers: 1130, Accounts: 2268, Nodes: 9400, FeeAccounts: 8, Opens: 86, Exits: 86}},
	}
}

// ShapeByName finds a shape, or ErrUnknownShape naming those that exist.
func ShapeByName(name string) (Shape, error) {
	var names []string
	for _, s := range Shapes() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Shape{}, fmt.Errorf("%w %q, expected one of %v", ErrUnknownShape, name, names)
}

// accessTime is the time of access k (1 sender, 2 receiver, 3 fee account) of
// transfer slot t. L1 operations come first, one access each, from time 1.
func (s Shape) accessTime(t, k int) int { return s.L1Ops + 3*t + k }

// TimeBits is the width of the shape's access times: that of the last one.
func (s Shape) TimeBits() int { return bits.Len(uint(s.accessTime(s.Transfers-1, 3))) }
