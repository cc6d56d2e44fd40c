package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLastErrorOfSeveralLines stays one JSON object.
func TestLastErrorOfSeveralLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.Equal(t, 1, lastError(&out, "settle", "json", errors.Join(errors.New("one"), errors.New("two"))))
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.True(t, json.Valid(out.Bytes()))
}

// TestOnlyUnknownVariablesAreNamed: nothing else that begins alike, or is set.
func TestOnlyUnknownVariablesAreNamed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	warnOfUnknownVariables(slog.New(slog.NewTextHandler(&out, nil)), []string{"SETTLE_LISTEN"}, []string{"PATH=/bin", "L1_URL=x", "SETTLE_LISTEN=x", "SETTLEMENT=x"})
	require.Empty(t, out.String())
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"LISTENN", "LISTEN", 1}, {"ab", "ba", 2}} {
		require.Equal(t, c.want, edits(c.a, c.b), "%s %s", c.a, c.b)
		require.Equal(t, c.want, edits(c.b, c.a), "%s %s", c.b, c.a)
	}
}
