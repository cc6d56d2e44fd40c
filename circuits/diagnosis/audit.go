// Package diagnosis says what is wrong with a witness: which constraint refuses it, which
// code states that constraint, and which rules it breaks. Nothing is proven with it, and
// no circuit that is proven depends on it.
package diagnosis

import (
	"errors"
	"fmt"
	"math/big"
	"path"
	"runtime"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/rules"
)

// ViolationError is a rule of the circuit that a witness breaks.
type ViolationError struct {
	Rule  string // its name, or that of the channel whose tuples do not match
	Place int    // which of the places that state it in this circuit, from 0 in order of the slots
	Code  string // who states it: function (file:line)
	Found string // the value that breaks it
}

// Error implements error.
func (v ViolationError) Error() string {
	return fmt.Sprintf("rule %q, place %d, is broken: %s", v.Rule, v.Place, v.Found)
}

// ErrBroken ends a solution in which a rule is broken.
var ErrBroken = errors.New("rules are broken")

// Audit is a circuit that states none of its rules and has all of them evaluated natively
// instead, range checks and bus included, so that every broken one is found and named. In
// the real circuit these two are stated once for all of their kind, and the number of a
// constraint says nothing. Its system proves nothing. Not for concurrent use.
type Audit struct {
	system   constraint.ConstraintSystem
	checks   []check
	tuples   []Tuple
	findings []ViolationError

	// While the circuit is compiled:
	rule   string // of the next assertion
	places map[string]int
	values []frontend.Variable // of the checks, then of the tuples
}

// check is an assertion about one value.
type check struct {
	ViolationError
	holds func(v *big.Int) bool
	wants string
}

// NewAudit compiles the audit of a circuit over BN254's scalar field. The circuit states
// its rules through package rules, or by assertions of the API, and closes a bus.
func NewAudit(circuit frontend.Circuit) (*Audit, error) {
	a := &Audit{places: map[string]int{}}
	var err error
	a.system, err = frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &auditedCircuit{Of: circuit, audit: a})
	if err != nil {
		return nil, fmt.Errorf("compile a circuit for an audit: %w", err)
	}
	a.values = nil
	return a, nil
}

// Run names the rules that a full witness of the circuit breaks: none for one that can be
// proven. An error that is not ErrBroken means that a hint or a division refused its
// inputs before all rules were looked at. Options replace hints, for tests.
func (a *Audit) Run(full witness.Witness, options ...solver.Option) ([]ViolationError, error) {
	a.findings = nil
	_, err := a.system.Solve(full, append([]solver.Option{solver.WithHints(a.Look)}, options...)...)
	return a.findings, err
}

// Tuple is the form of a tuple on the bus, and its place among the inputs of Look.
type Tuple struct {
	Channel bus.Channel
	Sent    bool
	At      int // of its flag or multiplicity; the fields follow
	Fields  int
}

// Tuples lists the tuples of the circuit, in order.
func (a *Audit) Tuples() []Tuple { return a.tuples }

// auditedCircuit has a circuit defined by the audit's API. Its values are those of the
// circuit, in the same order.
type auditedCircuit struct {
	Of    frontend.Circuit
	audit *Audit
}

// Define implements frontend.Circuit.
func (c *auditedCircuit) Define(api frontend.API) error {
	return c.Of.Define(audited{api, c.audit})
}

// audited is the API of a circuit whose assertions the audit takes.
type audited struct {
	frontend.API
	audit *Audit
}

var (
	_ rules.Observer        = audited{}
	_ bus.Observer          = audited{}
	_ frontend.Rangechecker = audited{}
)

// Rule implements rules.Observer.
func (x audited) Rule(name string) { x.audit.rule = name }

// note adds an assertion about v under the rule that was named last.
func (x audited) note(v frontend.Variable, wants string, holds func(*big.Int) bool) {
	a, code := x.audit, caller()
	rule := a.rule
	if a.rule = ""; rule == "" {
		rule, _, _ = strings.Cut(code, " ")
	}
	a.checks = append(a.checks, check{ViolationError{Rule: rule, Place: a.places[rule], Code: code}, holds, wants})
	a.places[rule]++
	a.values = append(a.values, v)
}

