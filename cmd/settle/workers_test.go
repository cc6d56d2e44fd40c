package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/store"
)

// takeover bounds how long the job of a dead worker waits for another one.
const takeover = time.Minute

// caught is a worker in the middle of a proof, and the other one.
type caught struct {
	worker, other *testcmd.Process
	batch         settle.BatchNumber
	at            time.Time
}

// catch submits batches until one of two workers gets the signal while it proves.
func (r *rig) catch(workers [2]*testcmd.Process, signal syscall.Signal) caught {
	r.t.Helper()
	r.submit(2)
	c := caught{batch: r.sealedAfter(0)}
	for {
		var holder string
		r.await("a worker proves", func() bool {
			holder, _ = maybe[string](r, "select holder from proof_jobs where batch = $1 and status = 'running'", c.batch)
			return holder != "" || r.proven(c.batch)
		})
		c.worker, c.other = workers[0], workers[1]
		if holder == c.other.Holder(r.t) {
			c.worker, c.other = c.other, c.worker
		}
		if holder != "" {
			r.release(c.worker)
			c.worker.Signal(signal)
			c.at = time.Now()
			if !r.proven(c.batch) {
				return c
			}
		}
		// It was quicker than we were.
		require.True(r.t, signal == syscall.SIGSTOP || c.worker.Running(), "no batch was caught in time")
		c.worker.Signal(syscall.SIGCONT)
		r.submit(2)
		c.batch = r.sealedAfter(c.batch)
	}
}

func (r *rig) sealedAfter(n settle.BatchNumber) settle.BatchNumber {
	r.t.Helper()
	r.await("a batch is sealed", func() bool {
		_, sealed := maybe[int64](r, "select number from batches where number > $1", n)
		return sealed
	})
	return n + 1
}

func (r *rig) proven(n settle.BatchNumber) bool {
	r.t.Helper()
	return one[bool](r, "select exists (select from proofs where batch = $1)", n)
}

// TestKilledWorker: the job of a worker that is killed while it proves runs in
// another process.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	c := r.catch([2]*testcmd.Process{r.role("worker"), r.role("worker")}, syscall.SIGKILL)
	r.await("the other worker has the lease", func() bool {
		require.Less(t, time.Since(c.at), takeover)
		holder, found := maybe[string](r, "select holder from proof_jobs where batch = $1 and epoch > 1", c.batch)
		return found && holder == c.other.Holder(t)
	})
	taken := one[time.Time](r, "select begun_at from proof_jobs where batch = $1", c.batch)
	t.Logf("the second attempt began %s after the kill", taken.Sub(c.at).Round(time.Millisecond))
	r.awaitSettled()
	proof := r.batch(c.batch).Proofs[0]
	require.Equal(t, c.other.Holder(t), r.worker(c.batch))
	require.Equal(t, 2, proof.Attempt)
	require.False(t, proof.Late)
	failures, err := r.store.ProofFailures(t.Context(), c.batch)
	require.NoError(t, err)
	require.Len(t, failures, 1)
	require.Equal(t, c.worker.Holder(t), failures[0].Worker)
	require.Equal(t, store.FailInfrastructure, failures[0].Class)
}

// TestPausedWorker: a worker is stopped while it proves, loses its job to another
// one, and continues while that one is at it. Whose proof comes first is kept; the
// other changes nothing.
func TestPausedWorker(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	c := r.catch([2]*testcmd.Process{r.role("worker"), r.role("worker")}, syscall.SIGSTOP)
	r.await("the other worker has the lease", func() bool {
		holder, _ := maybe[string](r, "select holder from proof_jobs where batch = $1 and status = 'running'", c.batch)
		return holder == c.other.Holder(r.t)
	})
	c.other.Signal(syscall.SIGSTOP)
	first := r.proven(c.batch) // by the other, before it was stopped
	c.worker.Signal(syscall.SIGCONT)
	r.await("the batch is proven", func() bool { return r.proven(c.batch) })
	if !first {
		require.Equal(t, c.worker.Holder(t), one[string](r, "select worker from proofs where batch = $1", c.batch))
		require.True(t, one[bool](r, "select late from proofs where batch = $1", c.batch))
	}
	job := "select status || ' ' || attempt from proof_jobs where batch = $1"
	if !first { // at once: the second attempt is paused, and its lease expires too
		require.Equal(t, "running 2", one[string](r, job, c.batch), "the job stays with the second attempt")
	}
	r.await("the batch is settled", func() bool { return r.status().Settled.Batch == c.batch })
	c.other.Signal(syscall.SIGCONT)
	r.await("the job is completed", func() bool { return strings.HasPrefix(one[string](r, job, c.batch), "completed ") })
	completed := one[string](r, job, c.batch)
	r.submit(6)
	r.awaitSettled()
	c.worker.Stop()
	require.Equal(t, completed, one[string](r, job, c.batch), "nothing was reported late")
}

// TestFailedProofHeals: a batch whose witness input is damaged cannot be proven, and
// others pass it. When the input is restored the next attempt proves it.
func TestFailedProofHeals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	r.submit(2)
	r.sealedAfter(0)
	damage := func() {
		// The database refuses to rewrite inputs; a failing disk does not ask it.
		_, err := r.pool.Exec(t.Context(), `begin;
			alter table witness_inputs disable trigger user;
			update witness_inputs set data = set_byte(data, 40, get_byte(data, 40) # 255) where batch = 1;
			alter table witness_inputs enable trigger user;
			commit`)
		require.NoError(t, err)
	}
	damage()
	r.role("worker")
	r.submit(2)
	r.await("the attempt has failed and the next batch is proven", func() bool {
		return r.batch(1).FailedAttempts > 0 && r.proven(2)
	})
	failures, err := r.store.ProofFailures(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, store.FailBug, failures[0].Class)
	require.Contains(t, failures[0].Detail, store.ErrCorrupt.Error())
	require.Equal(t, settle.BatchNumber(0), r.status().Settled.Batch)
	damage() // once more: as it was
	r.awaitSettled()
	require.Greater(t, r.batch(1).Proofs[0].Attempt, 1)
	t.Logf("proven in attempt %d, after %d failures", r.batch(1).Proofs[0].Attempt, r.batch(1).FailedAttempts)
}
