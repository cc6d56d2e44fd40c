package postgres

import (
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
