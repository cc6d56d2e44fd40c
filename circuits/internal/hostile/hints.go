package hostile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
)

// Harmless is a lie that circuits accept, and why that claims nothing.
type Harmless struct {
	Hint string                                // package and name of the hint
	When func(in, honest []*big.Int) bool      // on which calls; nil for all
	Lie  func(in, honest, lie []*big.Int) bool // which lies; nil for all
	Why  string
}

// Sample says how much of all lies to try.
type Sample struct {
	Calls   int // of each hint and number of inputs and outputs, spread over the witness
	Outputs int // to change by one, of a call; the next witness goes on behind them
	Round   int // number of the witness, so that witnesses share the work
}

// Lies is what an attack on the hints of a system tried.
type Lies struct {
	Told      map[string]int  // lies by hint
	Accepted  map[int]int     // by number of the harmless entry
	Unlisted  []string        // lies that are accepted and not listed
	Exercised map[string]bool // hints that were called
}

// Merge adds what another witness showed.
func (l *Lies) Merge(o *Lies) {
	if l.Told == nil {
		l.Told, l.Accepted, l.Exercised = map[string]int{}, map[int]int{}, map[string]bool{}
	}
	for k, v := range o.Told {
		l.Told[k] += v
	}
	for k, v := range o.Accepted {
		l.Accepted[k] += v
	}
	maps.Copy(l.Exercised, o.Exercised)
	l.Unlisted = append(l.Unlisted, o.Unlisted...)
}

// Gaps lists hints of the system that no witness called or no lie was told of, and
// entries of the list that no lie needed.
func (t *Target) Gaps(l *Lies, harmless []Harmless) (gaps []string) {
	for _, name := range t.names {
		if !l.Exercised[name] || l.Told[name] == 0 {
			gaps = append(gaps, "hint "+name+" is not covered")
		}
	}
	for i, h := range harmless {
		if l.Accepted[i] == 0 {
			gaps = append(gaps, "no lie of "+h.Hint+" is accepted any more: "+h.Why)
		}
	}
	slices.Sort(gaps)
	return gaps
}

type signature struct {
	id      solver.HintID
	in, out int
}

type lie struct {
	id   solver.HintID
	call int
	what string
	tell func(r *rand.Rand, out []*big.Int)
}

// Lie solves for a valid witness again and again, with one call of one hint answered
// wrongly: each output larger by one, all zero, two exchanged, in reverse, all random.
func (t *Target) Lie(w witness.Witness, sample Sample, harmless []Harmless) (*Lies, error) {
	calls, err := t.calls(w)
	if err != nil {
		return nil, err
	}
	result := new(Lies)
	result.Merge(&Lies{})
	var lies []lie
	for _, s := range slices.SortedFunc(maps.Keys(calls), func(a, b signature) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.in, b.in), cmp.Compare(a.out, b.out))
	}) {
		result.Exercised[t.names[s.id]] = true
		for k := range min(sample.Calls, len(calls[s])) {
			n := len(calls[s])
			at := (k*n/min(sample.Calls, n) + sample.Round*(n/3+1)) % n
			lies = append(lies, t.liesOf(s, calls[s][at], sample)...)
		}
	}
	var mu sync.Mutex
	err = parallel(w, len(lies), func(own witness.Witness, i int) error {
		l, listed, told := lies[i], -1, false
		refused, err := t.Refused(own, func() map[solver.HintID]solver.Hint {
			n := 0
			return map[solver.HintID]solver.Hint{l.id: func(q *big.Int, in, out []*big.Int) error {
				err := t.hints[l.id](q, in, out)
				if n++; n-1 != l.call {
					return err
				}
				honest := copies(out)
				l.tell(rand.New(rand.NewPCG(uint64(i), 7)), out)
				told = slices.CompareFunc(honest, out, (*big.Int).Cmp) != 0
				listed = slices.IndexFunc(harmless, func(h Harmless) bool {
					return h.Hint == t.names[l.id] && (h.When == nil || h.When(in, honest)) && (h.Lie == nil || h.Lie(in, honest, out))
				})
				return nil
			}}
		})
		if err != nil {
			return fmt.Errorf("hint %s, call %d, %s: %w", t.names[l.id], l.call, l.what, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if !told {
			return nil
		}
		result.Told[t.names[l.id]]++
		switch {
		case refused:
		case listed >= 0:
			result.Accepted[listed]++
		default:
			result.Unlisted = append(result.Unlisted, fmt.Sprintf("%s, call %d, %s", t.names[l.id], l.call, l.what))
		}
		return nil
	})
	return result, err
}

// calls lists the calls of each hint by their numbers of inputs and outputs.
func (t *Target) calls(w witness.Witness) (map[signature][]int, error) {
	calls, hints := map[signature][]int{}, map[solver.HintID]solver.Hint{}
	for id, honest := range t.hints {
		n := 0
		hints[id] = func(q *big.Int, in, out []*big.Int) error {
			s := signature{id, len(in), len(out)}
			calls[s] = append(calls[s], n)
			n++
			return honest(q, in, out)
		}
	}
	refused, err := t.Refused(w, func() map[solver.HintID]solver.Hint { return hints })
	if err == nil && refused {
		err = errors.New("the witness is not valid")
	}
	return calls, err
}

func (t *Target) liesOf(s signature, call int, sample Sample) []lie {
	field, one := fr.Modulus(), big.NewInt(1)
	add := func(what string, tell func(r *rand.Rand, out []*big.Int)) lie {
		return lie{s.id, call, fmt.Sprintf("of %d outputs %s", s.out, what), tell}
	}
	random := func(r *rand.Rand, v *big.Int) {
		b := make([]byte, fr.Bytes)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.Mod(v.SetBytes(b), field)
	}
	lies := []lie{
		add("all zero", func(_ *rand.Rand, out []*big.Int) {
			for _, v := range out {
				v.SetUint64(0)
			}
		}),
		add("all random", func(r *rand.Rand, out []*big.Int) {
			for _, v := range out {
				random(r, v)
			}
		}),
		add("one random", func(r *rand.Rand, out []*big.Int) { random(r, out[r.IntN(len(out))]) }),
	}
	if s.out > 1 {
		exchange := func(out []*big.Int, i, j int) {
			was := new(big.Int).Set(out[i])
			out[i].Set(out[j])
			out[j].Set(was)
		}
		lies = append(lies,
			add("in reverse", func(_ *rand.Rand, out []*big.Int) {
				for i := range len(out) / 2 {
					exchange(out, i, len(out)-1-i)
				}
			}),
			add("two exchanged", func(r *rand.Rand, out []*big.Int) {
				i := r.IntN(len(out))
				for j := range out { // the next that differs
					if k := (i + j) % len(out); out[k].Cmp(out[i]) != 0 {
						exchange(out, i, k)
						return
					}
				}
			}))
	}
	for k := range min(s.out, sample.Outputs) {
		j := (k + sample.Round*sample.Outputs) % s.out
		lies = append(lies, add(fmt.Sprintf("number %d plus 1", j), func(_ *rand.Rand, out []*big.Int) {
			out[j].Add(out[j], one).Mod(out[j], field)
		}))
	}
	return lies
}

func copies(vs []*big.Int) []*big.Int {
	out := make([]*big.Int, len(vs))
	for i, v := range vs {
		out[i] = new(big.Int).Set(v)
	}
	return out
}
