// Package rules states the constraints of a circuit, each under the name of a rule. The
// name is what a diagnosis reports, what docs/soundness.md argues for, and what a test
// leaves out to show that a forgery works without the rule.
package rules

import (
	"slices"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"
)

// Rules states the rules of one circuit.
type Rules struct {
	api      frontend.API
	without  []string
	observer Observer // nil in every circuit that is proven
}

// Observer is an API that is told the rule of the assertion that comes next. Package
// diagnosis has one. gnark's builder, which makes the systems of keys, is none.
type Observer interface {
	frontend.API
	Rule(name string)
}

// New returns the rules of the circuit that api defines.
func New(api frontend.API) *Rules {
	observer, _ := api.(Observer)
	return &Rules{api: api, observer: observer}
}

// Without returns the rules less those of some names. It is for tests alone: they show
// that a forgery works there. No circuit that is proven leaves a rule out.
func (r *Rules) Without(names ...string) *Rules {
	less := *r
	less.without = append(slices.Clip(r.without), names...)
	return &less
}

// On reports whether a rule is stated: always, but for tests. Whoever states a rule by
// other means than the methods below asks first.
func (r *Rules) On(rule string) bool {
	if r.observer != nil {
		r.observer.Rule(rule)
	}
	return !slices.Contains(r.without, rule)
}

// Zero states v = 0.
func (r *Rules) Zero(rule string, v frontend.Variable) {
	if r.On(rule) {
		r.api.AssertIsEqual(v, 0)
	}
}

// Equal states a = b.
func (r *Rules) Equal(rule string, a, b frontend.Variable) {
	if r.On(rule) {
		r.api.AssertIsEqual(a, b)
	}
}

// NonZero states v ≠ 0 where active is 1.
func (r *Rules) NonZero(rule string, active, v frontend.Variable) {
	if r.On(rule) {
		r.api.AssertIsDifferent(r.api.Add(1, r.api.Mul(active, r.api.Sub(v, 1))), 0)
	}
}

// Width states that v lies in [0, 2^bits).
func (r *Rules) Width(rule string, v frontend.Variable, bits int) {
	if r.On(rule) {
		r.ranges().Check(v, bits)
	}
}

// ranges is the circuit's one range checker. It is asked for at its first use, and not in
// New: gnark states what it defers in the order in which that was first asked for, and the
// order is part of the fingerprint.
func (r *Rules) ranges() frontend.Rangechecker { return rangecheck.New(r.api) }

// Increasing states value > previous, both below 2^bits, where active is 1.
func (r *Rules) Increasing(rule string, active, previous, value frontend.Variable, bits int) {
	gap := r.api.Sub(value, previous, 1)
	r.Width(rule, r.api.Mul(active, gap), bits)
}

// Prefix states that boolean flags are 1…1 0…0.
func (r *Rules) Prefix(rule string, flags []frontend.Variable) {
	for i := 1; i < len(flags); i++ {
		r.Zero(rule, r.api.Mul(flags[i], r.api.Sub(1, flags[i-1])))
	}
}
