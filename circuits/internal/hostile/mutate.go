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
	Values string // pattern of their labels
	How    string // pattern of the mutation's name, "" for all
	Why    string
}

// Labelled is a valid witness and what its values are called, public ones first. Two
// values of one label need not both be changed.
type Labelled struct {
	Name    string
	Witness witness.Witness
	Labels  []string
}

// Mutated is what changing values one at a time showed.
type Mutated struct {
	Tried    int
	Accepted int
	Unlisted []string // accepted and not listed
	Stale    []string // listed, and never accepted
}

// number is what sets the labels of one kind of value apart.
var number = regexp.MustCompile(`\d+`)

// Depth says how many changes are tried.
type Depth int

// Depths.
const (
	// Sampled changes each label once, in one of the witnesses; mutations and witnesses take turns. What is
	// listed as free is changed by each mutation, so that the list cannot go stale unseen.
	Sampled Depth = iota
	// Each changes each label by each mutation, in one of the witnesses.
	Each
	// All changes each label by each mutation in each witness.
	All
)

// Mutate solves for valid witnesses with one value changed at a time, by each of
// Mutations; one that changes nothing is not counted.
func (t *Target) Mutate(witnesses []Labelled, free []Free, depth Depth) (*Mutated, error) {
	mutations := Mutations()
	values, hows := make([]*regexp.Regexp, len(free)), make([]*regexp.Regexp, len(free))
	for i, f := range free {
		values[i], hows[i] = regexp.MustCompile(f.Values), regexp.MustCompile(f.How)
	}
	isFree := func(label string) bool {
		return slices.ContainsFunc(values, func(v *regexp.Regexp) bool { return v.MatchString(label) })
	}
	plan, err := t.plan(witnesses, isFree, depth)
	if err != nil {
		return nil, err
	}
	result := &Mutated{}
	listed := map[string]bool{} // kind of value in the list, and whether a change of one was accepted
	var mu sync.Mutex
	for k, w := range witnesses {
		err := parallel(w.Witness, len(plan[k]), func(own witness.Witness, i int) error {
			c := plan[k][i]
			vector, _ := own.Vector().(fr.Vector)
			before := vector[c.value]
			vector[c.value] = mutations[c.mutation].change(vector, c.value)
			refused, err := t.Refused(own, nil)
			vector[c.value] = before
			label, how := w.Labels[c.value], mutations[c.mutation].Name
			if err != nil {
				return fmt.Errorf("%s: %s %s: %w", w.Name, label, how, err)
			}
			mu.Lock()
			defer mu.Unlock()
			result.Tried++
			kind, entry := number.ReplaceAllString(label, "N"), -1
			for e := range free {
				if values[e].MatchString(label) && hows[e].MatchString(how) {
					entry = e
				}
			}
			switch {
			case refused && entry >= 0:
				if !listed[kind] {
					listed[kind] = false // until one is accepted
				}
			case refused:
			case entry >= 0:
				result.Accepted++
				listed[kind] = true
			default:
				result.Unlisted = append(result.Unlisted, fmt.Sprintf("%s: %s can be changed: %s", w.Name, label, how))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for kind, accepted := range listed {
		if !accepted {
			result.Stale = append(result.Stale, "no change of "+kind+" is accepted")
		}
	}
	for e, f := range free {
		used := false
		for _, w := range witnesses {
			used = used || slices.ContainsFunc(w.Labels, values[e].MatchString)
		}
		if !used {
			result.Stale = append(result.Stale, "nothing is called "+f.Values)
		}
	}
	slices.Sort(result.Unlisted)
	slices.Sort(result.Stale)
	return result, nil
}

type change struct{ value, mutation int }

// plan says what is changed in which witness.
func (t *Target) plan(witnesses []Labelled, isFree func(label string) bool, depth Depth) ([][]change, error) {
	plan := make([][]change, len(witnesses))
	type todo struct {
		label    string
		mutation int // 0 where one is enough
	}
	done := map[todo]bool{}
	mutations := Mutations()
	for _, w := range witnesses {
		vector, ok := w.Witness.Vector().(fr.Vector)
		if !ok || len(vector) != len(w.Labels) {
			return nil, fmt.Errorf("witness %s has %d labels, and values of type %T", w.Name, len(w.Labels), w.Witness.Vector())
		}
		if refused, err := t.Refused(w.Witness, nil); refused || err != nil {
			return nil, fmt.Errorf("witness %s is not valid: %w", w.Name, err)
		}
	}
	consider := func(k, value, mutation int) {
		vector, _ := witnesses[k].Witness.Vector().(fr.Vector)
		task := todo{witnesses[k].Labels[value], mutation}
		if depth == Sampled && !isFree(task.label) {
			task.mutation = 0
		}
		if vector[value] != mutations[mutation].change(vector, value) && (depth == All || !done[task]) {
			done[task] = true
			plan[k] = append(plan[k], change{value, mutation})
		}
	}
	for value := range witnesses[0].Labels {
		for m := range mutations {
			for k := range witnesses {
				consider((k+value+m)%len(witnesses), value, (m+value)%len(mutations))
			}
		}
	}
	return plan, nil
}
