package jobs_test

import (
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/store"
)

// A worker may die between fetching a job and taking its lease.
func TestJobWithoutALeaseIsPutBack(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	_, err := f.pool.Exec(t.Context(), "update river_job set state = 'running', attempt = 1, attempted_at = now() - interval '1 minute'")
	require.NoError(t, err)
	f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1)
	f.awaitState(1, rivertype.JobStateCompleted)
	require.Equal(t, 2, f.proof(1).Attempt)
}

// A batch that kills whoever proves it is slowed down and then given up.
func TestBatchThatKillsItsWorkersBecomesADeadLetter(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	cfg := f.config("reaper", nil)
	cfg.Policy.FreeLosses, cfg.Policy.MaxLosses, cfg.Policy.LossWait = 1, 3, time.Hour
	id := f.rows(1)[0].id
	go func() {
		if err := jobs.RunReaper(t.Context(), cfg); err != nil {
			t.Error(err)
		}
	}()
	for loss := 1; loss <= 3; loss++ {
		_, err := f.pool.Exec(t.Context(), "update river_job set state = 'running', attempt = $2, attempted_at = now() where id = $1", id, loss)
		require.NoError(t, err)
		_, err = f.store.AcquireLease(t.Context(), store.LeaseRequest{
			ProofKey: f.proofKey(1), Holder: "mortal", JobID: id, JobAttempt: loss, TTL: time.Millisecond,
		})
		require.NoError(t, err)
		f.eventually("loss recorded", func() bool { return len(f.failures(1)) == loss })
		switch loss {
		case 1:
			f.awaitState(1, rivertype.JobStateAvailable)
			require.False(t, f.later(id), "the first loss costs nothing")
		case 2:
			f.eventually("job put off", func() bool { return f.later(id) })
		}
	}
	f.awaitState(1, rivertype.JobStateDiscarded)
}

// later reports whether the job is put off by more than five minutes.
func (f *fleet) later(id int64) bool {
	var later bool
	require.NoError(f.t, f.pool.QueryRow(f.t.Context(), "select scheduled_at > now() + interval '5 minutes' from river_job where id = $1", id).Scan(&later))
	return later
}
