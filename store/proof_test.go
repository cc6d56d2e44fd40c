package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// expire makes the lease of a batch overdue without waiting.
func (f *fixture) expire(n settle.BatchNumber) {
	f.t.Helper()
	mustExec(f.t, f.db.Pool, "update leases set expires_at = clock_timestamp() - interval '1 second' where batch = $1", n)
}

func (f *fixture) lease(n settle.BatchNumber) store.Lease {
	f.t.Helper()
	l, err := f.AcquireLease(f.t.Context(), leaseRequest(n))
	require.NoError(f.t, err)
	return l
}

func TestLeaseLife(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	first := f.lease(1)
	require.Equal(t, int64(1), first.Epoch)
	require.Equal(t, "worker", first.Holder)
	require.Equal(t, ttl, first.ExpiresAt.Sub(first.HeartbeatAt).Round(time.Second))
	_, err := f.AcquireLease(t.Context(), leaseRequest(1))
	require.ErrorIs(t, err, store.ErrLeaseHeld)
	later, err := f.Heartbeat(t.Context(), first, 2*ttl)
	require.NoError(t, err)
	require.True(t, later.ExpiresAt.After(first.ExpiresAt))
	expired, err := f.ExpiredLeases(t.Context())
	require.NoError(t, err)
	require.Empty(t, expired)

	// Overdue, but nobody took it: the worker goes on.
	f.expire(1)
	expired, err = f.ExpiredLeases(t.Context())
	require.NoError(t, err)
	require.Len(t, expired, 1)
	require.Equal(t, first.ProofKey, expired[0].ProofKey)
	_, err = f.Heartbeat(t.Context(), first, ttl)
	require.NoError(t, err)

	// Overdue and taken: a new epoch, and the old worker is told.
	f.expire(1)
	second := f.lease(1)
	require.Equal(t, int64(2), second.Epoch)
	_, err = f.Heartbeat(t.Context(), first, ttl)
	require.ErrorIs(t, err, store.ErrLeaseLost)
	require.NoError(t, f.ReleaseLease(t.Context(), first), "no effect on the new one")
	_, err = f.Heartbeat(t.Context(), second, ttl)
	require.NoError(t, err)

	require.NoError(t, f.ReleaseLease(t.Context(), second))
	_, err = f.Heartbeat(t.Context(), second, ttl)
	require.ErrorIs(t, err, store.ErrLeaseLost)
	require.Equal(t, int64(3), f.lease(1).Epoch)
	_, err = f.AcquireLease(t.Context(), leaseRequest(7))
	require.Error(t, err, "there is no such batch")
}

func TestManyWorkersOneLease(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	for round := range 3 {
		var mu sync.Mutex
		var won []store.Lease
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l, err := f.AcquireLease(t.Context(), leaseRequest(1))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, l)
				} else if !errors.Is(err, store.ErrLeaseHeld) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Len(t, won, 1)
		require.Equal(t, int64(round+1), won[0].Epoch)
		f.expire(1)
	}
}

func TestProofMakesBatchProven(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 1)
	b := f.seal(item)
	l := f.lease(1)
	stats := store.ProofStats{Assign: time.Millisecond, Solve: 2 * time.Second, Prove: 3 * time.Second, PeakMemory: 1 << 33}
	completed := 0
	out, err := f.StoreProof(t.Context(), l, envelope(b), stats, func(context.Context, pgx.Tx) error { completed++; return nil })
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true}, out)
	require.Equal(t, 1, completed)
	require.Equal(t, settle.TxProven, f.txStatus(item.ID))

	p, err := f.Proof(t.Context(), l.ProofKey)
	require.NoError(t, err)
	require.NotZero(t, p.StoredAt)
	p.StoredAt = time.Time{}
	require.Equal(t, store.ProofRecord{ProofEnvelope: envelope(b), Stats: stats, Worker: "worker", Attempt: 1, Epoch: 1}, p)
	d, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, settle.BatchProven, d.Status)
	require.NotNil(t, d.ProvenAt)
	require.Len(t, d.Proofs, 1)

	_, err = f.AcquireLease(t.Context(), leaseRequest(1))
	require.ErrorIs(t, err, store.ErrProofExists)
	_, err = f.Heartbeat(t.Context(), l, ttl)
	require.ErrorIs(t, err, store.ErrProofExists)
	_, err = f.Proof(t.Context(), store.ProofKey{Batch: 1, Circuit: "aggregate"})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = f.db.Pool.Exec(t.Context(), "update proofs set proof = 'x'")
	require.ErrorContains(t, err, "never rewritten")
}

