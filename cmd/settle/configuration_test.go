package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

const configurationHead = `# Configuration

Every flag of ` + "`settle`" + ` and its environment variable, by command; [those of settle-dev](configuration-dev.md) and
[of settle-bench](configuration-bench.md) have pages of their own. A flag wins over its variable. This page is
made from the program (` + "`go test ./cmd/settle -run Configuration -update`" + `) and a test holds it.

Secrets and endpoints, which may carry secrets, come from the environment alone:

| variable | meaning | without it |
|---|---|---|
| ` + "`DATABASE_URL`" + ` | Postgres that holds the rollup | that of a ` + "`settle-dev`" + ` which runs on the data folder; an error if none does |
| ` + "`L1_URL`" + ` | Ethereum node (http, https, ws, wss) | that of such a ` + "`settle-dev`" + `, likewise |
| ` + "`SETTLE_L1_PRIVATE_KEY`" + ` | key that deploys and settles, 64 hexadecimal digits | needed with ` + "`L1_URL`" + `; a ` + "`settle-dev`" + ` has a funded one |
`

// TestConfigurationPage keeps docs/configuration.md equal to the flags.
func TestConfigurationPage(t *testing.T) {
	var c cli
	described := program(&c)
	described.Vars = kong.Vars{"data": "…/settle", "keys": "…/settle/keys"}
	parser, err := described.Parser(&c)
	require.NoError(t, err)
	testcmd.RequireFlagsPage(t, filepath.Join("..", "..", "docs", "configuration.md"), configurationHead, parser.Model, *update)
}
