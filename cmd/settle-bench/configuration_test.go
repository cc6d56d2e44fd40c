package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
)

var update = flag.Bool("update", false, "rewrite docs/configuration-bench.md")

const configurationHead = `# Configuration of settle-bench

Every flag of ` + "`" + `settle-bench` + "`" + `, by command. This page is made from the program (` + "`" + `go test ./cmd/settle-bench -run Configuration -update` + "`" + `)
and a test holds it.
`

// TestConfigurationPage keeps the page equal to the flags.
func TestConfigurationPage(t *testing.T) {
	var c cli
	described := program()
	described.Vars = kong.Vars{"data": "…/settle", "keys": "…/settle/keys"}
	parser, err := described.Parser(&c)
	require.NoError(t, err)
	testcmd.RequireFlagsPage(t, filepath.Join("..", "..", "docs", "configuration-bench.md"), configurationHead, parser.Model, *update)
}
