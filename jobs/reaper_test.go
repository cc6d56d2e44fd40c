package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// A worker may die between claiming a job and its first heartbeat.
func TestJobOfAWorkerThatNeverBeatIsPutBack(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	f.die(f.proofKey(1))
	f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1)
	f.awaitJob(1, store.JobCompleted)
	require.Equal(t, 2, f.proof(1).Attempt)
}

// A batch that kills whoever proves it is slowed down and then given up.
func TestBatchThatKillsItsWorkersBecomesADeadLetter(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	cfg := f.config("reaper", nil)
	cfg.Policy.FreeLosses, cfg.Policy.MaxLosses, cfg.Policy.LossWait = 1, 3, time.Hour
	go func() {
		if err := jobs.RunReaper(t.Context(), cfg); err != nil {
			t.Error(err)
		}
	}()
	for loss := 1; loss <= 3; loss++ {
		_, err := f.pool.Exec(t.Context(), "update proof_jobs set due_at = now()")
		require.NoError(t, err)
		f.die(f.proofKey(1))
		f.eventually("loss recorded", func() bool { return len(f.failures(1)) == loss })
		switch loss {
		case 1:
			f.awaitJob(1, store.JobAvailable)
			require.False(t, f.later(1), "the first loss costs nothing")
		case 2:
			f.eventually("job put off", func() bool { return f.later(1) })
		}
	}
	f.awaitJob(1, store.JobDiscarded)
}

// later reports whether the job is put off by more than five minutes.
func (f *fleet) later(n settle.BatchNumber) bool { return time.Until(f.job(n).DueAt) > 5*time.Minute }

// A worker that fell silent reports its failure while another one is at the job. Nothing of
// that is heard: its death was counted, and the attempt is the other one's.
func TestStaleFailureIsNotCounted(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	silent, fail, moved := make(chan struct{}), make(chan struct{}), make(chan struct{})
	mortal := f.config("mortal", f.fake(func(_ context.Context, n settle.BatchNumber) error {
		if n == 2 {
			close(moved) // it has reported batch 1
			return nil
		}
		close(silent)
		<-fail // deaf to its context
		return &prover.Error{Class: prover.ClassBug, Step: "prove", Err: errors.New("panic")}
	}))
	mortal.Policy.Heartbeat = time.Hour
	f.start(mortal)
	<-silent
	_, err := f.pool.Exec(t.Context(), "update proof_jobs set due_at = now() + interval '1 hour' where batch = 2")
	require.NoError(t, err)
	entered, leave := make(chan struct{}), make(chan struct{})
	f.start(f.config("successor", f.fake(func(context.Context, settle.BatchNumber) error {
		close(entered)
		<-leave
		return nil
	})))
	_, err = f.pool.Exec(t.Context(), "update proof_jobs set expires_at = clock_timestamp() where batch = 1")
	require.NoError(t, err)
	<-entered
	held := f.job(1)
	close(fail)
	_, err = f.pool.Exec(t.Context(), "update proof_jobs set due_at = now() where batch = 2")
	require.NoError(t, err)
	<-moved
	require.Equal(t, store.JobRunning, f.job(1).Status)
	require.Equal(t, held.Attempt, f.job(1).Attempt)
	require.Equal(t, "successor", *f.job(1).Holder)
	require.Len(t, f.failures(1), 1)
	require.True(t, f.failures(1)[0].Lost())
	close(leave)
	f.awaitJob(1, store.JobCompleted)
	require.Equal(t, "successor", f.proof(1).Worker)
}
