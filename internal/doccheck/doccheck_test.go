package doccheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
)

const root = "../.."

func read(t *testing.T, path ...string) string {
	b, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	require.NoError(t, err)
	return string(b)
}

var (
	trigger = regexp.MustCompile(`(?s)create trigger (\w+)_transition before update.*?not in \((.*?)\)\)\s+execute`)
	pair    = regexp.MustCompile(`\('(\w+)', '(\w+)'\)`)
	arrow   = regexp.MustCompile(`(?m)^    (\w+) --> (\w+)$`)
)

// TestStateMachinesAreTheTriggers compares the arrows that are drawn with those
// that the database lets pass.
func TestStateMachinesAreTheTriggers(t *testing.T) {
	doc := read(t, "docs", "state-machines.md")
	migrations, err := filepath.Glob(filepath.Join(root, "migrations", "*.sql"))
	require.NoError(t, err)
	triggers := map[string]string{} // by table; a later migration writes over an earlier one
	for _, path := range migrations {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		up, _, _ := strings.Cut(string(b), "---- create above / drop below ----")
		for _, m := range trigger.FindAllStringSubmatch(up, -1) {
			triggers[m[1]] = m[2]
		}
	}
	require.Len(t, triggers, 5)
	for name, pairs := range triggers {
		table := strings.ReplaceAll(strings.TrimPrefix(name, "batch_"), "_", " ")
		_, section, found := strings.Cut(doc, "\n## "+strings.ToUpper(table[:1])+table[1:]+"\n")
		require.True(t, found, "no section for %s", table)
		section, _, _ = strings.Cut(section, "\n## ")
		require.Equal(t, arrows(pair.FindAllStringSubmatch(pairs+")", -1)), arrows(arrow.FindAllStringSubmatch(section, -1)), table)
	}
}

func arrows(matches [][]string) []string {
	var out []string
	for _, m := range matches {
		out = append(out, m[1]+" -> "+m[2])
	}
	slices.Sort(out)
	return out
}

// TestProtocolListsTags requires every tag of the code in docs/protocol.md.
func TestProtocolListsTags(t *testing.T) {
	doc := read(t, "docs", "protocol.md")
	for _, tag := range []string{schnorr.TagText, publicdata.CTag, gadget.OffsetDST, "settle/key/v1", "settle/bus/beta/v1"} {
		require.Contains(t, doc, "| `"+tag+"` |")
	}
	beta := schnorr.Beta()
	require.Contains(t, doc, beta.String())
	require.Contains(t, doc, schnorr.Lambda().String())
}

// TestLinksLead requires that every relative link of a document leads to a file.
func TestLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(root, "docs", "adr", "*.md"))
	require.NoError(t, err)
	top, err := filepath.Glob(filepath.Join(root, "*.md"))
	require.NoError(t, err)
	for _, document := range slices.Concat(documents, more, top) {
		b, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(document), m[1]))
			require.NoError(t, err, "%s links to %s", document, m[1])
		}
	}
}
