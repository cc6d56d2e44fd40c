package bus

import "github.com/consensys/gnark/frontend"

// String names a channel as the circuit's documents do.
func (c Channel) String() string {
	switch c {
	case Tree:
		return "tree"
	case Memory:
		return "memory"
	case Fee:
		return "fee"
	case FixedBase:
		return "fixed-base table"
	case Opens:
		return "opens"
	case Exits:
		return "exits"
	}
	return "unknown channel"
}

// Tuple is what was sent or received, in variables of the circuit.
type Tuple struct {
	Channel Channel
	Sent    bool
	Flag    frontend.Variable // number of copies
	Fields  []frontend.Variable
}

// Tuples returns all that was sent and received so far, in order, for a diagnosis
// that compares them itself (transition.Auditor). It states nothing: a circuit that
// is proven calls Close.
func (b *Bus) Tuples() []Tuple {
	tuples := make([]Tuple, len(b.entries))
	for i, e := range b.entries {
		t := Tuple{Channel: e.channel, Sent: e.sent, Flag: 1}
		if e.flag != flagOne {
			t.Flag = b.wires[e.flag.id-1]
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
