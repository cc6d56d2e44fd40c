package testcmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RequireReadableHelp holds the help of every command and flag to what a newcomer needs:
// whole sentences, one idea in each, none longer than 25 words, and no flag explained by
// the one above it.
func RequireReadableHelp(t *testing.T, app *kong.Application) {
	t.Helper()
	check := func(where, help string) {
		assert.Regexp(t, `^[A-Z].*\.$`, help, where)
		assert.NotContains(t, help, ";", where)
		for sentence := range strings.SplitSeq(help, ". ") {
			assert.LessOrEqual(t, len(strings.Fields(sentence)), 25, "%s: %s", where, sentence)
		}
		for _, riddle := range []string{"whoever", "nobody", "instead", " does,", " one with ", "absent:", "empty for", "empty:"} {
			if riddle == "instead" && strings.Contains(help, "instead of") {
				continue // says of what
			}
			assert.NotContains(t, strings.ToLower(help), riddle, where)
		}
	}
	for _, leaf := range app.Leaves(true) {
		check(leaf.Path(), leaf.Help)
		for _, flag := range leaf.Flags {
			check(leaf.Path()+" --"+flag.Name, flag.Help)
		}
		for _, argument := range leaf.Positional {
			check(leaf.Path()+" "+argument.Name, argument.Help)
		}
	}
}

// RequireDocumented requires that every command of the program that a page of the module
// names exists, with the flags that it is shown with. The changelog may name what moved.
func RequireDocumented(t *testing.T, root string, app *kong.Application, moved map[string]string) {
	t.Helper()
	found := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "reference/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, pages)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, words := range commandLines(app.Name, string(text)) {
				if filepath.Base(page) == "CHANGELOG.md" && moved[words[0]] != "" {
					continue // it was there then
				}
				requireCommand(t, page, app, words)
				found++
			}
		}
	}
	require.Greater(t, found, 5)
}

// commandLines are the words after the name of the program in code.
func commandLines(program, page string) [][]string {
	var lines [][]string
	code := regexp.MustCompile("(?s)```.*?```|`[^`]*`")
	start := regexp.MustCompile(`(?:^|[\s` + "`" + `])(?:bin/)?` + regexp.QuoteMeta(program) + `\s+([^` + "`" + `#\n]*)`)
	for _, block := range code.FindAllString(page, -1) {
		text := strings.ReplaceAll(block, "\\\n", " ")
		if !strings.HasPrefix(block, "```") {
			text = strings.ReplaceAll(text, "\n", " ")
		}
		for _, m := range start.FindAllStringSubmatch(text, -1) {
			// No command begins with a digit: that is output ("prove and settle 12 s").
			if words := strings.Fields(m[1]); len(words) > 0 && (words[0][0] < '0' || words[0][0] > '9') {
				lines = append(lines, words)
			}
		}
	}
	return lines
}

func requireCommand(t *testing.T, page string, app *kong.Application, words []string) {
	t.Helper()
	node := app.Node
	for _, word := range words {
		if node.Passthrough {
			return // the rest is another program's
		}
		if strings.HasPrefix(word, "-") {
			name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			require.True(t, hasFlag(node, name), "%s: %s %s: no flag --%s", page, app.Name, strings.Join(words, " "), name)
			continue
		}
		if len(node.Children) == 0 {
			continue // an argument of a flag
		}
		var next *kong.Node
		for _, child := range node.Children {
			if child.Name == word {
				next = child
			}
		}
		require.NotNil(t, next, "%s: %s %s: no command %s", page, app.Name, strings.Join(words, " "), word)
		node = next
	}
}

func hasFlag(node *kong.Node, name string) bool {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if f.Name == name {
				return true
			}
		}
	}
	return false
}
