package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
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