// caller names the innermost function of our gadgets and chips that is no helper of
// the rules.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		name := path.Base(f.Function)
		helper := strings.HasPrefix(name, "rules.") || strings.HasSuffix(name, ".boolean") || strings.Contains(name, "audited")
		if !helper {
			return fmt.Sprintf("%s (%s:%d)", name, path.Base(f.File), f.Line)
		}
		if !more {
			return name
		}
	}
}

// Check implements frontend.Rangechecker, which rangecheck.New prefers to its own.
func (x audited) Check(v frontend.Variable, bits int) {
	x.note(v, fmt.Sprintf("a value of at most %d bits", bits), func(v *big.Int) bool { return v.BitLen() <= bits })
}

// AssertIsEqual implements frontend.API.
func (x audited) AssertIsEqual(a, b frontend.Variable) {
	x.note(x.Sub(a, b), "both sides equal", func(v *big.Int) bool { return v.Sign() == 0 })
}

// AssertIsDifferent implements frontend.API.
func (x audited) AssertIsDifferent(a, b frontend.Variable) {
	x.note(x.Sub(a, b), "two values that differ", func(v *big.Int) bool { return v.Sign() != 0 })
}

// AssertIsBoolean implements frontend.API.
func (x audited) AssertIsBoolean(v frontend.Variable) {
	x.note(v, "0 or 1", func(v *big.Int) bool { return v.BitLen() <= 1 })
}

// Balance implements bus.Observer. The bus closes last, so it hands all values to Look.
func (x audited) Balance(all []bus.Tuple) error {
	a := x.audit
	for _, t := range all {
		a.tuples = append(a.tuples, Tuple{t.Channel, t.Sent, len(a.values), len(t.Fields)})
		a.values = append(append(a.values, t.Copies), t.Fields...)
	}
	_, err := x.Compiler().NewHint(a.Look, 1, a.values...)
	return err
}

// Look is the hint that evaluates all rules; it fails if one is broken. Its inputs are the
// values of the checks, and then each tuple's flag and fields (Tuples).
func (a *Audit) Look(_ *big.Int, in, out []*big.Int) error {
	a.findings = nil
	for i, c := range a.checks {
		if !c.holds(in[i]) {
			c.Found = fmt.Sprintf("expected %s, got %s", c.wants, shown(in[i]))
			a.findings = append(a.findings, c.ViolationError)
		}
	}
	a.findings = append(a.findings, a.unbalanced(in)...)
	out[0].SetUint64(0)
	if len(a.findings) > 0 {
		return fmt.Errorf("%w: %w", ErrBroken, a.findings[0])
	}
	return nil
}

// unbalanced compares, on each channel, what was sent with what was received.
func (a *Audit) unbalanced(in []*big.Int) []ViolationError {
	type balance struct {
		channel bus.Channel
		fields  string
		copies  *big.Int // sent less received
	}
	var order []*balance
	tuples := map[string]*balance{}
	for _, t := range a.tuples {
		fields := make([]string, t.Fields)
		for i, f := range in[t.At+1 : t.At+1+t.Fields] {
			fields[i] = shown(f)
		}
		text := strings.Join(fields, ", ")
		key := fmt.Sprint(int(t.Channel), ": ", text)
		b := tuples[key]
		if b == nil {
			b = &balance{t.Channel, text, new(big.Int)}
			tuples[key], order = b, append(order, b)
		}
		if t.Sent {
			b.copies.Add(b.copies, in[t.At])
		} else {
			b.copies.Sub(b.copies, in[t.At])
		}
	}
	var found []ViolationError
	places := map[bus.Channel]int{}
	for _, b := range order {
		if b.copies.Sign() == 0 {
			continue
		}
		what := fmt.Sprintf("(%s) is sent and not received, copies: %s", b.fields, b.copies)
		if b.copies.Sign() < 0 {
			what = fmt.Sprintf("(%s) is received and not sent, copies: %s", b.fields, new(big.Int).Neg(b.copies))
		}
		found = append(found, ViolationError{Rule: "bus: " + b.channel.String(), Place: places[b.channel], Found: what})
		places[b.channel]++
	}
	return found
}

// shown is short for small numbers and their negatives, and hexadecimal else.
func shown(v *big.Int) string {
	const small = 140
	if v.BitLen() <= small {
		return v.String()
	}
	if n := new(big.Int).Sub(ecc.BN254.ScalarField(), v); n.BitLen() <= small {
		return "-" + n.String()
	}
	return fmt.Sprintf("0x%x", v)
}
