package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

// expire makes the lease of a batch overdue without waiting.
func (f *fixture) expire(n settle.BatchNumber) {
	f.t.Helper()
	mustExec(f.t, f.db.Pool, "update proof_jobs set expires_at = clock_timestamp() - interval '1 second' where batch = $1 and status = 'running'", n)
}

// atOnce puts a job back in the queue without delay.
func atOnce([]store.ProofFailure) store.Requeue { return store.Requeue{} }

func TestLeaseLife(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	first := f.lease(1)
	require.Equal(t, int64(1), first.Epoch)
	require.Equal(t, 1, first.Attempt)
	require.Equal(t, "worker", first.Holder)
	require.Equal(t, ttl, first.ExpiresAt.Sub(first.HeartbeatAt).Round(time.Second))
	_, err := testdb.Lease(t, f.Store, proofKey(1), "other", ttl)
	require.ErrorIs(t, err, store.ErrNotFound, "it is taken")
	require.NoError(t, f.Heartbeat(t.Context(), first, 2*ttl))
	expired, err := f.ExpiredLeases(t.Context())
	require.NoError(t, err)
	require.Empty(t, expired)

	// Overdue, but nobody took it: the worker goes on.
	f.expire(1)
	expired, err = f.ExpiredLeases(t.Context())
	require.NoError(t, err)
	require.Len(t, expired, 1)
	require.Equal(t, first.ProofJob, expired[0].ProofJob)
	require.NoError(t, f.Heartbeat(t.Context(), first, ttl))
	reaped, err := f.ReapJob(t.Context(), expired[0], atOnce)
	require.NoError(t, err)
	require.False(t, reaped, "it is alive again")

	// Overdue and taken: a new epoch, and the old worker is told.
	f.expire(1)
	reaped, err = f.ReapJob(t.Context(), first, atOnce)
	require.NoError(t, err)
	require.True(t, reaped)
	second := f.lease(1)
	require.Greater(t, second.Epoch, first.Epoch)
	require.Equal(t, 2, second.Attempt)
	require.ErrorIs(t, f.Heartbeat(t.Context(), first, ttl), store.ErrLeaseLost)
	require.NoError(t, f.ReleaseJob(t.Context(), first), "no effect on the new one")
	require.NoError(t, f.Heartbeat(t.Context(), second, ttl))

	require.NoError(t, f.ReleaseJob(t.Context(), second))
	require.ErrorIs(t, f.Heartbeat(t.Context(), second, ttl), store.ErrLeaseLost)
	third := f.lease(1)
	require.Greater(t, third.Epoch, second.Epoch)
	require.Equal(t, 2, third.Attempt, "to hand a job back costs no attempt")
	mustExec(t, f.db.Pool, "delete from proof_jobs")
	require.ErrorIs(t, f.Heartbeat(t.Context(), third, ttl), store.ErrLeaseLost)
}

func TestManyWorkersOneLease(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	claim := store.Claim{Holder: "worker", TTL: ttl, Kinds: []store.ProofKind{{Circuit: settle.CircuitTransition, Shape: b.Shape, KeyHash: b.KeyHash}}}
	for round := range 3 {
		var mu sync.Mutex
		var won []store.Lease
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l, err := f.ClaimJob(t.Context(), claim)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, l)
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Len(t, won, 1)
		require.Equal(t, round+1, won[0].Attempt)
		f.expire(1)
		reaped, err := f.ReapJob(t.Context(), won[0], atOnce)
		require.NoError(t, err)
		require.True(t, reaped)
	}
}

