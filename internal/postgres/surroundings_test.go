package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestURLIgnoresSurroundings: what the user set for other servers does not lead a
// client of the private one astray.
func TestURLIgnoresSurroundings(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "elsewhere", "PGPORT": "6543", "PGUSER": "nobody", "PGDATABASE": "other", "PGSSLMODE": "verify-full", "PGTARGETSESSIONATTRS": "standby",
	} {
		t.Setenv(name, value)
	}
	s := &Server{socket: "/tmp/a b%?#'\"\\\u00e9/run"}
	config, err := pgx.ParseConfig(s.URL())
	require.NoError(t, err)
	require.Equal(t, s.socket, config.Host)
	require.Equal(t, uint16(5432), config.Port)
	require.Equal(t, []string{superuser, "postgres"}, []string{config.User, config.Database})
	require.Nil(t, config.TLSConfig)
	require.Empty(t, config.Fallbacks)
	require.Nil(t, config.ValidateConnect)
}

// TestStartIgnoresSurroundings: not one variable of the user's other servers reaches the private one or its clients,
// those included that no URL can override, whatever characters its folder has.
func TestStartIgnoresSurroundings(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "elsewhere", "PGPORT": "6543", "PGUSER": "nobody", "PGDATABASE": "other", "PGSSLMODE": "verify-full", "PGDATA": "/absent",
		"PGSERVICE": "absent", "PGSERVICEFILE": "/absent", "PGPASSFILE": "/absent", "PGPASSWORD": "wrong", "PGAPPNAME": "other",
		"PGOPTIONS": "-c search_path=absent -c statement_timeout=1", "PGCONNECT_TIMEOUT": "never", "PGTZ": "nowhere", "PGCLIENTENCODING": "nonsense",
		"PGMINPROTOCOLVERSION": "9.9", "PGREQUIREAUTH": "nonsense", "PGCHANNELBINDING": "nonsense", "PGTARGETSESSIONATTRS": "standby",
	} {
		t.Setenv(name, value)
	}
	t.Setenv("PG_OF_ANOTHER_PROGRAM", "kept")
	home, err := os.MkdirTemp("", "settle-pg-test-") //nolint:usetesting // t.TempDir is closed to other users
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chmod(home, 0o711))
	for _, folder := range []string{"a b", `c+d,e'f"g%20é`} {
		s, err := Start(t.Context(), Config{DataDir: filepath.Join(home, folder), NoFsync: true})
		require.NoError(t, err, folder)
		conn, err := pgx.Connect(t.Context(), s.URL())
		require.NoError(t, err, folder)
		var path, application, timeout string
		require.NoError(t, conn.QueryRow(t.Context(),
			"select current_setting('search_path'), current_setting('application_name'), current_setting('statement_timeout')").Scan(&path, &application, &timeout))
		require.Equal(t, []string{`"$user", public`, "", "0"}, []string{path, application, timeout})
		require.NoError(t, conn.Close(t.Context()))
		require.NoError(t, s.Stop())
	}
	for _, setting := range os.Environ() {
		require.True(t, !strings.HasPrefix(setting, "PG") || strings.HasPrefix(setting, "PG_OF"), setting)
	}
	require.Equal(t, "kept", os.Getenv("PG_OF_ANOTHER_PROGRAM"))
}