func TestProofAndJobAreCompletedTogether(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	boom := errors.New("boom")
	_, err := f.StoreProof(t.Context(), f.lease(1), envelope(b), store.ProofStats{}, func(context.Context, pgx.Tx) error { return boom })
	require.ErrorIs(t, err, boom)
	require.Equal(t, settle.BatchSealed, f.batchStatus(1))
	_, err = f.Proof(t.Context(), leaseRequest(1).ProofKey)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A worker that was paused comes back while another one proves: its valid proof is
// kept, the other's job is left alone, and the other is told to stop.
func TestLateProofIsKeptOnce(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	paused := f.lease(1)
	f.expire(1)
	current := f.lease(1)
	never := func(context.Context, pgx.Tx) error { return errors.New("completed a job of somebody else") }
	out, err := f.StoreProof(t.Context(), paused, envelope(b), store.ProofStats{}, never)
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true, Late: true}, out)
	require.Equal(t, settle.BatchProven, f.batchStatus(1))
	_, err = f.Heartbeat(t.Context(), current, ttl)
	require.ErrorIs(t, err, store.ErrProofExists)

	completed := false
	other := envelope(b)
	other.Proof = []byte("another")
	out, err = f.StoreProof(t.Context(), current, other, store.ProofStats{}, func(context.Context, pgx.Tx) error { completed = true; return nil })
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{}, out)
	require.True(t, completed, "the job is done either way")
	p, err := f.Proof(t.Context(), current.ProofKey)
	require.NoError(t, err)
	require.Equal(t, []byte("proof"), p.Proof, "the first one stays")
	require.True(t, p.Late)
}

func TestConcurrentProofsOfOneBatch(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	old := f.lease(1)
	f.expire(1)
	leases := []store.Lease{old, f.lease(1), old}
	outs := make([]store.ProofOutcome, len(leases))
	var wg sync.WaitGroup
	for i, l := range leases {
		wg.Go(func() {
			out, err := f.StoreProof(t.Context(), l, envelope(b), store.ProofStats{}, noJob)
			if err != nil {
				t.Error(err)
			}
			outs[i] = out
		})
	}
	wg.Wait()
	stored := 0
	for _, o := range outs {
		if o.Stored {
			stored++
		}
	}
	require.Equal(t, 1, stored)
}

func TestProofOfSomethingElseIsRefused(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	second := f.seal(submission(0, 1, 1))
	l := f.lease(1)
	for name, change := range map[string]func(*settle.ProofEnvelope){
		"circuit":               func(p *settle.ProofEnvelope) { p.Circuit = "aggregate" },
		"shape":                 func(p *settle.ProofEnvelope) { p.Shape = "demo" },
		"key":                   func(p *settle.ProofEnvelope) { p.KeyHash[0]++ },
		"commitment":            func(p *settle.ProofEnvelope) { p.Inputs[0][0]++ },
		"ζ":                     func(p *settle.ProofEnvelope) { p.Inputs[1][31]++ },
		"v":                     func(p *settle.ProofEnvelope) { p.Inputs[2][31]++ },
		"another batch's proof": func(p *settle.ProofEnvelope) { *p = envelope(second) },
	} {
		p := envelope(b)
		change(&p)
		_, err := f.StoreProof(t.Context(), l, p, store.ProofStats{}, noJob)
		require.ErrorIs(t, err, store.ErrProofMismatch, name)
	}
	other := leaseRequest(1)
	other.KeyHash[0]++
	wrongKey, err := f.AcquireLease(t.Context(), other)
	require.NoError(t, err)
	p := envelope(b)
	p.KeyHash = other.KeyHash
	_, err = f.StoreProof(t.Context(), wrongKey, p, store.ProofStats{}, noJob)
	require.ErrorIs(t, err, store.ErrProofMismatch, "a lease under another key than the batch's")
	never := l
	never.Circuit = "aggregate"
	p = envelope(b)
	p.Circuit = "aggregate"
	_, err = f.StoreProof(t.Context(), never, p, store.ProofStats{}, noJob)
	require.ErrorIs(t, err, store.ErrLeaseLost, "no lease at all")
}

