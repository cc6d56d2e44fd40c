// Package bus connects the chips of a circuit. Chips send and receive tuples on
// named channels; Close enforces that on each channel the multiset sent equals
// the multiset received.
//
// The argument is logUp (eprint 2022/1530): with the fingerprint
// f(t) = tag + Σ β^i·t_i the bus checks
//
//	Σ_sends m/(α - f) = Σ_receives m/(α - f).
//
// Soundness rests on three rules, each with a forgery in attack_test.go:
//   - every free witness wire from which a field or a flag is computed is
//     committed before α is known (Free commits; Derived is for wires that are
//     functions of committed ones, by constraints without challenge and without
//     unchecked division);
//   - α and β are independent: α is the commitment challenge, β a hash of it;
//   - flags are boolean by a rule and tied to their slot; only the multiplicity of a
//     row that is looked up may exceed one. The types hold the first half: Permutation
//     takes flags alone, Lookup takes a Multiplicity for a row. That a flag is tied to
//     its slot is the chips' duty.
package bus

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/multicommit"
)

// ErrClosed reports use of a bus after Close.
var ErrClosed = errors.New("bus: used after Close")

type entry struct {
	channel Channel
	sent    bool
	flag    Wire // or multiplicity; flagOne for the constant 1
	fields  []Expr
}

// Bus collects tuples during Define, each through its channel. It is not safe for
// concurrent use.
type Bus struct {
	Tree      Permutation[Node]
	Memory    Permutation[Access]
	Fee       Lookup[FeeAccount]
	FixedBase Lookup[TableRow]
	Opens     Permutation[Open]
	Exits     Permutation[Exit]

	api     frontend.API
	wires   []frontend.Variable
	free    []frontend.Variable
	entries []entry
	closed  bool
	err     error

	// The two steps that soundness hangs on, replaceable by the forgery tests only.
	challenges func(api frontend.API, root frontend.Variable) (alpha, beta frontend.Variable, err error)
	divide     func(api frontend.API, flag, denominator frontend.Variable) frontend.Variable
	firstPower int
}

// New returns an empty bus for one circuit.
func New(api frontend.API) *Bus {
	b := &Bus{
		api:        api,
		challenges: independentChallenges,
		divide: func(api frontend.API, flag, denominator frontend.Variable) frontend.Variable {
			return api.DivUnchecked(flag, denominator)
		},
		firstPower: 1,
	}
	b.Tree, b.Memory, b.Fee, b.FixedBase = Permutation[Node]{b}, Permutation[Access]{b}, Lookup[FeeAccount]{b}, Lookup[TableRow]{b}
	b.Opens, b.Exits = Permutation[Open]{b}, Permutation[Exit]{b}
	return b
}

// Free registers a free witness wire (a secret input or a hint's output) and
// commits it. The variable must be the wire itself, neither constant nor sum:
// a sum would commit its parts and leave the wire's own value open to doubt.
func (b *Bus) Free(v frontend.Variable) Wire {
	if err := rawWire(b.api, v); err != nil && b.err == nil {
		b.err = err
	}
	b.free = append(b.free, v)
	return b.register(v)
}

// Derived registers a wire whose value follows from committed wires through
// constraints that involve neither a challenge nor an unchecked division.
func (b *Bus) Derived(v frontend.Variable) Wire { return b.register(v) }

// Commit commits further free wires that determine a Derived wire but are not
// themselves fields.
func (b *Bus) Commit(vs ...frontend.Variable) {
	for _, v := range vs {
		b.Free(v)
	}
}

func (b *Bus) register(v frontend.Variable) Wire {
	b.wires = append(b.wires, v)
	return Wire{id: len(b.wires)}
}

// Close schedules the balance check. It is called once, last in Define, so that
// gadgets that share gnark's commitment have registered theirs before. An Observer gets
// the tuples, and nothing is stated.
func (b *Bus) Close() error {
	if b.closed {
		return ErrClosed
	}
	b.closed = true
	if b.err != nil {
		return b.err
	}
	if observer, ok := b.api.(Observer); ok {
		return observer.Balance(b.tuples())
	}
	multicommit.WithCommitment(b.api, b.balance, b.free...)
	return nil
}

// rawWire refuses constants and sums. The test engine has no linear
// expressions; compilation is where this check bites.
func rawWire(api frontend.API, v frontend.Variable) error {
	if _, isConstant := api.Compiler().ConstantValue(v); isConstant {
		return errors.New("bus: Free needs a witness wire, got a constant")
	}
	if sum, ok := api.Compiler().ToCanonicalVariable(v).(constraint.LinearExpression); ok && len(sum) != 1 {
		return fmt.Errorf("bus: Free needs a wire, got a sum of %d terms", len(sum))
	}
	return nil
}
