package importrules

import (
	"io/fs"
	"os"
	"path/filepath"
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
