package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

// cutOff ends the session that holds role's lock in this schema.
func cutOff(t *testing.T, db *testdb.DB, role store.Role) {
	t.Helper()
	mustExec(t, db.Pool, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
		and (classid::bigint << 32) | objid::bigint = hashtextextended('settle/' || current_schema() || '/' || $1::text, 0)`, role)
}

func TestOneWriterPerRoleAndSchema(t *testing.T) {
	s := store.New(testdb.New(t).Pool)
	first, err := s.AcquireWriter(t.Context(), store.RoleSequencer, "host-a/1")
	require.NoError(t, err)
	require.Equal(t, store.Epoch(1), first.Epoch())
	require.Equal(t, store.RoleSequencer, first.Role())

	_, err = s.AcquireWriter(t.Context(), store.RoleSequencer, "host-b/2")
	require.ErrorIs(t, err, store.ErrWriterHeld)
	require.ErrorContains(t, err, "host-a/1")

	other, err := s.AcquireWriter(t.Context(), store.RoleSubmitter, "host-b/2")
	require.NoError(t, err, "roles are independent")
	require.NoError(t, other.Release(t.Context()))
	elsewhere, err := store.New(testdb.New(t).Pool).AcquireWriter(t.Context(), store.RoleSequencer, "host-b/2")
	require.NoError(t, err, "schemas are independent")
	require.NoError(t, elsewhere.Release(t.Context()))

	require.NoError(t, first.Release(t.Context()))
	require.NoError(t, first.Release(t.Context()))
	second, err := s.AcquireWriter(t.Context(), store.RoleSequencer, "host-b/2")
	require.NoError(t, err)
	require.Equal(t, store.Epoch(2), second.Epoch())
	require.NoError(t, second.Release(t.Context()))
}

func TestManyStartersOneWriter(t *testing.T) {
	s := store.New(testdb.New(t).Pool)
	got := make(chan *store.Writer)
	for range 4 {
		go func() {
			w, err := s.AcquireWriter(t.Context(), store.RoleSubmitter, "racer")
			if err != nil && !errors.Is(err, store.ErrWriterHeld) {
				t.Error(err)
			}
			got <- w
		}()
	}
	var held []*store.Writer
	for range 4 {
		if w := <-got; w != nil {
			held = append(held, w)
		}
	}
	require.Len(t, held, 1)
	require.NoError(t, held[0].Release(t.Context()))
}

// A sequencer whose connection is cut learns of it, and what it still writes after
// another one has started is refused.
func TestCutOffWriterIsFenced(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 5)
	f.admit(item)
	batch, _ := f.next(item)

	// The fixture's sequencer loses its session.
	cutOff(t, f.db, store.RoleSequencer)
	var second *store.Writer
	require.Eventually(t, func() bool {
		w, err := f.AcquireWriter(t.Context(), store.RoleSequencer, "second")
		second = w
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)

	require.ErrorIs(t, f.SealBatch(t.Context(), f.epoch, batch), store.ErrFenced)
	require.ErrorIs(t, f.RejectTransactions(t.Context(), f.epoch, []store.Rejection{{ID: item.ID, Code: "expired"}}), store.ErrFenced)
	require.NoError(t, f.SealBatch(t.Context(), second.Epoch(), batch))
	require.NoError(t, second.Release(t.Context()))
}

func TestLostIsToldAtOnce(t *testing.T) {
	db := testdb.New(t)
	w, err := store.New(db.Pool).AcquireWriter(t.Context(), store.RoleSubmitter, "cut")
	require.NoError(t, err)
	select {
	case <-w.Lost():
		require.Fail(t, "lost before anything happened")
	default:
	}
	cutOff(t, db, store.RoleSubmitter)
	select {
	case <-w.Lost():
	case <-time.After(10 * time.Second):
		require.Fail(t, "not told")
	}
	require.NoError(t, w.Release(t.Context()))
}

// A bump waits for the writes of the old epoch, so that none of them commits after it.
func TestNewEpochWaitsForOldWrites(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 5)
	f.admit(item)
	batch, _ := f.next(item)
	// The batch is written but for its job, which has to wait.
	blocker, err := f.db.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = blocker.Exec(t.Context(), "lock table proof_jobs in exclusive mode")
	require.NoError(t, err)
	awaitBlocked := func(query string) {
		require.Eventually(t, func() bool {
			var waiting bool
			require.NoError(t, f.db.Pool.QueryRow(t.Context(), `select exists (select from pg_stat_activity
				where wait_event_type = 'Lock' and datname = current_database() and query like $1)`, query+"%").Scan(&waiting))
			return waiting
		}, 10*time.Second, time.Millisecond)
	}
	sealed, bumped := make(chan error, 1), make(chan error, 1)
	go func() { sealed <- f.SealBatch(t.Context(), f.epoch, batch) }()
	awaitBlocked("insert into proof_jobs")
	go func() {
		_, err := f.db.Pool.Exec(t.Context(), "update epochs set epoch = epoch + 1 where role = 'sequencer'")
		bumped <- err
	}()
	awaitBlocked("update epochs set")
	require.NoError(t, blocker.Rollback(t.Context()))
	require.NoError(t, <-sealed)
	require.NoError(t, <-bumped)
	require.ErrorIs(t, f.RejectTransactions(t.Context(), f.epoch, nil), store.ErrFenced)
}

func TestNotifications(t *testing.T) {
	f := newFixture(t)
	other := newFixture(t)
	l, err := f.Listen(t.Context(), store.TopicTransactions, store.TopicBatches, store.TopicJobs)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close(context.WithoutCancel(t.Context()))) }()

	other.admit(submission(0, 0, 1)) // another schema of the same database
	item := submission(0, 0, 5)
	f.admit(item)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	topic, err := l.Next(ctx)
	require.NoError(t, err)
	require.Equal(t, store.TopicTransactions, topic)
	b, _ := f.next(item)
	require.NoError(t, f.SealBatch(t.Context(), f.epoch, b))
	topic, err = l.Next(ctx)
	require.NoError(t, err)
	require.Equal(t, store.TopicJobs, topic, "the other schema's notification was passed over")
	topic, err = l.Next(ctx)
	require.NoError(t, err)
	require.Equal(t, store.TopicBatches, topic)
}