// A worker gets the oldest job of those that it has the keys and the memory for.
func TestClaimTakesTheOldestThatFits(t *testing.T) {
	f := newFixture(t)
	for nonce := range settle.Nonce(4) {
		f.seal(submission(0, nonce, 1))
	}
	ours := store.ProofKind{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: keyHash()}
	claimed := func(memory uint64, kinds ...store.ProofKind) settle.BatchNumber {
		l, err := f.ClaimJob(t.Context(), store.Claim{Holder: "worker", TTL: ttl, Kinds: kinds, Memory: memory})
		if errors.Is(err, store.ErrNotFound) {
			return 0
		}
		require.NoError(t, err)
		require.NoError(t, f.ReleaseJob(t.Context(), l))
		return l.Batch
	}
	for _, other := range []store.ProofKind{
		{Circuit: settle.CircuitAggregate, Shape: "tiny", KeyHash: keyHash()},
		{Circuit: settle.CircuitTransition, Shape: "demo", KeyHash: keyHash()},
		{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: aggregateKey()},
	} {
		require.Zero(t, claimed(0, other))
	}
	require.Zero(t, claimed(0))
	require.EqualValues(t, 1, claimed(0, ours))
	mustExec(t, f.db.Pool, "update proof_jobs set memory_above = 100, memory_until = now() + interval '1 hour' where batch = 1")
	mustExec(t, f.db.Pool, "update proof_jobs set memory_above = 100, memory_until = now() - interval '1 hour' where batch = 3")
	mustExec(t, f.db.Pool, "update proof_jobs set due_at = now() + interval '1 hour' where batch = 2")
	require.EqualValues(t, 3, claimed(100, ours), "batch 1 is kept for a larger worker, 2 put off")
	require.EqualValues(t, 1, claimed(101, ours))
	require.EqualValues(t, 1, claimed(0, ours), "how much it has is not known")
	waiting, err := f.DueJobs(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.ProofKind{ours}, waiting)
}

// job returns the job of a batch's own proof.
func (f *fixture) job(n settle.BatchNumber) store.Job {
	f.t.Helper()
	jobs, err := f.Jobs(f.t.Context(), store.JobFilter{Batch: n})
	require.NoError(f.t, err)
	return jobs[len(jobs)-1]
}

// reap ends a lease as if its worker had died.
func (f *fixture) reap(l store.Lease) {
	f.t.Helper()
	f.expire(l.Batch)
	reaped, err := f.ReapJob(f.t.Context(), l, atOnce)
	require.NoError(f.t, err)
	require.True(f.t, reaped)
}

// Whatever a worker says of an attempt that is no longer its own changes nothing: neither
// the job, nor what is counted against it.
func TestStaleReportsChangeNothing(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	f.seal(submission(0, 1, 1))
	stale := f.lease(2)
	f.reap(stale)
	for name, l := range map[string]store.Lease{"of an earlier attempt": stale, "of another epoch": {ProofJob: stale.ProofJob, Epoch: 99}} {
		for then, held := range map[string]bool{"while another one is at it": true, "while it waits": false} {
			t.Run(name+" "+then, func(t *testing.T) {
				if held {
					current := f.lease(2)
					defer func() { require.NoError(t, f.ReleaseJob(t.Context(), current)) }()
				}
				before := f.job(2)
				failed := f.FailJob(t.Context(), l, store.FailBug, "late", func([]store.ProofFailure) store.Requeue {
					t.Error("the fate of somebody else's attempt was asked for")
					return store.Requeue{Dead: true}
				})
				require.ErrorIs(t, failed, store.ErrLeaseLost)
				require.NoError(t, f.ReleaseJob(t.Context(), l))
				f.expire(2) // of whoever has it
				reaped, err := f.ReapJob(t.Context(), l, atOnce)
				require.NoError(t, err)
				require.False(t, reaped)
				require.ErrorIs(t, f.Heartbeat(t.Context(), l, ttl), store.ErrLeaseLost)
				require.ErrorIs(t, f.RefuseFolded(t.Context(), l, proofKey(1), nil, "x"), store.ErrLeaseLost)
				require.Equal(t, before, f.job(2))
			})
		}
	}
	require.Len(t, f.failures(2), 1, "the death, and no more")
}

func (f *fixture) failures(n settle.BatchNumber) []store.ProofFailure {
	f.t.Helper()
	failures, err := f.ProofFailures(f.t.Context(), n)
	require.NoError(f.t, err)
	return failures
}

