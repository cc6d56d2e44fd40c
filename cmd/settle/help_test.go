package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/node"
)

func model(t *testing.T) *kong.Application {
	t.Helper()
	var c cli
	parser, err := program(&c).Parser(&c)
	require.NoError(t, err)
	return parser.Model
}

// TestHelp lists every command with its help, on standard output.
func TestHelp(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	help := string(testcmd.Succeed(t, env, "--help"))
	for _, leaf := range model(t).Leaves(true) {
		require.Contains(t, help, leaf.Path(), "in settle --help")
		require.NotEmpty(t, leaf.Help, leaf.Path())
		for _, f := range leaf.Flags {
			require.NotEmpty(t, f.Help, "%s --%s", leaf.Path(), f.Name)
		}
	}
	require.Contains(t, help, node.EnvDatabase)
	require.Contains(t, string(testcmd.Succeed(t, env, "up", "--help")), "--seal-age")
	for _, ask := range []string{"version", "--version"} {
		require.Regexp(t, `^settle \S+\n$`, string(testcmd.Succeed(t, env, ask)))
	}
}

// TestDocumentedCommands: every settle command that a page names exists, with the
// flags that it is shown with.
func TestDocumentedCommands(t *testing.T) {
	testcmd.RequireDocumented(t, filepath.Join("..", ".."), model(t), program(&cli{}).Moved)
}

// TestHelpIsReadable: each text is understood alone.
func TestHelpIsReadable(t *testing.T) { testcmd.RequireReadableHelp(t, model(t)) }

// TestSecretsAreNoFlags: command lines are seen by every user of a machine. What is
// named after a key is a folder or file of keys, or a size.
func TestSecretsAreNoFlags(t *testing.T) {
	for _, leaf := range model(t).Leaves(false) {
		for _, group := range leaf.AllFlags(false) {
			for _, f := range group {
				where := leaf.Path() + " --" + f.Name
				for _, env := range f.Envs {
					require.NotContains(t, []string{node.EnvDatabase, node.EnvL1, node.EnvL1Key}, env, where)
				}
				name := strings.ToLower(f.Name)
				for _, secret := range []string{"database", "private", "secret", "password", "token-", "mnemonic", "l1-url", "rpc"} {
					require.NotContains(t, name, secret, where)
				}
				if strings.Contains(name, "key") && name != "keys-budget" {
					require.Equal(t, "path", f.Tag.Type, where)
				}
			}
		}
	}
}

// TestCircuitsStats agrees with the committed counts.
func TestCircuitsStats(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	var stats circuitStats
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, env, "circuits", "stats", "--json", "--shape", "tiny"), &stats))
	file, err := os.ReadFile(filepath.Join("..", "..", "circuits", "testdata", "constraints.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	committed := map[string][]string{}
	for _, row := range rows {
		committed[row[0]+" "+row[1]] = row
	}
	require.Len(t, stats.Circuits, 1)
	require.Equal(t, committed["transition tiny"], stats.Circuits[0].Row())
	sum := 0
	for _, part := range stats.Parts {
		require.Contains(t, committed, "gadget "+part.Name)
		sum += part.Constraints
	}
	require.Equal(t, stats.Circuits[0].Constraints, sum)
	require.Contains(t, string(testcmd.Succeed(t, env, "circuits", "stats", "--shape", "tiny")), strconv.Itoa(stats.Circuits[0].Constraints))
}
