package rules

import (
	"slices"

	"github.com/consensys/gnark/frontend"
)

// Bool is a variable that is 0 or 1 by a rule. Boolean and OneHot make them, so that
// whoever is handed one need not ask for the rule.
type Bool struct{ value *frontend.Variable }

// One is the constant 1.
func One() Bool { return boolOf(1) }

func boolOf(v frontend.Variable) Bool { return Bool{&v} }

// Value is the variable. The zero Bool has none: nil.
func (b Bool) Value() frontend.Variable {
	if b.value == nil {
		return nil
	}
	return *b.value
}

// Boolean states that v is 0 or 1.
func (r *Rules) Boolean(rule string, v frontend.Variable) Bool {
	if r.On(rule) {
		r.api.AssertIsBoolean(v)
	}
	return boolOf(v)
}

// OneHot is a set of flags of which at most one is 1.
type OneHot struct {
	api   frontend.API
	flags []Bool
}

// OneHot states that at most one of two or more flags is 1.
func (r *Rules) OneHot(rule string, flags ...Bool) OneHot {
	set := OneHot{r.api, flags}
	sum := set.sum(flags)
	r.Zero(rule, r.api.Mul(sum, r.api.Sub(1, sum)))
	return set
}

// Any says whether one of some flags of the set is 1. It is their sum, which is 0 or 1
// because at most one of them is 1. It panics on a flag outside the set, for which that
// does not hold.
func (s OneHot) Any(flags ...Bool) Bool {
	for i, flag := range flags {
		if !slices.Contains(s.flags, flag) || slices.Contains(flags[:i], flag) {
			panic("rules: Any of a flag that is not in the set, or twice")
		}
	}
	return boolOf(s.sum(flags))
}

func (s OneHot) sum(flags []Bool) frontend.Variable {
	sum := frontend.Variable(0)
	for _, flag := range flags {
		sum = s.api.Add(sum, flag.Value())
	}
	return sum
}
