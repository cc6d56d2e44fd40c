package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

func TestUnavailableCodes(t *testing.T) {
	for code, want := range map[string]bool{
		"57P01": true, "57P03": true, "08006": true, "53300": true, "40P01": true, "57014": true,
		"23505": false, "23514": false, "42P01": false,
	} {
		require.Equal(t, want, store.IsUnavailable(fmt.Errorf("x: %w", &pgconn.PgError{Code: code})), code)
	}
	require.True(t, store.IsUnavailable(&pgconn.PgError{Code: "08P01", Message: "pgbouncer cannot connect to server"}))
	require.False(t, store.IsUnavailable(&pgconn.PgError{Code: "08P01", Message: "unsupported startup parameter: search_path"}))
	require.False(t, store.IsUnavailable(nil))
	require.False(t, store.IsUnavailable(store.ErrFenced))
	require.False(t, store.IsUnavailable(fmt.Errorf("x: %w", context.Canceled)))
	require.True(t, store.IsUnavailable(fmt.Errorf("x: %w", context.DeadlineExceeded)))
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5")
	require.NoError(t, err)
	defer pool.Close()
	_, err = store.New(pool).Backlog(t.Context())
	require.True(t, store.IsUnavailable(err), "%v", err)
	_, err = store.New(pool).AcquireWriter(t.Context(), store.RoleSequencer, "x")
	require.True(t, store.IsUnavailable(err), "%v", err)
}

func TestMissingTableIsNotUnavailable(t *testing.T) {
	_, err := store.New(testdb.Empty(t).Pool).Backlog(t.Context())
	require.Error(t, err)
	require.False(t, store.IsUnavailable(err), "%v", err)
}

// A server that dies under open connections: every error until it is back says
// unavailable, and the same pool works again.
func TestServerGoesAndComesBack(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{NoFsync: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	require.NoError(t, migrations.Migrate(t.Context(), server.URL()))
	pool, err := pgxpool.New(t.Context(), server.URL())
	require.NoError(t, err)
	defer pool.Close()
	s := store.New(pool)
	_, err = s.InitGenesis(t.Context(), genesis())
	require.NoError(t, err)
	w, err := s.AcquireWriter(t.Context(), store.RoleSequencer, "before")
	require.NoError(t, err)

	require.NoError(t, server.Kill())
	for range 5 {
		_, err = s.Admit(t.Context(), []admission.Checked{submission(0, 0, 1)})
		require.True(t, store.IsUnavailable(err), "%v", err)
	}
	select {
	case <-w.Lost():
	case <-time.After(10 * time.Second):
		require.Fail(t, "the writer does not know")
	}
	require.NoError(t, w.Release(t.Context()))

	require.NoError(t, server.Resume(t.Context()))
	require.Eventually(t, func() bool {
		_, err = s.Admit(t.Context(), []admission.Checked{submission(0, 0, 1)})
		require.True(t, err == nil || store.IsUnavailable(err), "%v", err)
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	w, err = s.AcquireWriter(t.Context(), store.RoleSequencer, "after")
	require.NoError(t, err)
	require.Equal(t, store.Epoch(2), w.Epoch())
	require.NoError(t, w.Release(t.Context()))
}
