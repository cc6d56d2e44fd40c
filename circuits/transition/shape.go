package transition

import (
	"errors"
	"fmt"

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

// Shapes lists every shape, smallest first. K ≥ 2N + F slots for accounts never
// bind; E is dimensioned by TestDimension.
func Shapes() []Shape {
	return []Shape{
		{Name: "tiny", WindowBits: 4, Capacity: settle.Capacity{Transfers: 2, Accounts: 5, Nodes: 22, FeeAccounts: 1}},
		{Name: "demo", WindowBits: 6, Capacity: settle.Capacity{Transfers: 22, Accounts: 46, Nodes: 118, FeeAccounts: 2}},
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

// lastTime is the time of the last access of the shape.
func (s Shape) lastTime() int { return s.accessTime(s.Transfers-1, 3) }
