package transition

import (
	"errors"
	"fmt"
	"math/big"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle/circuits/bus"
)

// ViolationError is a rule of the circuit that a witness breaks.
type ViolationError struct {
	Rule  string // its name, or that of the channel whose tuples do not match
	Place int    // which of the places that state it in this shape, from 0 in order of the slots
	Code  string // who states it: function (file:line)
	Found string // the value that breaks it
}

// Error implements error.
func (v ViolationError) Error() string {
	return fmt.Sprintf("rule %q, place %d, is broken: %s", v.Rule, v.Place, v.Found)
}

// Auditor makes a circuit that states none of the rules and evaluates all of them
// natively instead, range checks and bus included, so that every broken one is
// found and named. In the real circuit these two are stated once for all of their
// kind, and the number of a constraint says nothing. For diagnosis only: the system
// that CompileAudited returns proves nothing.
type Auditor struct {
	rule     string // of the next assertion
	checks   []check
	tuples   []tupleOf
	places   map[string]int
	findings []ViolationError
}

// check is an assertion about one value.
type check struct {
	ViolationError
	holds func(v *big.Int) bool
	wants string
}

// tupleOf is the form of a tuple on the bus.
type tupleOf struct {
	channel bus.Channel
	sent    bool
	fields  int
}

// errBroken ends a solution in which a rule is broken.
var errBroken = errors.New("rules are broken")

// CompileAudited returns the system of a shape in which the auditor looks at all
// rules by its hint Look. Solving is to be given that hint.
func (a *Auditor) CompileAudited(shape Shape) (constraint.ConstraintSystem, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	*a = Auditor{places: map[string]int{}}
	circuit := New(shape)
	circuit.auditor = a
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, circuit)
	if err != nil {
		return nil, fmt.Errorf("compile shape %s for an audit: %w", shape.Name, err)
	}
	return ccs, nil
}

// Findings lists what the last solution broke.
func (a *Auditor) Findings() []ViolationError { return a.findings }

// audited is the API of a circuit whose assertions the auditor takes.
type audited struct {
	frontend.API
	auditor *Auditor
	values  *[]frontend.Variable
}

// note adds an assertion about v under the rule that was named last.
func (x audited) note(v frontend.Variable, wants string, holds func(*big.Int) bool) {
	a, code := x.auditor, caller()
	rule := a.rule
	if a.rule = ""; rule == "" {
		rule, _, _ = strings.Cut(code, " ")
	}
	a.checks = append(a.checks, check{ViolationError{Rule: rule, Place: a.places[rule], Code: code}, holds, wants})
	a.places[rule]++
	*x.values = append(*x.values, v)
}

// caller names the innermost function of our gadgets and chips that is no helper of
// the rules.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		name := path.Base(f.Function)
		helper := slices.Contains([]string{"zero", "width", "boolean", "prefix", "increasing", "nonZero"}, name[strings.LastIndexByte(name, '.')+1:])
		if !helper && !strings.Contains(name, "audited") {
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

// close hands every value to Look.
func (x audited) close(b *bus.Bus) error {
	for _, t := range b.Tuples() {
		x.auditor.tuples = append(x.auditor.tuples, tupleOf{t.Channel, t.Sent, len(t.Fields)})
		*x.values = append(append(*x.values, t.Flag), t.Fields...)
	}
	_, err := x.Compiler().NewHint(x.auditor.Look, 1, *x.values...)
	return err
}

// Look is the hint that evaluates all rules; it fails if one is broken.
func (a *Auditor) Look(_ *big.Int, in, out []*big.Int) error {
	a.findings = nil
	for i, c := range a.checks {
		if !c.holds(in[i]) {
			c.Found = fmt.Sprintf("expected %s, got %s", c.wants, shown(in[i]))
			a.findings = append(a.findings, c.ViolationError)
		}
	}
	a.findings = append(a.findings, a.unbalanced(in[len(a.checks):])...)
	out[0].SetUint64(0)
	if len(a.findings) > 0 {
		return fmt.Errorf("%w: %w", errBroken, a.findings[0])
	}
	return nil
}

// unbalanced compares, on each channel, what was sent with what was received.
func (a *Auditor) unbalanced(in []*big.Int) []ViolationError {
	type balance struct {
		channel bus.Channel
		fields  string
		copies  *big.Int // sent less received
	}
	var order []*balance
	tuples := map[string]*balance{}
	for _, t := range a.tuples {
		flag, fields := in[0], make([]string, t.fields)
		for i, f := range in[1 : 1+t.fields] {
			fields[i] = shown(f)
		}
		in = in[1+t.fields:]
		text := strings.Join(fields, ", ")
		key := fmt.Sprint(int(t.channel), ": ", text)
		b := tuples[key]
		if b == nil {
			b = &balance{t.channel, text, new(big.Int)}
			tuples[key], order = b, append(order, b)
		}
		if t.sent {
			b.copies.Add(b.copies, flag)
		} else {
			b.copies.Sub(b.copies, flag)
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
