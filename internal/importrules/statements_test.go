package importrules

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOneOwnerOfJobs: all statements about proof jobs stand in one file, so that the rule by
// which an attempt is fenced can be read there.
func TestOneOwnerOfJobs(t *testing.T) {
	const root, owner = "../..", "store/jobs_sql.go"
	var knows []string
	for _, dir := range []string{"aggregator", "api", "bench", "cmd", "internal", "jobs", "l1", "prover", "sequencer", "store"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".sql" {
				return err
			}
			text, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(text), " proof_jobs ") {
				name, _ := filepath.Rel(root, path)
				knows = append(knows, filepath.ToSlash(name))
			}
			return err
		})
		require.NoError(t, err)
	}
	require.Equal(t, []string{owner}, knows)
}

// TestStatementsStandByTable: whoever looks for what is done to a table finds it in one file,
// store/<table>_sql.go. server.go asks the server about itself, of which there is no table.
func TestStatementsStandByTable(t *testing.T) {
	files, err := filepath.Glob("../../store/*.go")
	require.NoError(t, err)
	statement := regexp.MustCompile("(?i)[\"`]\\s*(select|insert into|delete from|update|with) [^\"`]*(from|values|set|as) ")
	byTable := 0
	for _, file := range files {
		name := filepath.Base(file)
		switch {
		case strings.HasSuffix(name, "_sql.go"):
			byTable++
			continue
		case strings.HasSuffix(name, "_test.go"), name == "server.go":
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.False(t, statement.Match(text), "%s holds a statement: %s", name, statement.Find(text))
		require.NotContains(t, string(text), "go:embed", name)
	}
	require.Positive(t, byTable)
}
