package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

const configurationHead = `# Configuration

Every flag of ` + "`settle`" + ` and its environment variable, by command. A flag wins over its variable. This page is
made from the program (` + "`go test ./cmd/settle -run Configuration -update`" + `) and a test holds it.

Secrets and endpoints, which may carry secrets, come from the environment alone:

| variable | meaning | without it |
|---|---|---|
| ` + "`DATABASE_URL`" + ` | Postgres that holds the rollup | the private Postgres of a running ` + "`settle-dev`" + ` (` + "`--data-dir`" + `) |
| ` + "`L1_URL`" + ` | Ethereum node (http, https, ws, wss) | the development chain of a running ` + "`settle-dev`" + ` (` + "`--data-dir`" + `) |
| ` + "`SETTLE_L1_PRIVATE_KEY`" + ` | key that deploys and settles, 64 hexadecimal digits | needed with ` + "`L1_URL`" + `; the development chain has funded keys |
| ` + "`SETTLE_TOOLS_DIR`" + ` | ` + "`settle-dev`" + `: folder in which ` + "`make`" + ` keeps bundled Postgres binaries | ` + "`.tools`" + ` beside the binary's folder, or of the checkout |
| ` + "`SETTLE_POSTGRES`" + ` | ` + "`settle-dev`" + `: which Postgres binaries may run the private server. ` + "`any`" + `, or ` + "`bundled`" + ` for only those of the tools folder | ` + "`any`" + ` |
`

// TestConfigurationPage keeps docs/configuration.md equal to the flags.
func TestConfigurationPage(t *testing.T) {
	var c cli
	described := program(&c)
	described.Vars = kong.Vars{"data": "…/settle", "keys": "…/settle/keys"}
	parser, err := described.Parser(&c)
	require.NoError(t, err)
	var page strings.Builder
	page.WriteString(configurationHead)
	section(&page, "all commands", parser.Model.Flags)
	for _, leaf := range parser.Model.Leaves(true) {
		section(&page, leaf.Path(), leaf.Flags)
	}
	path := filepath.Join("..", "..", "docs", "configuration.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(page.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), page.String())
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
