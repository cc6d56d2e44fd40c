// Package testdb gives each test a migrated schema of its own in a real Postgres.
package testdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/migrations"
)

// DB is a migrated schema, dropped at the end of its test.
type DB struct {
	URL    string        // selects the schema by search_path
	Pool   *pgxpool.Pool // on URL
	Schema string
}

// server is the one server of this test process. It ends with the process: the kernel
// signals it and a waiting shell removes its folder (package postgres).
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("DATABASE_URL"); u != "" {
		return u, nil
	}
	s, err := postgres.Start(context.Background(), postgres.Config{NoFsync: true})
	if err != nil {
		return "", err
	}
	return s.URL(), nil
})

// ServerURL returns the URL of the test process's server without a schema, for tests
// that need connections outside of any.
func ServerURL(t testing.TB) string {
	t.Helper()
	u, err := server()
	require.NoError(t, err, "tests need Postgres")
	return u
}

// New makes and migrates a schema. A missing Postgres fails the test and names the
// remedy.
func New(t testing.TB) *DB {
	t.Helper()
	db := Empty(t)
	require.NoError(t, migrations.Migrate(t.Context(), db.URL))
	return db
}

// Empty makes a schema and does not migrate it.
func Empty(t testing.TB) *DB {
	t.Helper()
	base := ServerURL(t)
	var suffix [6]byte
	_, err := rand.Read(suffix[:])
	require.NoError(t, err)
	db := &DB{Schema: "test_" + hex.EncodeToString(suffix[:])}
	exec(t, base, "create schema "+db.Schema)
	t.Cleanup(func() { exec(t, base, "drop schema "+db.Schema+" cascade") })
	db.URL, err = withSearchPath(base, db.Schema)
	require.NoError(t, err)
	db.Pool, err = pgxpool.New(t.Context(), db.URL)
	require.NoError(t, err)
	t.Cleanup(db.Pool.Close)
	return db
}

func withSearchPath(databaseURL, schema string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return "", errors.New("DATABASE_URL must have the form postgres://… for tests") // err would show a password
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // pgx takes + for itself, not for a space
	return u.String(), nil
}

func exec(t testing.TB, databaseURL, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // clean-up runs after the test's context ends
	conn, err := pgx.Connect(ctx, databaseURL)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, sql)
	require.NoError(t, err)
	require.NoError(t, conn.Close(ctx))
}