func TestFailuresAreKept(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	l := f.lease(1)
	later := func(failures []store.ProofFailure) store.Requeue {
		require.Len(t, failures, 1)
		return store.Requeue{Delay: time.Hour, MemoryAbove: 7, MemoryFor: 2 * time.Hour}
	}
	require.NoError(t, f.FailJob(t.Context(), l, store.FailResource, "out of memory", later))
	j := f.job(1)
	require.Equal(t, store.JobAvailable, j.Status)
	require.Greater(t, time.Until(j.DueAt), 50*time.Minute)
	require.EqualValues(t, 7, *j.MemoryAbove)
	require.Greater(t, time.Until(*j.MemoryUntil), 110*time.Minute)
	require.NoError(t, f.RetryJob(t.Context(), j.ID))
	require.Nil(t, f.job(1).MemoryAbove, "by hand, on any worker")

	second := f.lease(1)
	require.Equal(t, 2, second.Attempt)
	require.Error(t, f.FailJob(t.Context(), second, "other", "no such class", atOnce))
	dead := func([]store.ProofFailure) store.Requeue { return store.Requeue{Dead: true} }
	require.NoError(t, f.FailJob(t.Context(), second, store.FailBug, "again", dead))
	require.Equal(t, store.JobDiscarded, f.job(1).Status)
	require.True(t, f.job(1).DeadLetter())
	got := f.failures(1)
	require.Len(t, got, 2)
	require.NotZero(t, got[0].FailedAt)
	got[0].FailedAt = time.Time{}
	require.Equal(t, store.ProofFailure{ProofKey: l.ProofKey, Epoch: 1, Attempt: 1, Class: store.FailResource, Detail: "out of memory", Worker: "worker"}, got[0])
	d, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, d.Failures)
}

func TestReapPutsTheJobBack(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	l := f.lease(1)
	reaped, err := f.ReapJob(t.Context(), l, atOnce)
	require.NoError(t, err)
	require.False(t, reaped, "alive")
	require.Equal(t, store.JobRunning, f.job(1).Status)
	f.reap(l)
	require.Equal(t, store.JobAvailable, f.job(1).Status)
	failures := f.failures(1)
	require.Len(t, failures, 1)
	require.Equal(t, store.FailInfrastructure, failures[0].Class)
	require.True(t, failures[0].Lost())
	require.ErrorIs(t, f.Heartbeat(t.Context(), l, ttl), store.ErrLeaseLost)
	reaped, err = f.ReapJob(t.Context(), l, atOnce)
	require.NoError(t, err)
	require.False(t, reaped, "once")

	l = f.lease(1)
	f.expire(1)
	reaped, err = f.ReapJob(t.Context(), l, func(failures []store.ProofFailure) store.Requeue {
		require.Len(t, failures, 2)
		return store.Requeue{Dead: true}
	})
	require.NoError(t, err)
	require.True(t, reaped)
	require.Equal(t, store.JobDiscarded, f.job(1).Status)
	st, err := f.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.JobCounts{Discarded: 1}, st.Jobs)
}

// A running job has a holder and an end: nobody can write one that no reaper finds.
func TestRunningJobWithoutALeaseIsRefused(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	_, err := f.db.Pool.Exec(t.Context(), "update proof_jobs set status = 'running', attempt = 1, epoch = 1")
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "proof_jobs_lease", pg.ConstraintName)
}

// Whatever makes a job wait wakes the workers.
func TestWaitingJobsAreTold(t *testing.T) {
	f := newFixture(t)
	l, err := f.Listen(t.Context(), store.TopicJobs)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close(context.WithoutCancel(t.Context()))) }()
	told := func(what string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := l.Next(ctx)
		require.NoError(t, err, what)
	}
	b := f.seal(submission(0, 0, 1))
	told("sealed")
	require.NoError(t, f.ReleaseJob(t.Context(), f.lease(1)))
	told("handed back")
	require.NoError(t, f.FailJob(t.Context(), f.lease(1), store.FailBug, "x", atOnce))
	told("failed")
	f.reap(f.lease(1))
	told("taken from a dead worker")
	require.NoError(t, f.RetryJob(t.Context(), f.job(1).ID))
	told("retried by hand")
	f.prove(b)
	require.NoError(t, f.RefuseProof(t.Context(), f.submit, proofKey(1), []byte("proof"), "InvalidProof"))
	require.Len(t, f.awaited(), 1)
	told("set aside")
	f.prove(b)
	f.prove(f.seal(submission(0, 1, 1)))
	told("sealed")
	f.plan(1, 2)
	told("planned")
}
