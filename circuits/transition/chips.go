package transition

import (
	"slices"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
)

// chips is what the steps of Define share. Constraints are stated through its
// methods, each under the name of a rule; attack_test.go has a forgery for each.
type chips struct {
	api      frontend.API
	bus      *bus.Bus
	poseidon *gadget.Poseidon
	ranges   frontend.Rangechecker
	without  []string
	auditor  *Auditor // nil in every circuit that is proven
}

func newChips(api frontend.API, without []string) (*chips, error) {
	poseidon, err := gadget.NewPoseidon(api)
	if err != nil {
		return nil, err
	}
	return &chips{api: api, bus: bus.New(api), poseidon: poseidon, ranges: rangecheck.New(api), without: without}, nil
}

// on reports whether a rule is enforced: always, but for the forgery tests.
func (k *chips) on(rule string) bool {
	if k.auditor != nil {
		k.auditor.rule = rule
	}
	return !slices.Contains(k.without, rule)
}

// zero constrains v = 0.
func (k *chips) zero(rule string, v frontend.Variable) {
	if k.on(rule) {
		k.api.AssertIsEqual(v, 0)
	}
}

// width constrains v to [0, 2^bits).
func (k *chips) width(rule string, v frontend.Variable, bits int) {
	if k.on(rule) {
		k.ranges.Check(v, bits)
	}
}

// boolean commits a witness flag and constrains it to 0 or 1.
func (k *chips) boolean(rule string, v frontend.Variable) bus.Wire {
	if k.on(rule) {
		k.api.AssertIsBoolean(v)
	}
	return k.bus.Free(v)
}

// prefix constrains boolean flags to 1…1 0…0.
func (k *chips) prefix(rule string, flags []frontend.Variable) {
	for i := 1; i < len(flags); i++ {
		k.zero(rule, k.api.Mul(flags[i], k.api.Sub(1, flags[i-1])))
	}
}

// increasing constrains value > previous, both below 2^bits, where active is 1.
func (k *chips) increasing(rule string, active, previous, value frontend.Variable, bits int) {
	gap := k.api.Sub(value, previous, 1)
	k.width(rule, k.api.Mul(active, gap), bits)
}

// nonZero constrains v ≠ 0 where active is 1.
func (k *chips) nonZero(rule string, active, v frontend.Variable) {
	if k.on(rule) {
		k.api.AssertIsDifferent(k.api.Add(1, k.api.Mul(active, k.api.Sub(v, 1))), 0)
	}
}
