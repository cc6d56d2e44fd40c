package testcmd

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// RequireFlagsPage keeps a page of the documentation equal to a program's flags, below a
// head; with update it is written anew.
func RequireFlagsPage(t *testing.T, path, head string, model *kong.Application, update bool) {
	t.Helper()
	var page strings.Builder
	page.WriteString(head)
	section(&page, "all commands", model.Flags)
	for _, leaf := range model.Leaves(true) {
		section(&page, leaf.Path(), leaf.Flags)
	}
	if update {
		require.NoError(t, os.WriteFile(path, []byte(page.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), page.String(), "run its test with -update")
}

func section(page *strings.Builder, title string, flags []*kong.Flag) {
	flags = slices.DeleteFunc(slices.Clone(flags), func(f *kong.Flag) bool { return f.Hidden || f.Name == "help" })
	if len(flags) == 0 {
		return
	}
	fmt.Fprintf(page, "\n## %s\n\n| flag | variable | default | meaning |\n|---|---|---|---|\n", title)
	for _, f := range flags {
		code := func(s string) string {
			if s == "" {
				return ""
			}
			return "`" + s + "`"
		}
		value := code(f.Default)
		if f.Required {
			value = "required"
		}
		help := strings.ReplaceAll(f.Help, "${enum}", strings.ReplaceAll(f.Enum, ",", ", "))
		fmt.Fprintf(page, "| `--%s` | %s | %s | %s |\n", f.Name, code(strings.Join(f.Envs, ", ")), value, help)
	}
}
