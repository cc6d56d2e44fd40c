package main

import (
	"go/parser"
	"go/token"
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

const Fee Channel = 3 // token, account index

func (c *chip) rules(api frontend.API) {
	c.zero("rule", api.Sub(c.x, c.y))
	kept := c.api.Add(c.x, c.bus.Free(c.y))
	c.boolean("flag", c.flag)
}

func (b *Bus) add(ch Channel, fields []Expr) {}
`, false)
	require.NoError(t, err)
	for i, want := range []struct{ name, text string }{
		{`chip.go rules: c.zero("rule", api.Sub(c.x, c.y))`, `func(...any) {}("rule", api.Sub(c.x, c.y))`},
		{`chip.go rules: c.bus.Free(c.y)`, `c.bus.Derived(c.y)`},
		{`chip.go rules: c.boolean("flag", c.flag)`, `c.bus.Free(c.flag)`},
		{`chip.go add: channel Fee, field token`, `fields[0] = Const(0)`},
		{`chip.go add: channel Fee, field account index`, `fields[1] = Const(0)`},
		{`chip.go add: channel Fee, fields token and account index together`, `fields[0].Add(fields[1]), Const(0)`},
	} {
		require.Less(t, i, len(mutants))
		require.Equal(t, want.name, mutants[i].name)
		require.Contains(t, mutants[i].text, want.text)
	}
	require.Len(t, mutants, 6)
}
