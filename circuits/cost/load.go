package cost

import (
	"maps"
	"math"

	"github.com/consensys/gnark/frontend"
)

// load is what a part of a circuit adds to it: its own constraints, bus terms
// included, and range checks by width, which gnark states once for the whole
// circuit with a table that all of them share.
type load struct {
	constraints int
	checks      map[int]int
}

// timeWidth stands for the width of access times, which depends on the number of
// transfers. No range check has width 0.
const timeWidth = 0

// plus returns l + n·other.
func (l load) plus(n int, other load) load {
	sum := load{l.constraints + n*other.constraints, maps.Clone(l.checks)}
	if sum.checks == nil {
		sum.checks = map[int]int{}
	}
	for width, count := range other.checks {
		if sum.checks[width] += n * count; sum.checks[width] == 0 {
			delete(sum.checks, width)
		}
	}
	return sum
}

// rename counts n checks of one width under another.
func (l load) rename(n, from, to int) load {
	return l.plus(n, load{checks: map[int]int{to: 1}}).plus(-n, load{checks: map[int]int{from: 1}})
}

// limbsOf is the number of limbs that are looked up for a value: one more where the
// highest is narrower than the others (gnark, std/rangecheck).
func limbsOf(width, limbBits int) int {
	limbs := (width + limbBits - 1) / limbBits
	if limbs*limbBits > width {
		limbs++
	}
	return limbs
}

// ranged is the number of constraints of range checks with limbs of some width: one
// for the sum of the limbs and one for each that is looked up.
func (l load) ranged(limbBits int) int {
	cost := 0
	for width, count := range l.checks {
		cost += count * (1 + limbsOf(width, limbBits))
	}
	return cost
}

// limbBits returns the width of limbs that gnark chooses: that with the fewest
// constraints, table included.
func (l load) limbBits() int {
	const least, most = 2, 17
	best, fewest := 0, math.MaxInt
	for bits := least; bits <= most; bits++ {
		if cost := l.ranged(bits) + 1<<bits; cost < fewest {
			best, fewest = bits, cost
		}
	}
	return best
}

// rangeTable is what the argument of the range checks costs besides its look-ups: the
// table, the two sums and their comparison, and the square of the commitment.
func (l load) rangeTable(limbBits int) int {
	lookups, rows := 0, 1<<limbBits
	for width, count := range l.checks {
		lookups += count * limbsOf(width, limbBits)
	}
	return rows + treeSum(rows) + treeSum(lookups) + 2
}

// counted is the API of a circuit whose range checks are counted and not stated. The
// system compiled with it is good for nothing but its size.
type counted struct {
	frontend.API
	checks map[int]int
}

// Check implements frontend.Rangechecker, which rangecheck.New prefers to its own.
func (c counted) Check(_ frontend.Variable, bits int) { c.checks[bits]++ }

// countedCircuit compiles a part of the circuit with a counted API.
type countedCircuit struct {
	Part   frontend.Circuit
	checks map[int]int
}

// Define implements frontend.Circuit.
func (c *countedCircuit) Define(api frontend.API) error {
	return c.Part.Define(counted{api, c.checks})
}
