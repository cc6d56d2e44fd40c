package bus

import "github.com/consensys/gnark/frontend"

// Observer is an API that compares tuples itself, instead of having the bus state that
// they balance. Package diagnosis has one. gnark's builder, which makes the systems of
// keys, is none.
type Observer interface {
	frontend.API
	Balance(all []Tuple) error
}

// Tuple is what was sent or received, in variables of the circuit.
type Tuple struct {
	Channel Channel
	Sent    bool              // or listed, on a Lookup
	Copies  frontend.Variable // flag or multiplicity
	Fields  []frontend.Variable
}

// tuples returns all that was sent and received, in order.
func (b *Bus) tuples() []Tuple {
	tuples := make([]Tuple, len(b.entries))
	for i, e := range b.entries {
		t := Tuple{Channel: e.channel, Sent: e.sent, Copies: 1}
		if e.flag != flagOne {
			t.Copies = b.wires[e.flag.id-1]
		}
		for _, field := range e.fields {
			sum := frontend.Variable(field.constant)
			for _, term := range field.terms {
				sum = b.api.Add(sum, b.api.Mul(b.wires[term.wire.id-1], term.coef))
			}
			t.Fields = append(t.Fields, sum)
		}
		tuples[i] = t
	}
	return tuples
}
