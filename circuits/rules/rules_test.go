package rules

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"
)

// stating is a circuit of one rule over three values.
type stating struct {
	X     [3]frontend.Variable
	state *statement // behind a pointer, because the engine compares circuits
}

type statement struct {
	of func(r *Rules, api frontend.API, x [3]frontend.Variable)
}

func (c *stating) Define(api frontend.API) error {
	c.state.of(New(api), api, c.X)
	return nil
}

// held says whether three values satisfy what is stated about them.
func held(state func(r *Rules, api frontend.API, x [3]frontend.Variable), x [3]int64) bool {
	w := new(stating)
	for i := range x {
		w.X[i] = x[i]
	}
	return test.IsSolved(&stating{state: &statement{state}}, w, ecc.BN254.ScalarField()) == nil
}

// TestRules: what each rule accepts and refuses, and that a rule that is left out refuses
// nothing.
func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		state           func(r *Rules, x [3]frontend.Variable)
		holds, violated [][3]int64
	}{
		"zero":        {func(r *Rules, x [3]frontend.Variable) { r.Zero("rule", x[0]) }, [][3]int64{{0}}, [][3]int64{{1}, {-1}}},
		"equal":       {func(r *Rules, x [3]frontend.Variable) { r.Equal("rule", x[0], x[1]) }, [][3]int64{{5, 5}, {0, 0}}, [][3]int64{{5, 6}, {0, -1}}},
		"width":       {func(r *Rules, x [3]frontend.Variable) { r.Width("rule", x[0], 3) }, [][3]int64{{0}, {7}}, [][3]int64{{8}, {15}, {-1}}},
		"boolean":     {func(r *Rules, x [3]frontend.Variable) { r.Boolean("rule", x[0]) }, [][3]int64{{0}, {1}}, [][3]int64{{2}, {-1}}},
		"nonzero":     {func(r *Rules, x [3]frontend.Variable) { r.NonZero("rule", x[0], x[1]) }, [][3]int64{{0, 0}, {1, 2}, {1, -1}}, [][3]int64{{1, 0}}},
		"increasing":  {func(r *Rules, x [3]frontend.Variable) { r.Increasing("rule", x[0], x[1], x[2], 3) }, [][3]int64{{1, 2, 3}, {1, 0, 8}, {0, 3, 3}, {0, 9, 3}}, [][3]int64{{1, 3, 3}, {1, 4, 3}, {1, 0, 9}, {1, 0, 16}}},
		"prefix":      {func(r *Rules, x [3]frontend.Variable) { r.Prefix("rule", x[:]) }, [][3]int64{{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {1, 1, 1}}, [][3]int64{{0, 1, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 1}}},
		"one of many": {func(r *Rules, x [3]frontend.Variable) { oneHot(r, x) }, [][3]int64{{0, 0, 0}, {0, 1, 0}, {0, 0, 1}}, [][3]int64{{1, 1, 0}, {0, 1, 1}, {1, 1, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			stated := func(r *Rules, _ frontend.API, x [3]frontend.Variable) { c.state(r, x) }
			leftOut := func(r *Rules, _ frontend.API, x [3]frontend.Variable) { c.state(r.Without("other", "rule"), x) }
			otherLeftOut := func(r *Rules, _ frontend.API, x [3]frontend.Variable) { c.state(r.Without("other"), x) }
			for _, x := range c.holds {
				require.True(t, held(stated, x), "%v", x)
			}
			for _, x := range c.violated {
				require.False(t, held(stated, x), "%v", x)
				require.False(t, held(otherLeftOut, x), "%v", x)
				require.True(t, held(leftOut, x), "%v", x)
			}
		})
	}
}

func oneHot(r *Rules, x [3]frontend.Variable) (set OneHot, flags [3]Bool) {
	for i := range x {
		flags[i] = r.Boolean("boolean", x[i])
	}
	return r.OneHot("rule", flags[:]...), flags
}

// TestAny: one of some flags of a set, by the set's own flags alone.
func TestAny(t *testing.T) {
	says := func(want int) func(*Rules, frontend.API, [3]frontend.Variable) {
		return func(r *Rules, api frontend.API, x [3]frontend.Variable) {
			set, flags := oneHot(r, x)
			api.AssertIsEqual(set.Any(flags[0], flags[2]).Value(), want)
		}
	}
	for want, all := range [][][3]int64{{{0, 0, 0}, {0, 1, 0}}, {{1, 0, 0}, {0, 0, 1}}} {
		for _, x := range all {
			require.True(t, held(says(want), x), "%v", x)
			require.False(t, held(says(1-want), x), "%v", x)
		}
	}
	misuse := func(pick func(flags [3]Bool, other Bool) []Bool) func() {
		return func() {
			c := &stating{state: &statement{func(r *Rules, _ frontend.API, x [3]frontend.Variable) {
				set, flags := oneHot(r, x)
				set.Any(pick(flags, r.Boolean("boolean", x[0]))...)
			}}}
			var api frontend.API = summing{}
			c.X = [3]frontend.Variable{0, 0, 1}
			_ = c.Define(api)
		}
	}
	require.NotPanics(t, misuse(func(flags [3]Bool, _ Bool) []Bool { return flags[:] }))
	require.Panics(t, misuse(func(flags [3]Bool, other Bool) []Bool { return []Bool{flags[0], other} }), "the sum could be 2")
	require.Panics(t, misuse(func(flags [3]Bool, _ Bool) []Bool { return []Bool{flags[0], flags[0]} }), "the sum could be 2")
}

// summing is an API that states nothing.
type summing struct{ frontend.API }

func (summing) Add(a, _ frontend.Variable, _ ...frontend.Variable) frontend.Variable { return a }
func (summing) Sub(a, _ frontend.Variable, _ ...frontend.Variable) frontend.Variable { return a }
func (summing) Mul(a, _ frontend.Variable, _ ...frontend.Variable) frontend.Variable { return a }
func (summing) AssertIsEqual(frontend.Variable, frontend.Variable)                   {}
func (summing) AssertIsBoolean(frontend.Variable)                                    {}

// watching is an API that notes the rules that it is told.
type watching struct {
	summing
	told *[]string
}

func (w watching) Rule(name string) { *w.told = append(*w.told, name) }

// TestObserver: an API that asks for them is told the rules, those of a copy that lacks
// some too; no other is.
func TestObserver(t *testing.T) {
	var told []string
	r := New(watching{told: &told})
	r.Zero("a", 1)
	less := r.Without("b")
	less.Boolean("b", 1)
	r.Equal("c", 1, 1)
	require.Equal(t, []string{"a", "b", "c"}, told)
	require.False(t, less.On("b"))
	require.True(t, r.On("b"), "the rules that a copy was made of lack nothing")
	require.Nil(t, New(summing{}).observer)
}
