package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/outage"
)

// TestManyThings: each has failures of its own, by kind, whoever meets them.
func TestManyThings(t *testing.T) {
	var out bytes.Buffer
	tellers := outage.NewTellers(slog.New(slog.NewTextHandler(&out, nil)), func(err error) string { return err.Error()[:2] })
	fails := func(what, why string) bool {
		return tellers.Failed(t.Context(), slog.LevelWarn, what, errors.New(why))
	}
	require.True(t, fails("no head", "-1 first"))
	require.False(t, fails("no head", "-1 second"))
	require.True(t, fails("no fees", "-1 first"))
	require.True(t, fails("no head", "-2 first"))
	tellers.Worked(t.Context(), "no logs", "logs again")
	tellers.Worked(t.Context(), "no head", "head again")
	tellers.Worked(t.Context(), "no head", "head again")
	require.False(t, fails("no fees", "-1 second"))
	require.True(t, fails("no head", "-2 second"))
	require.Equal(t, 1, strings.Count(out.String(), "head again"))
	require.NotContains(t, out.String(), "logs again")
	var several sync.WaitGroup
	for range 8 {
		several.Go(func() { fails("no tip", "-3") })
	}
	several.Wait()
	require.Equal(t, 1, strings.Count(out.String(), "no tip"))
}

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
