package doccheck

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// TestProtocolDefines requires in docs/protocol.md what another implementation can
// take from nowhere else.
func TestProtocolDefines(t *testing.T) {
	doc := strings.Join(strings.Fields(read(t, "docs", "protocol.md")), " ")
	require.Contains(t, doc, `"`+schnorr.DerivationStatement+`"`)
	_, g := grumpkin.Generators()
	require.Contains(t, doc, fmt.Sprintf("G = (%s, %s)", g.X.String(), g.Y.String()))
	require.Contains(t, doc, fmt.Sprintf("`SETTLTRC` (8 bytes) ‖ version %d (2)", state.TraceVersion))
}

// TestProtocolNamesVectors requires that the vectors that docs/protocol.md lists exist,
// and that it lists all of the packages that it describes.
func TestProtocolNamesVectors(t *testing.T) {
	_, section, found := strings.Cut(read(t, "docs", "protocol.md"), "\n## Vectors\n")
	require.True(t, found)
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		_, err := os.Stat(filepath.Join(root, m[1]))
		require.NoError(t, err)
		listed[m[1]] = true
	}
	for _, dir := range []string{"poseidon", "schnorr", "publicdata", "state"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "testdata", "*.json"))
		require.NoError(t, err)
		for _, file := range files {
			require.True(t, listed[dir+"/testdata/"+filepath.Base(file)], "%s is not listed", file)
		}
	}
}
