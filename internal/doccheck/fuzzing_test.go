package doccheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	fuzzRow    = regexp.MustCompile("(?m)^\\| ((?:`Fuzz\\w+`(?:, )?)+) \\(`([^`]+)`\\) \\|")
	fuzzName   = regexp.MustCompile(`Fuzz\w+`)
)

// TestFuzzingListsTargets: each fuzz target has its row, and each row its target.
func TestFuzzingListsTargets(t *testing.T) {
	var listed, targets []string
	for _, row := range fuzzRow.FindAllStringSubmatch(read(t, "docs", "fuzzing.md"), -1) {
		for _, name := range fuzzName.FindAllString(row[1], -1) {
			listed = append(listed, row[2]+" "+name)
		}
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range fuzzTarget.FindAllStringSubmatch(string(source), -1) {
			targets = append(targets, filepath.ToSlash(folder)+" "+m[1])
		}
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, targets)
	require.ElementsMatch(t, targets, listed)
}
