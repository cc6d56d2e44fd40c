package bus

import (
	"fmt"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/poseidon2"
	"github.com/zksettle/settle/poseidon"
)

// betaTag separates the hash that derives β from every other use of P4.
const betaTag = "settle/bus/beta/v1"

// independentChallenges takes the commitment as α and hashes it to β. gnark
// hands a second callback root², and with α a power of β a prover cancels
// tuples that do not match (TestDependentChallengesForge).
func independentChallenges(api frontend.API, root frontend.Variable) (alpha, beta frontend.Variable, err error) {
	p4, err := poseidon2.New(api, 4)
	if err != nil {
		return nil, nil, fmt.Errorf("bus: %w", err)
	}
	state := []frontend.Variable{root, poseidon.Tag(betaTag), 0, 0}
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
