// Package golden compares what tests generate with files that are committed, which
// other implementations read too.
package golden

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hold compares got with the file, or writes the file if update is set.
func Hold(t testing.TB, file string, got []byte, update bool) {
	t.Helper()
	if update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "regenerate with -update if the format was meant to change")
}

// Lines is the value as JSON with each element of its lists on a line of its own.
func Lines(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return append(bytes.ReplaceAll(text, []byte("},{"), []byte("},\n{")), '\n')
}
