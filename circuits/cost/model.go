package cost

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
	"github.com/zksettle/settle/poseidon"
)

// Part is what a chip, or something that the whole circuit has once, costs a shape.
type Part struct {
	Name        string  `json:"name"`
	Slots       int     `json:"slots"`       // how many of it the shape has
	Each        float64 `json:"each"`        // constraints of one; of data words the mean, as three share a permutation
	Constraints int     `json:"constraints"` // of all
}

// Model foretells the size of circuits with any number of slots. A circuit grows by
// the same constraints with each further slot of a kind, but for what all share: the
// permutations that absorb three data words each, gnark's range checks, whose limbs
// are as wide as is cheapest for the whole, and sums over all slots, which gnark cuts
// into pieces. The model measures the rest by compiling circuits of few slots and
// computes these. TestModel compares it with compiled circuits.
type Model struct {
	windowBits int
	fixed      load // header, roots, challenges; without the tables

	// Parts of a transfer's slot, which has one signature and three accesses.
	signature, access, transfer load

	account, node, fee, open, exit load // without their data words
	word, permutation              load
}

// accesses to the batch memory of a transfer's slot.
const accesses = 3

// ErrModel reports a circuit whose size is not what NewModel takes it for.
var ErrModel = errors.New("the circuit does not grow evenly")

// NewModel compiles ten circuits of a few slots with tables of a window width.
func NewModel(windowBits int) (Model, error) {
	m := Model{windowBits: windowBits}
	// Seven words of D: one more slot of any kind needs no further permutation. Times
	// of three to five transfers have the same width.
	few := settle.Capacity{Transfers: 3, Accounts: 1, Nodes: 1, FeeAccounts: 1, Opens: 1, Exits: 1}
	base, err := m.measure(few)
	if err != nil {
		return m, err
	}
	more := func(change func(*settle.Capacity)) load {
		if err != nil {
			return load{}
		}
		capacity := few
		change(&capacity)
		var l load
		l, err = m.measure(capacity)
		return l.plus(-1, base)
	}
	two := more(func(c *settle.Capacity) { c.Transfers += 2 })
	m.account = more(func(c *settle.Capacity) { c.Accounts++ })
	m.node = more(func(c *settle.Capacity) { c.Nodes++ })
	fee := more(func(c *settle.Capacity) { c.FeeAccounts++ })
	open := more(func(c *settle.Capacity) { c.Opens++ })
	exit := more(func(c *settle.Capacity) { c.Exits++ })
	fourth := more(func(c *settle.Capacity) { c.FeeAccounts++; c.Opens++ })
	if err != nil {
		return m, err
	}
	m.permutation = fourth.plus(-1, fee).plus(-1, open)
	if err := m.measureParts(); err != nil {
		return m, err
	}
	m.fee, m.open, m.exit = fee.plus(-1, m.word), open.plus(-2, m.word), exit.plus(-2, m.word)
	pair := two.plus(-1, m.word)
	if pair.constraints%2 != 0 {
		return m, fmt.Errorf("%w: two transfers add %d constraints", ErrModel, pair.constraints)
	}
	slot := load{constraints: pair.constraints / 2, checks: map[int]int{}}
	for width, count := range pair.checks {
		slot.checks[width] = count / 2
	}
	m.transfer = slot.plus(-1, m.signature).plus(-accesses, m.access)
	m.fixed = load{}
	m.fixed = base.plus(-1, m.total(few)).plus(-tableConstraints(windowBits), load{constraints: 1})
	return m, nil
}

// measureParts compiles the parts of slots apart from the circuit.
func (m *Model) measureParts() error {
	for _, part := range []struct {
		out *load
		of  func(n int) frontend.Circuit
		n   int // not the first, and of words none that begins a permutation
	}{
		{&m.signature, func(n int) frontend.Circuit { return newSignatures(m.windowBits, n) }, 1},
		{&m.access, transition.AccessesAlone, 1},
		{&m.word, transition.DataAlone, poseidon.Rate + 1},
	} {
		less, err := measure(part.of(part.n))
		if err != nil {
			return err
		}
		most, err := measure(part.of(part.n + 1))
		if err != nil {
			return err
		}
		*part.out = most.plus(-1, less)
	}
	m.access = m.access.rename(1, transition.AccessesAloneShape().TimeBits(), timeWidth)
	return nil
}

