package hostile

import (
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
)

// Mutation is a change of one value of a witness.
type Mutation struct {
	Name   string
	change func(values fr.Vector, i int) fr.Element
}

// Mutations are the changes that are tried on each value.
func Mutations() []Mutation {
	return []Mutation{
		{"plus 1", func(v fr.Vector, i int) fr.Element { one := fr.One(); return *one.Add(&one, &v[i]) }},
		{"zero", func(fr.Vector, int) fr.Element { return fr.Element{} }},
		{"a neighbour's", func(v fr.Vector, i int) fr.Element {
			for j := 1; j < len(v); j++ { // the next value that differs
				if n := v[(i+j)%len(v)]; n != v[i] {
					return n
				}
			}
			return v[i]
		}},
		{"negative", func(v fr.Vector, i int) fr.Element { return *new(fr.Element).Neg(&v[i]) }},
	}
}

// Free is a group of values that a prover may change at will, and why that claims
// nothing.
type Free struct {
	Witness string // pattern of the witness's name, "" for all
	Wires   string // pattern of the wires' names
	How     string // pattern of the mutation's name, "" for all
	Why     string
}

// Change names a value and what becomes of it.
type Change struct {
	Value    int
	Mutation int
}

// Mutated is what changing values one at a time showed.
type Mutated struct {
	Tried    int
	Accepted map[int]int // by number of the entry in the list
	Unlisted []string
}

// Mutate solves for a valid witness of some name with one value changed at a time.
// names are those of all values, public ones first. A change that changes nothing is
// not counted.
func (t *Target) Mutate(name string, w witness.Witness, names []string, changes []Change, free []Free) (*Mutated, error) {
	result := &Mutated{Accepted: map[int]int{}}
	honest, ok := w.Vector().(fr.Vector)
	if !ok || len(honest) != len(names) {
		return nil, fmt.Errorf("a witness of type %T, expected %d values", w.Vector(), len(names))
	}
	if refused, err := t.Refused(w, nil); refused || err != nil {
		return nil, fmt.Errorf("witness %s is not valid: %w", name, err)
	}
	type pattern struct{ witness, wires, how *regexp.Regexp }
	patterns := make([]pattern, len(free))
	for i, f := range free {
		patterns[i] = pattern{regexp.MustCompile(f.Witness), regexp.MustCompile(f.Wires), regexp.MustCompile(f.How)}
	}
	mutations := Mutations()
	var mu sync.Mutex
	err := parallel(w, len(changes), func(own witness.Witness, i int) error {
		values, _ := own.Vector().(fr.Vector)
		at, how := changes[i].Value, mutations[changes[i].Mutation]
		before := values[at]
		after := how.change(values, at)
		if after == before {
			return nil
		}
		values[at] = after
		refused, err := t.Refused(own, nil)
		values[at] = before
		if err != nil {
			return fmt.Errorf("%s: %s %s: %w", name, names[at], how.Name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		result.Tried++
		if refused {
			return nil
		}
		entry := slices.IndexFunc(patterns, func(p pattern) bool {
			return p.witness.MatchString(name) && p.wires.MatchString(names[at]) && p.how.MatchString(how.Name)
		})
		if entry < 0 {
			result.Unlisted = append(result.Unlisted, fmt.Sprintf("%s: %s can be %s", name, names[at], how.Name))
		} else {
			result.Accepted[entry]++
		}
		return nil
	})
	slices.Sort(result.Unlisted)
	return result, err
}
