package migrations_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/migrations"
)

// beforeProofJobs is a schema as the last program with River's queue has left it.
func beforeProofJobs(t *testing.T) (*testdb.DB, func(sql string, args ...any)) {
	t.Helper()
	db := testdb.Empty(t)
	conn, err := pgx.Connect(t.Context(), db.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	m, err := migrate.NewMigrator(t.Context(), conn, "settle_schema_version")
	require.NoError(t, err)
	require.NoError(t, m.LoadMigrations(os.DirFS(".")))
	require.NoError(t, m.MigrateTo(t.Context(), 8))
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := db.Pool.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	river, err := os.ReadFile("testdata/river.sql")
	require.NoError(t, err)
	exec(string(river))
	return db, exec
}

// A rollup in the middle of its work: batches 1 to 9, of which 1, 2, 8 and 9 are proven, groups
// 1 to 2 (given up) and 8 to 9 (planned). Only what follows of a batch's job is not obvious.
func TestQueueIsMovedOver(t *testing.T) {
	db, exec := beforeProofJobs(t)
	exec(`
		alter table batches disable trigger user;
		alter table batch_groups disable trigger user;
		insert into batches (number, status, shape, key_hash, old_root, new_root, commitment, words, transactions,
			used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops, proven_at)
		select n, case when n in (1, 2, 8, 9) then 'proven' else 'sealed' end, 'tiny', z, z, z, z, z, 0, 0, 0, 0, 0, 0, 0, 0, case when n in (1, 2, 8, 9) then now() end
		from generate_series(1, 9) n, (select decode(repeat('07', 32), 'hex') as z) z;
		insert into batch_groups (first, last, status, shape, key_hash, reason)
		select f, f + 1, case f when 1 then 'direct' else 'planned' end, 'tiny-2', decode(repeat('08', 32), 'hex'), 'full' from unnest(array[1, 8]) f;
		insert into leases (batch, circuit, key_hash, epoch, holder, job_id, job_attempt, acquired_at, heartbeat_at, expires_at, released)
		select n, 'transition', decode(repeat('07', 32), 'hex'), n + 10, 'w' || n, n, 2, '2026-01-01', '2026-01-01', '2026-01-01', n <> 3 from generate_series(1, 4) n`)
	job := func(batch int, state, metadata string, fold bool) {
		exec(`insert into river_job (kind, args, state, metadata, attempt, max_attempts, queue, scheduled_at, finalized_at)
			values (case when $4 then 'aggregate_batches' else 'prove_batch' end,
				jsonb_build_object('batch', $1::int, 'circuit', case when $4 then 'aggregate' else 'transition' end,
					'shape', case when $4 then 'tiny-2' else 'tiny' end, 'key_hash', '0x' || repeat(case when $4 then '08' else '07' end, 32)),
				$2::river_job_state, $3::jsonb, $1 % 4, 30000, 'prove', '2026-02-01',
				case when $2 in ('completed', 'cancelled', 'discarded') then timestamptz '2026-03-01' end)`, batch, state, metadata, fold)
	}
	const none = "{}"
	job(2, "completed", none, false) // that of batch 1 was deleted a day after it was done
	job(3, "running", none, false)
	job(4, "discarded", none, false)
	job(4, "retryable", none, false) // an operator has queued another one
	job(5, "discarded", none, false)
	job(6, "scheduled", `{"snoozes": 3, "memory": {"above": 100, "until": "2026-04-01T00:00:00Z"}}`, false)
	job(7, "cancelled", none, false)
	job(8, "completed", none, false)
	job(9, "completed", none, false)
	job(1, "running", `{"cancel_attempted_at": "2026-02-01T00:00:00Z"}`, true)
	job(8, "available", none, true)
	require.NoError(t, migrations.Migrate(t.Context(), db.URL))

	type moved struct {
		Batch, Last int
		Circuit     string
		Status      string
		Attempt     int
		Epoch       int
		Later       bool // due when it was due, and not at once
		Above       *int
		Finished    bool
	}
	rows, err := db.Pool.Query(t.Context(), `select batch, last, circuit, status, attempt, epoch, due_at = '2026-02-01' as later, memory_above as above,
		finished_at is not null as finished from proof_jobs order by circuit desc, batch`)
	require.NoError(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowToStructByName[moved])
	require.NoError(t, err)
	hundred := 100
	require.Equal(t, []moved{
		{1, 1, "transition", "completed", 2, 11, false, nil, true},
		{2, 2, "transition", "completed", 2, 12, true, nil, true},
		{3, 3, "transition", "available", 3, 13, false, nil, false},
		{4, 4, "transition", "available", 0, 14, true, nil, false},
		{5, 5, "transition", "discarded", 1, 0, true, nil, true},
		{6, 6, "transition", "available", 2, 0, true, &hundred, false},
		{7, 7, "transition", "cancelled", 3, 0, true, nil, true},
		{8, 8, "transition", "completed", 0, 0, true, nil, true},
		{9, 9, "transition", "completed", 1, 0, true, nil, true},
		{1, 2, "aggregate", "cancelled", 1, 0, false, nil, true},
		{8, 9, "aggregate", "available", 0, 0, true, nil, false},
	}, got)
	require.Empty(t, left(t, db), "nothing of River's is left")
	require.NoError(t, migrations.Check(t.Context(), db.Pool))
}

// left are tables, types and functions of River.
func left(t *testing.T, db *testdb.DB) (names []string) {
	t.Helper()
	rows, err := db.Pool.Query(t.Context(), `
		select relname::text from pg_class where relnamespace = current_schema()::regnamespace and relname like 'river%'
		union select typname from pg_type where typnamespace = current_schema()::regnamespace and typname like 'river%'
		union select proname from pg_proc where pronamespace = current_schema()::regnamespace and proname like 'river%'`)
	require.NoError(t, err)
	names, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

// Jobs of another application in the same schema are its own.
func TestJobsOfOthersAreLeftAlone(t *testing.T) {
	db, exec := beforeProofJobs(t)
	exec("insert into river_job (kind, args) values ('send_mail', '{}')")
	require.NoError(t, migrations.Migrate(t.Context(), db.URL))
	require.Contains(t, left(t, db), "river_job")
	var jobs int
	require.NoError(t, db.Pool.QueryRow(t.Context(), "select count(*) from river_job").Scan(&jobs))
	require.Equal(t, 1, jobs)
}
