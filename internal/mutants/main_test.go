package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListsAreCurrent: each suite has mutants, which parse and differ from the source,
// and what survivors.txt lists is one of them.
func TestListsAreCurrent(t *testing.T) {
	t.Chdir("../..")
	require.NoError(t, run(t.Context(), "^no mutant$", false, "internal/mutants/survivors.txt"))
	names := map[string]bool{}
	for _, s := range suites() {
		mutants, err := find(s.dir, s.native)
		require.NoError(t, err)
		require.NotEmpty(t, mutants, s.dir)
		for _, m := range mutants {
			require.False(t, names[m.name], "two mutants are called %s", m.name)
			names[m.name] = true
			_, err := parser.ParseFile(token.NewFileSet(), m.file, m.text, 0)
			require.NoError(t, err, m.name)
		}
	}
}

// TestMutants: what is taken out of a function, and how.
func TestMutants(t *testing.T) {
	mutants, err := mutate("chip.go", `package chip

type FeeAccount struct{ Token, Index Expr }

func (FeeAccount) channel() Channel { return Fee }

func (c *chip) rules(api frontend.API) {
	c.Zero("rule", api.Sub(c.x, c.y))
	kept := c.api.Add(c.x, c.bus.Free(c.y))
	c.boolean("flag", c.flag)
	set := c.OneHot("kinds", c.x, c.y)
	use(set.Any(c.x, c.y))
	c.bus.Fee.Lookup(c.flag, FeeAccount{})
}

func (b *Bus) add(ch Channel, fields []Expr) {}
`, false)
	require.NoError(t, err)
	for i, want := range []struct{ name, text string }{
		{`chip.go rules: c.Zero("rule", api.Sub(c.x, c.y))`, `func(...any) {}("rule", api.Sub(c.x, c.y))`},
		{`chip.go rules: c.bus.Free(c.y)`, `c.bus.Derived(c.y)`},
		{`chip.go rules: c.boolean("flag", c.flag)`, `c.bus.Flag(c.Without("flag").Boolean("flag", c.flag))`},
		{`chip.go rules: c.boolean("flag", c.flag), not committed`, `c.bus.DerivedFlag(c.Boolean("flag", c.flag))`},
		{`chip.go rules: c.OneHot("kinds", c.x, c.y)`, `c.Without("kinds").OneHot("kinds", c.x, c.y)`},
		{`chip.go rules: set.Any(c.x, c.y) without c.x`, `set.Any(c.y)`},
		{`chip.go rules: set.Any(c.x, c.y) without c.y`, `set.Any(c.x)`},
		{`chip.go rules: c.bus.Fee.Lookup(c.flag, FeeAccount{})`, `func(...any) {}(c.flag, FeeAccount{})`},
		{`chip.go add: channel Fee, field Token`, `fields[0] = Const(0)`},
		{`chip.go add: channel Fee, field Index`, `fields[1] = Const(0)`},
		{`chip.go add: channel and its first field together`, `ch = fields[0].Add(Const(int64(ch))), 0`},
		{`chip.go add: channel Fee, fields Token and Index together`, `fields[0].Add(fields[1]), Const(0)`},
	} {
		require.Less(t, i, len(mutants))
		require.Equal(t, want.name, mutants[i].name)
		require.Contains(t, mutants[i].text, want.text)
	}
	require.Len(t, mutants, 12)
}

