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
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(|^    function (test\w+)\(`)
	exists := map[string]bool{}
	var attacks []string
	for _, pattern := range []string{
		"circuits/poseidon2/*_test.go", "circuits/rules/*_test.go", "circuits/bus/*_test.go", "circuits/gadget/*_test.go", "circuits/transition/*_test.go", "circuits/aggregate/*_test.go",
		"internal/gnarkcodec/*_test.go", "schnorr/*_test.go", "provingkeys/*_test.go", "verifier/*_test.go", "verifier/contracts/test/*.sol",
		"prover/*_test.go", "aggregator/*_test.go", "l1/*_test.go", "state/*_test.go",
	} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
				exists[m[1]+m[2]] = true
				if strings.Contains(strings.ToLower(filepath.Base(file)), "attack") {
					attacks = append(attacks, m[1]+m[2])
				}
			}
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz|test_|testFuzz_)\\w+)`").FindAllStringSubmatch(read(t, "docs", "soundness.md"), -1) {
		require.True(t, exists[m[1]], "docs/soundness.md names %s, which does not exist", m[1])
		named[m[1]] = true
	}
	require.Greater(t, len(named), 50, "the pattern no longer finds the tests")
	for _, test := range attacks {
		require.True(t, named[test] || test == "TestAttacks", "docs/soundness.md does not name %s", test)
	}
}
