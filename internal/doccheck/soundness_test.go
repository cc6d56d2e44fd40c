package doccheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoundnessNamesTests requires that the tests that docs/soundness.md names exist, and
// that it names each test of a file of attacks.
func TestSoundnessNamesTests(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	exists := map[string]bool{}
	var attacks []string
	for _, dir := range []string{"bus", "gadget", "transition", "aggregate"} {
		files, err := filepath.Glob(filepath.Join(root, "circuits", dir, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
				exists[m[1]] = true
				if strings.Contains(filepath.Base(file), "attack") {
					attacks = append(attacks, m[1])
				}
			}
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(read(t, "docs", "soundness.md"), -1) {
		require.True(t, exists[m[1]], "docs/soundness.md names %s, which does not exist", m[1])
		named[m[1]] = true
	}
	require.Greater(t, len(named), 50, "the pattern no longer finds the tests")
	for _, test := range attacks {
		require.True(t, named[test] || test == "TestAttacks", "docs/soundness.md does not name %s", test)
	}
}
