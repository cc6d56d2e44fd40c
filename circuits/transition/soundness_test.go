package transition

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoundnessNamesAttacks: the table of docs/soundness.md names each attack, and none
// that there is not.
func TestSoundnessNamesAttacks(t *testing.T) {
	page, err := os.ReadFile("../../docs/soundness.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "\n| claim | tests |\n")
	require.True(t, found)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(table, -1) {
		named[m[1]] = true
	}
	exists := map[string]bool{}
	for _, a := range attacks() {
		exists[a.name] = true
		require.True(t, named[a.name], "docs/soundness.md does not name the attack %q", a.name)
	}
	for name := range named {
		require.True(t, exists[name], "docs/soundness.md names %q, which is no attack", name)
	}
}
