package testdb

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestSearchPathLeavesTheRestAlone: a folder with a space and other characters is still the same host.
func TestSearchPathLeavesTheRestAlone(t *testing.T) {
	for folder, escaped := range map[string]string{
		"/tmp/a b/run": "/tmp/a%20b/run", "/tmp/a+b/run": "/tmp/a%2Bb/run", "/tmp/a%20é/run": "/tmp/a%2520%C3%A9/run",
	} {
		with, err := withSearchPath("postgres://settle@/postgres?sslmode=disable&host="+escaped, "x")
		require.NoError(t, err)
		config, err := pgx.ParseConfig(with)
		require.NoError(t, err)
		require.Equal(t, folder, config.Host)
		require.Equal(t, "x", config.RuntimeParams["search_path"])
	}
}
