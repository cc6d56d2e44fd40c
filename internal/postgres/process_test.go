package postgres

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestLevelOf(t *testing.T) {
	for line, want := range map[string]slog.Level{
		"LOG:  database system is ready to accept connections":             slog.LevelDebug,
		"ERROR:  relation \"nothing\" does not exist":                      slog.LevelDebug, // its client is told
		"FATAL:  the database system is starting up":                       slog.LevelDebug,
		"FATAL:  the database system is shutting down":                     slog.LevelDebug,
		"FATAL:  terminating connection due to administrator command":      slog.LevelDebug,
		"WARNING:  could not flush dirty data: Function not implemented":   slog.LevelWarn,
		"FATAL:  could not write lock file: No space left on device":       slog.LevelWarn,
		"PANIC:  could not locate a valid checkpoint record at 0/80000028": slog.LevelWarn,
		"FATAL:  sorry, too many clients already":                          slog.LevelWarn,
	} {
		require.Equal(t, want, levelOf(line), line)
	}
}

// messages collects a log's lines.
type messages struct {
	mu   sync.Mutex
	text strings.Builder
}

func (m *messages) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(b)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// Starting, and stopping under a client, is no news; what a server refuses is.
func TestServersMessages(t *testing.T) {
	said := &messages{}
	log := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s, err := Start(t.Context(), Config{NoFsync: true, Log: log})
	require.NoError(t, err)
	_, err = pgx.Connect(t.Context(), strings.Replace(s.URL(), "/postgres?", "/nothing?", 1))
	require.ErrorContains(t, err, "does not exist")
	require.Eventually(t, func() bool { return strings.Contains(said.String(), `database \"nothing\" does not exist`) }, startTimeout, 10*time.Millisecond)
	client, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer func() { _ = client.Close(t.Context()) }() // the server has closed it
	require.NoError(t, s.Stop())
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	require.Len(t, lines, 1, "%s", said)
	require.Contains(t, lines[0], "level=WARN msg=postgres")
}
