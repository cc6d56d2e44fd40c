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
//   - a slot's flags are boolean and tied to the slot; only a table's or a fee
//     account's multiplicity may exceed one. That is the chips' duty.
package bus

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/multicommit"

	"github.com/zksettle/settle/circuits/poseidon2"
	"github.com/zksettle/settle/poseidon"
)

// Channel separates tuples by meaning. Its number is part of the fingerprint.
type Channel int

// Channels of the transition circuit. Numbers are part of the protocol of the
// circuit (docs/protocol.md): append, never renumber.
const (
	Tree      Channel = 1 // level, position, old digest, new digest
	Memory    Channel = 2 // index, time, owner, token, nonce, balance, l1
	Fee       Channel = 3 // token, account index
	FixedBase Channel = 4 // window number, x, y of a table row
	Opens     Channel = 5 // number of the open in the batch, owner, l1
	Exits     Channel = 6 // number of the exit in the batch, l1, token, amount
)

// betaTag separates the hash that derives β from every other use of P4.
const betaTag = "settle/bus/beta/v1"

// ErrClosed reports use of a bus after Close.
var ErrClosed = errors.New("bus: used after Close")

type entry struct {
	channel Channel
	sent    bool
	flag    Wire // flagOne for the constant 1
	fields  []Expr
}

var flagOne = Wire{id: -1}

// One is the constant flag 1. Its term uses a checked inverse.
func One() Wire { return flagOne }

// Bus collects tuples during Define. It is not safe for concurrent use.
type Bus struct {
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
	return &Bus{
		api:        api,
		challenges: independentChallenges,
		divide: func(api frontend.API, flag, denominator frontend.Variable) frontend.Variable {
			return api.DivUnchecked(flag, denominator)
		},
		firstPower: 1,
	}
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

// Send adds flag copies of a tuple to a channel.
func (b *Bus) Send(ch Channel, flag Wire, fields ...Expr) { b.add(ch, true, flag, fields) }

// Receive takes flag copies of a tuple from a channel.
func (b *Bus) Receive(ch Channel, flag Wire, fields ...Expr) { b.add(ch, false, flag, fields) }

func (b *Bus) add(ch Channel, sent bool, flag Wire, fields []Expr) {
	if b.closed && b.err == nil {
		b.err = ErrClosed
	}
	if flag.id == 0 && b.err == nil {
		b.err = fmt.Errorf("bus: channel %d: flag is not a wire of this bus", ch)
	}
	b.entries = append(b.entries, entry{ch, sent, flag, fields})
}

// Close schedules the balance check. It is called once, last in Define, so that
// gadgets that share gnark's commitment have registered theirs before.
func (b *Bus) Close() error {
	if b.closed {
		return ErrClosed
	}
	b.closed = true
	if b.err != nil {
		return b.err
	}
	multicommit.WithCommitment(b.api, b.balance, b.free...)
	return nil
}

// independentChallenges takes the commitment as α and hashes it to β. gnark
// hands a second callback root², and with α a power of β a prover cancels
// tuples that do not match (TestDependentChallengesForge).
func independentChallenges(api frontend.API, root frontend.Variable) (alpha, beta frontend.Variable, err error) {
	p4, err := poseidon2.New(api, 4)
	if err != nil {
		return nil, nil, fmt.Errorf("bus: %w", err)
	}
	tag := poseidon.Tag(betaTag)
	state := []frontend.Variable{root, tag.BigInt(new(big.Int)), 0, 0}
	if err := p4.Permute(state); err != nil {
		return nil, nil, fmt.Errorf("bus: %w", err)
	}
	return root, state[1], nil
}

func (b *Bus) balance(api frontend.API, root frontend.Variable) error {
	alpha, beta, err := b.challenges(api, root)
	if err != nil {
		return err
	}
	f := fingerprints{api: api, wires: b.wires, powers: []frontend.Variable{1, beta}, products: map[productKey]frontend.Variable{}, first: b.firstPower}
	sum := make([]frontend.Variable, 0, len(b.entries)+2)
	sum = append(sum, 0, 0)
	for _, e := range b.entries {
		denominator := api.Sub(alpha, f.of(e))
		var term frontend.Variable
		if e.flag == flagOne {
			term = api.Inverse(denominator)
		} else {
			term = b.divide(api, b.wires[e.flag.id-1], denominator)
		}
		if !e.sent {
			term = api.Neg(term)
		}
		sum = append(sum, term)
	}
	api.AssertIsEqual(api.Add(sum[0], sum[1], sum[2:]...), 0)
	return nil
}

type productKey struct{ wire, power int }

// fingerprints evaluates tuples at β, sharing the product of a wire and a power.
type fingerprints struct {
	api      frontend.API
	wires    []frontend.Variable
	powers   []frontend.Variable
	products map[productKey]frontend.Variable
	first    int
}

func (f *fingerprints) power(i int) frontend.Variable {
	for len(f.powers) <= i {
		f.powers = append(f.powers, f.api.Mul(f.powers[len(f.powers)-1], f.powers[1]))
	}
	return f.powers[i]
}

func (f *fingerprints) product(wire, power int) frontend.Variable {
	key := productKey{wire, power}
	p, ok := f.products[key]
	if !ok {
		p = f.api.Mul(f.wires[wire-1], f.power(power))
		f.products[key] = p
	}
	return p
}

func (f *fingerprints) of(e entry) frontend.Variable {
	parts := []frontend.Variable{0, 0}
	if f.first > 0 {
		parts[0] = int64(e.channel)
	}
	for i, field := range e.fields {
		power := i + f.first
		if field.constant.Sign() != 0 {
			parts = append(parts, f.api.Mul(f.power(power), field.constant))
		}
		for _, t := range field.terms {
			parts = append(parts, f.api.Mul(f.product(t.wire.id, power), t.coef))
		}
	}
	return f.api.Add(parts[0], parts[1], parts[2:]...)
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
