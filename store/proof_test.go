package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

func TestProofMakesBatchProven(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 1)
	b := f.seal(item)
	l := f.lease(1)
	stats := store.ProofStats{Assign: time.Millisecond, Solve: 2 * time.Second, Prove: 3 * time.Second, PeakMemory: 1 << 33}
	out, err := f.StoreProof(t.Context(), l, envelope(b), stats)
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true}, out)
	require.Equal(t, store.JobCompleted, f.job(1).Status)
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

	_, err = testdb.Lease(t, f.Store, l.ProofKey, "worker", ttl)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, f.Heartbeat(t.Context(), l, ttl), store.ErrProofExists)
	mustExec(t, f.db.Pool, "update proof_jobs set status = 'available', finished_at = null")
	_, err = testdb.Lease(t, f.Store, l.ProofKey, "worker", ttl)
	require.ErrorIs(t, err, store.ErrNotFound, "a job whose proof is stored is given to nobody")
	require.Equal(t, store.JobCompleted, f.job(1).Status)
	_, err = f.Proof(t.Context(), store.ProofKey{Batch: 1, Circuit: "aggregate"})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = f.db.Pool.Exec(t.Context(), "update proofs set proof = 'x'")
	require.ErrorContains(t, err, "never rewritten")
}

func TestProofAndJobAreCompletedTogether(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	l := f.lease(1)
	mustExec(t, f.db.Pool, "alter table proof_jobs add constraint boom check (status <> 'completed')")
	_, err := f.StoreProof(t.Context(), l, envelope(b), store.ProofStats{})
	require.ErrorContains(t, err, "boom")
	require.Equal(t, settle.BatchSealed, f.batchStatus(1))
	_, err = f.Proof(t.Context(), proofKey(1))
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A worker that was paused comes back while another one proves: its valid proof is
// kept, the other's job is left alone, and the other is told to stop.
func TestLateProofIsKeptOnce(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	paused := f.lease(1)
	f.reap(paused)
	current := f.lease(1)
	out, err := f.StoreProof(t.Context(), paused, envelope(b), store.ProofStats{})
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true, Late: true}, out)
	require.Equal(t, settle.BatchProven, f.batchStatus(1))
	require.Equal(t, store.JobRunning, f.job(1).Status)
	require.ErrorIs(t, f.Heartbeat(t.Context(), current, ttl), store.ErrProofExists)

	other := envelope(b)
	other.Proof = []byte("another")
	out, err = f.StoreProof(t.Context(), current, other, store.ProofStats{})
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{}, out)
	require.Equal(t, store.JobCompleted, f.job(1).Status, "the job is done either way")
	p, err := f.Proof(t.Context(), current.ProofKey)
	require.NoError(t, err)
	require.Equal(t, []byte("proof"), p.Proof, "the first one stays")
	require.True(t, p.Late)
}

// A late proof ends a job that nobody is at, a dead letter too; and one that somebody gives
// back is done.
func TestLateProofEndsTheJob(t *testing.T) {
	for name, then := range map[string]func(*fixture, store.Lease){
		"waiting":     func(f *fixture, l store.Lease) { f.reap(l) },
		"dead letter": func(f *fixture, l store.Lease) { f.reap(l); require.NoError(f.t, f.DiscardJob(f.t.Context(), l.ID)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			b := f.seal(submission(0, 0, 1))
			l := f.lease(1)
			then(f, l)
			_, err := f.StoreProof(t.Context(), l, envelope(b), store.ProofStats{})
			require.NoError(t, err)
			require.Equal(t, store.JobCompleted, f.job(1).Status)
			require.ErrorIs(t, f.RetryJob(t.Context(), l.ID), store.ErrProofExists)
		})
	}
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	late := f.lease(1)
	f.reap(late)
	current := f.lease(1)
	_, err := f.StoreProof(t.Context(), late, envelope(b), store.ProofStats{})
	require.NoError(t, err)
	require.NoError(t, f.ReleaseJob(t.Context(), current))
	require.Equal(t, store.JobCompleted, f.job(1).Status)
	require.Equal(t, 2, f.job(1).Attempt)
}

func TestConcurrentProofsOfOneBatch(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	old := f.lease(1)
	f.reap(old)
	leases := []store.Lease{old, f.lease(1), old}
	outs := make([]store.ProofOutcome, len(leases))
	var wg sync.WaitGroup
	for i, l := range leases {
		wg.Go(func() {
			out, err := f.StoreProof(t.Context(), l, envelope(b), store.ProofStats{})
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
		_, err := f.StoreProof(t.Context(), l, p, store.ProofStats{})
		require.ErrorIs(t, err, store.ErrProofMismatch, name)
	}
	other := l
	other.KeyHash[0]++
	p := envelope(b)
	p.KeyHash = other.KeyHash
	_, err := f.StoreProof(t.Context(), other, p, store.ProofStats{})
	require.ErrorIs(t, err, store.ErrProofMismatch, "a lease under another key than the batch's")
	never := l
	never.Circuit = "aggregate"
	p = envelope(b)
	p.Circuit = "aggregate"
	_, err = f.StoreProof(t.Context(), never, p, store.ProofStats{})
	require.ErrorIs(t, err, store.ErrLeaseLost, "no job of such a proof")
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
