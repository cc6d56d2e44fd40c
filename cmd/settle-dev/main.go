// Command settle-dev runs settle for development, on a private Postgres and a development
// chain that it starts itself. It runs all roles, or a demo that ends by itself.
package main

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/devnote"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/provingkeys"
)

// version is set by the linker (make build).
var version = "dev"

type cli struct {
	command.Globals
	command.SettleFlags
	serviceFlags

	Demo  demoCmd  `cmd:"" help:"Run the whole rollup once. Deploy it, submit signed transfers over REST, prove and settle them, and compare all roots."`
	Up    upCmd    `cmd:"" passthrough:"" help:"Run settle up on a private Postgres and a development chain. All further arguments are passed on to settle up."`
	Chain chainCmd `cmd:"" help:"Run only the development chain."`
}

// app is what every command gets.
type app struct {
	*command.App
	*cli
}

func program() command.Program {
	return command.Program{
		Name: "settle-dev", Version: version,
		Description: "Run Settle for development: on a private Postgres and a development chain, where DATABASE_URL or L1_URL do not name others.",
		Vars:        kong.Vars{"data": devnote.DefaultFolder(), "keys": provingkeys.DefaultDir()},
		Variables:   []string{node.EnvL1Key, postgres.EnvTools, postgres.EnvSource},
		// A setting may be one of settle, which warns of those that nothing reads.
		Helper: func(*kong.Context) bool { return true },
	}
}

func main() {
	var c cli
	os.Exit(program().Main(os.Args[1:], &c, &c.Globals, func(parsed *kong.Context, a *command.App) error {
		if os.Getenv(node.EnvDatabase) == "" {
			postgres.IgnoreSurroundings() // whatever is connected to now is a private server
		}
		circuits.RegisterHints()
		return parsed.Run(&app{a, &c})
	}))
}