// TestNarrowed: how a constraint says less.
func TestNarrowed(t *testing.T) {
	requireMutants(t, false, `package chip

func (c *chip) rules(api frontend.API, f flags) {
	k.Width("rule", c.x, 32)
	k.Zero("rule", api.Mul(f.exits, c.x))
	for i := range settle.TreeArity {
		flag := k.boolean("flag", c.touched[i])
		sum = api.Add(sum, flag)
	}
	for _, v := range []frontend.Variable{c.x, c.y} {
		use(v, [2]frontend.Variable{c.x, 0})
	}
	k.pack(packed{c.x, 32}, packed{c.y, 32})
}

func independentChallenges() (alpha, beta frontend.Variable, err error) { return root, hash, nil }
`, map[string]string{
		`k.Width("rule", c.x, 32) with a bit more`:          `k.Width("rule", c.x, (32)+1)`,
		`f.exits without f.Exit`:                            `api.Mul(k.api.Sub(f.exits, f.Exit), c.x)`,
		`f.exits without f.ExitAll`:                         `api.Mul(k.api.Sub(f.exits, f.ExitAll), c.x)`,
		`flag := k.boolean("flag", c.touched[i]), not at 3`: `flag := func() bus.Flag { if i == 3 { return k.bus.Flag(k.Without("flag").Boolean("flag", c.touched[i])) }; return k.boolean("flag", c.touched[i]) }()`,
		`sum = api.Add(sum, flag), not at 0`:                `if i != 0 { sum = api.Add(sum, flag) }`,
		`word 0 of []frontend.Variable{…}: c.x`:             `range func() []frontend.Variable { l := []frontend.Variable{c.x, c.y}; return append(l[:0:0], l[1:]...) }()`,
		`word 1 of []frontend.Variable{…}: c.y`:             `return append(l[:1:1], l[2:]...) }()`,
		`word 0 of [2]frontend.Variable{…}: c.x`:            `{func(...any) frontend.Variable { return 0 }(c.x), 0}`,
		`field 1 of k.pack(…): packed{c.y, 32}`:             `packed{func(...any) int { return 0 }(c.y), 32}`,
		`independentChallenges: α = β, both the commitment`: `return root, root, nil`,
		`independentChallenges: α = β, both the hash`:       `return hash, hash, nil`,
	})
}

// TestWeakened: how a condition refuses less, and a hash takes less.
func TestWeakened(t *testing.T) {
	requireMutants(t, true, `package native

import (
	"errors"
)

func check(a, b T) error {
	if a != b || len(a) > 3 {
		return errors.New("no")
	}
	switch {
	case x>>32 != 0:
		return errors.New("no")
	case !x.Equal(&y):
		return errors.New("no")
	}
	if err != nil {
		return err
	}
	hash.Write(a)
	z.SetBytes(b[:16])
	return publicdata.Pack(publicdata.U(x, 3), publicdata.U(y, 4))
}
`, map[string]string{
		`never: a != b || len(a) > 3`:                       `if (a != b || len(a) > 3) && false {`,
		`a != b || len(a) > 3 without a != b`:               `if (((a != b) && false) || (len(a) > 3)) {`,
		`a != b || len(a) > 3 without len(a) > 3`:           `if ((a != b) || ((len(a) > 3) && false)) {`,
		`len(a) > 3 as >=`:                                  `len(a) >= 3`,
		`a != b by the first half`:                          `"fmt"`,
		`x>>32 != 0 with a bit more`:                        `case x>>(32+1) != 0:`,
		`x.Equal(&y) in its low word`:                       `case !(x.Bits()[0] == y.Bits()[0]):`,
		`check: hash.Write(a)`:                              `_ = func() { hash.Write(a) }`,
		`z.SetBytes(b[:16]) without its last byte`:          `z.SetBytes(func(b []byte) []byte { return b[:len(b)-1] }(b[:16]))`,
		`field 0 of publicdata.Pack(…): publicdata.U(x, 3)`: `publicdata.Pack(publicdata.U(0, (publicdata.U(x, 3)).Bits), `,
	})
	mutants, err := mutate("native.go", "package native\n\nfunc f() error {\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn nil\n}\n", true)
	require.NoError(t, err)
	require.Empty(t, mutants, "what a call refuses is refused there")
}

// requireMutants looks for mutants by the end of their names and by a part of their text.
func requireMutants(t *testing.T, native bool, text string, want map[string]string) {
	t.Helper()
	mutants, err := mutate("x.go", text, native)
	require.NoError(t, err)
	for name, part := range want {
		found := false
		for _, m := range mutants {
			if strings.HasSuffix(m.name, name) {
				found = true
				require.Contains(t, m.text, part, name)
				_, err := parser.ParseFile(token.NewFileSet(), m.file, m.text, 0)
				require.NoError(t, err, name)
			}
		}
		require.True(t, found, name)
	}
}
