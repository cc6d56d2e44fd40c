package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/outage"
)

func TestSaidOnce(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	teller := outage.New(slog.New(slog.NewTextHandler(&out, nil)), "settling fails", "settling goes on").At(func() time.Time { return now })
	lines := func() (said []string) {
		for line := range strings.Lines(out.String()) {
			said = append(said, line[strings.Index(line, "level"):len(line)-1])
		}
		out.Reset()
		return said
	}
	teller.Worked(t.Context())
	require.Empty(t, lines())
	require.True(t, teller.Failed(t.Context(), slog.LevelWarn, errors.New("read from port 4711: reset"), "batch", 3))
	require.Equal(t, time.Unix(1000, 0), teller.Failing())
	now = now.Add(time.Minute)
	require.False(t, teller.Failed(t.Context(), slog.LevelWarn, errors.New("read from port 12: reset")))
	require.True(t, teller.Failed(t.Context(), slog.LevelError, errors.New("no ether")))
	require.Equal(t, time.Unix(1000, 0), teller.Failing(), "it is still the same outage")
	teller.Worked(t.Context())
	require.True(t, teller.Failing().IsZero())
	require.True(t, teller.Failed(t.Context(), slog.LevelWarn, errors.New("no ether")), "a new one is said anew")
	require.Equal(t, []string{
		`level=WARN msg="settling fails" error="read from port 4711: reset" batch=3`,
		`level=ERROR msg="settling fails" error="no ether"`,
		`level=INFO msg="settling goes on" after=1m0s`,
		`level=WARN msg="settling fails" error="no ether"`,
	}, lines())
}
