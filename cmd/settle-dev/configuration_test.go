package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
)

var update = flag.Bool("update", false, "rewrite docs/configuration-dev.md")

const configurationHead = `# Configuration of settle-dev

Every flag of ` + "`" + `settle-dev` + "`" + `, by command. This page is made from the program (` + "`" + `go test ./cmd/settle-dev -run Configuration -update` + "`" + `)
and a test holds it.

It passes all variables of ` + "`" + `settle` + "`" + ` on to it, and reads these itself:

| variable | meaning | without it |
|---|---|---|
| ` + "`" + `DATABASE_URL` + "`" + ` | Postgres to use | a private Postgres in the data folder |
| ` + "`" + `L1_URL` + "`" + ` | Ethereum node to use; it needs ` + "`" + `SETTLE_L1_PRIVATE_KEY` + "`" + ` | a development chain on loopback, kept in the data folder |
| ` + "`" + `SETTLE_TOOLS_DIR` + "`" + ` | folder in which ` + "`" + `make` + "`" + ` keeps bundled Postgres binaries | ` + "`" + `.tools` + "`" + ` beside the binary's folder, or of the checkout |
| ` + "`" + `SETTLE_POSTGRES` + "`" + ` | whose Postgres binaries a private server may be started from: ` + "`" + `any` + "`" + `, or ` + "`" + `bundled` + "`" + ` for those of the tools folder alone | ` + "`" + `any` + "`" + ` |
`

// TestConfigurationPage keeps the page equal to the flags.
func TestConfigurationPage(t *testing.T) {
	var c cli
	described := program()
	described.Vars = kong.Vars{"data": "…/settle", "keys": "…/settle/keys"}
	parser, err := described.Parser(&c)
	require.NoError(t, err)
	testcmd.RequireFlagsPage(t, filepath.Join("..", "..", "docs", "configuration-dev.md"), configurationHead, parser.Model, *update)
}
