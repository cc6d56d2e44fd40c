package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/migrations"
)

func TestThreeStartersMigrateAtOnce(t *testing.T) {
	db := testdb.Empty(t)
	require.ErrorIs(t, migrations.Check(t.Context(), db.Pool), migrations.ErrOutdated)
	errs := make(chan error)
	for range 3 {
		go func() { errs <- migrations.Migrate(t.Context(), db.URL) }()
	}
	for range 3 {
		require.NoError(t, <-errs)
	}
	require.NoError(t, migrations.Check(t.Context(), db.Pool))
	var schemas []string
	require.NoError(t, db.Pool.QueryRow(t.Context(),
		`select array_agg(distinct schemaname order by schemaname) from pg_tables where tablename in ('proof_jobs', 'batches', 'settle_schema_version') and schemaname = current_schema()`).
		Scan(&schemas))
	require.Equal(t, []string{db.Schema}, schemas, "the tables lie in the schema of search_path")
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	db := testdb.New(t)
	require.NoError(t, migrations.Migrate(t.Context(), db.URL+"&pool_max_conns=4"), "what is a pool's is not told to the server")
}

func TestNewerSchemaIsRefused(t *testing.T) {
	db := testdb.New(t)
	_, err := db.Pool.Exec(t.Context(), "update settle_schema_version set version = version + 1")
	require.NoError(t, err)
	require.ErrorIs(t, migrations.Check(t.Context(), db.Pool), migrations.ErrNewer)
	require.ErrorIs(t, migrations.Migrate(t.Context(), db.URL), migrations.ErrNewer)
}

func TestMissingSchemaNamesTheRemedy(t *testing.T) {
	db := testdb.Empty(t)
	_, err := db.Pool.Exec(t.Context(), "drop schema "+db.Schema)
	require.NoError(t, err)
	err = migrations.Migrate(t.Context(), db.URL)
	require.ErrorIs(t, err, migrations.ErrNoSchema)
	require.ErrorContains(t, err, "search_path")
	_, err = db.Pool.Exec(t.Context(), "create schema "+db.Schema)
	require.NoError(t, err)
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	db := testdb.New(t)
	_, err := db.Pool.Exec(t.Context(), "update settle_schema_version set version = 3")
	require.NoError(t, err)
	err = migrations.Check(t.Context(), db.Pool)
	require.ErrorIs(t, err, migrations.ErrOutdated)
	require.ErrorContains(t, err, "without 004_exits.sql, 005_")
	require.NotContains(t, err.Error(), "003_")
	require.ErrorContains(t, err, "settle db migrate")
}