func TestFailuresAreKept(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	l := f.lease(1)
	require.NoError(t, f.RecordFailure(t.Context(), l, store.FailResource, "out of memory"))
	again := leaseRequest(1)
	again.JobAttempt = 2
	second, err := f.AcquireLease(t.Context(), again)
	require.NoError(t, err, "a failure releases the lease")
	require.NoError(t, f.RecordFailure(t.Context(), l, store.FailBug, "by the old epoch"))
	_, err = f.Heartbeat(t.Context(), second, ttl)
	require.NoError(t, err, "and only its own")
	got, err := f.ProofFailures(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.NotZero(t, got[0].FailedAt)
	got[0].FailedAt = time.Time{}
	require.Equal(t, store.ProofFailure{ProofKey: l.ProofKey, Epoch: 1, Attempt: 1, Class: store.FailResource, Detail: "out of memory", Worker: "worker"}, got[0])
	d, err := f.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, d.Failures)
	require.Error(t, f.RecordFailure(t.Context(), second, "other", "no such class"))
}

func TestReapPutsTheJobBack(t *testing.T) {
	f := newFixture(t)
	f.seal(submission(0, 0, 1))
	client, err := river.NewClient(riverpgxv5.New(f.db.Pool), &river.Config{})
	require.NoError(t, err)
	job, err := client.Insert(t.Context(), proveArgs{Batch: 1}, &river.InsertOpts{MaxAttempts: 2})
	require.NoError(t, err)
	run := func(attempt int) store.Lease {
		mustExec(t, f.db.Pool, "update river_job set state = 'running', attempt = $1, attempted_at = now() where id = $2", attempt, job.Job.ID)
		r := leaseRequest(1)
		r.JobID, r.JobAttempt = job.Job.ID, attempt
		l, err := f.AcquireLease(t.Context(), r)
		require.NoError(t, err)
		return l
	}
	state := func() rivertype.JobState {
		row, err := client.JobGet(t.Context(), job.Job.ID)
		require.NoError(t, err)
		return row.State
	}

	l := run(1)
	requeued, err := f.ReapLease(t.Context(), l, nil)
	require.NoError(t, err)
	require.False(t, requeued, "alive")
	require.Equal(t, rivertype.JobStateRunning, state())
	f.expire(1)
	requeued, err = f.ReapLease(t.Context(), l, nil)
	require.NoError(t, err)
	require.True(t, requeued)
	row, err := client.JobGet(t.Context(), job.Job.ID)
	require.NoError(t, err)
	require.Equal(t, rivertype.JobStateAvailable, row.State)
	require.Contains(t, row.Errors[0].Error, "lease expired")
	_, err = f.Heartbeat(t.Context(), l, ttl)
	require.ErrorIs(t, err, store.ErrLeaseLost)
	requeued, err = f.ReapLease(t.Context(), l, nil)
	require.NoError(t, err)
	require.False(t, requeued, "once")

	// River has started the next attempt by itself: the old lease must not touch it.
	l = run(2)
	mustExec(t, f.db.Pool, "update river_job set attempt = 3 where id = $1", job.Job.ID)
	f.expire(1)
	requeued, err = f.ReapLease(t.Context(), l, nil)
	require.NoError(t, err)
	require.False(t, requeued)
	require.Equal(t, rivertype.JobStateRunning, state())

	// The last attempt is used up: a dead letter.
	l = run(2)
	f.expire(1)
	requeued, err = f.ReapLease(t.Context(), l, nil)
	require.NoError(t, err)
	require.False(t, requeued)
	require.Equal(t, rivertype.JobStateDiscarded, state())
	failures, err := f.ProofFailures(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, failures, 3)
	require.Equal(t, store.FailInfrastructure, failures[2].Class)
	st, err := f.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.JobCounts{Discarded: 1}, st.Jobs)
}

func TestProvenProgressStopsAtTheFirstGap(t *testing.T) {
	f := newFixture(t)
	progress := func() store.Progress {
		p, err := f.ProvenProgress(t.Context())
		require.NoError(t, err)
		return p
	}
	require.Equal(t, store.Progress{Root: digest("root", 0)}, progress())
	var bs []store.SealedBatch
	for nonce := range settle.Nonce(3) {
		bs = append(bs, f.seal(submission(0, nonce, 1)))
	}
	f.prove(bs[1])
	require.Equal(t, store.Progress{Root: digest("root", 0)}, progress())
	f.prove(bs[0])
	require.Equal(t, store.Progress{Batch: 2, Root: bs[1].NewRoot}, progress())
	f.prove(bs[2])
	require.Equal(t, store.Progress{Batch: 3, Root: bs[2].NewRoot}, progress())
}
