package transition

import (
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/rules"
)

// chips is what the steps of Define share. Constraints are stated through its rules, each
// under the name of a rule; attack_test.go has a forgery for each.
type chips struct {
	*rules.Rules
	api      frontend.API
	bus      *bus.Bus
	poseidon *gadget.Poseidon
}

func newChips(api frontend.API, without []string) (*chips, error) {
	poseidon, err := gadget.NewPoseidon(api)
	if err != nil {
		return nil, err
	}
	return &chips{Rules: rules.New(api).Without(without...), api: api, bus: bus.New(api), poseidon: poseidon}, nil
}

// boolean constrains a witness flag to 0 or 1 and commits it.
func (k *chips) boolean(rule string, v frontend.Variable) bus.Flag {
	return k.bus.Flag(k.Boolean(rule, v))
}