// measure compiles the circuit of a capacity. Its checks of times have the width
// timeWidth.
func (m *Model) measure(c settle.Capacity) (load, error) {
	shape := transition.Shape{Name: "counted", WindowBits: m.windowBits, Capacity: c}
	l, err := measure(transition.New(shape))
	return l.rename(accesses*c.Transfers, shape.TimeBits(), timeWidth), err
}

func measure(part frontend.Circuit) (load, error) {
	c := &countedCircuit{Part: part, checks: map[int]int{}}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return load{}, fmt.Errorf("count constraints: %w", err)
	}
	return load{ccs.GetNbConstraints(), c.checks}, nil
}

// dataWords is the number of words of D behind the header in the shape's full size.
func dataWords(c settle.Capacity) int {
	return c.FeeAccounts + (c.Transfers+1)/2 + 2*c.Opens + 2*c.Exits
}

// permutations absorb the data words.
func permutations(c settle.Capacity) int {
	return max(1, (dataWords(c)+poseidon.Rate-1)/poseidon.Rate)
}

// entry is a part with what one of it and all of it are.
type entry struct {
	name  string
	slots int
	all   load
}

func (m *Model) entries(c settle.Capacity) []entry {
	many := func(name string, slots int, l load) entry { return entry{name, slots, load{}.plus(slots, l)} }
	words := many("data word", dataWords(c), m.word)
	words.all = words.all.plus(permutations(c), m.permutation)
	return []entry{
		many("signature", c.Transfers, m.signature),
		many("tree node", c.Nodes, m.node),
		many("memory access", accesses*c.Transfers, m.access),
		many("account", c.Accounts, m.account),
		many("transfer", c.Transfers, m.transfer),
		words,
		many("fee account", c.FeeAccounts, m.fee),
		many("open", c.Opens, m.open),
		many("exit", c.Exits, m.exit),
		{"header and bus", 1, m.fixed.plus(dataSums(c), load{constraints: 1})},
	}
}

func (m *Model) total(c settle.Capacity) load {
	sum := load{}
	for _, e := range m.entries(c) {
		sum = sum.plus(1, e.all)
	}
	return sum
}

// Parts says what a circuit of these slots consists of: for each chip its slots,
// "signature table" and "range table", and under "header and bus" the rest. A slot of
// an account includes its two accesses to the batch memory; "transfer" is a slot
// without its signature and its three accesses; a slot's range checks are its own.
// The parts add up to Constraints.
func (m *Model) Parts(c settle.Capacity) []Part {
	entries := m.entries(c)
	timeBits := transition.Shape{Capacity: c}.TimeBits()
	sum := load{}
	for i, e := range entries {
		entries[i].all = e.all.rename(e.all.checks[timeWidth], timeWidth, timeBits)
		sum = sum.plus(1, entries[i].all)
	}
	limbBits := sum.limbBits()
	var parts []Part
	for _, e := range entries {
		p := Part{Name: e.name, Slots: e.slots, Constraints: e.all.constraints + e.all.ranged(limbBits)}
		if p.Slots > 0 {
			p.Each = float64(p.Constraints) / float64(p.Slots)
		}
		parts = append(parts, p)
	}
	once := func(name string, n int) Part { return Part{name, 1, float64(n), n} }
	return append(parts, once("signature table", tableConstraints(m.windowBits)), once("range table", sum.rangeTable(limbBits)))
}

// Constraints is the size of a circuit of these slots, without compiling it.
func (m *Model) Constraints(c settle.Capacity) int {
	sum := 0
	for _, p := range m.Parts(c) {
		sum += p.Constraints
	}
	return sum
}
