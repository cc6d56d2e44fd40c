package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

func gauge(t *testing.T, g prometheus.Gauge) int {
	t.Helper()
	var m dto.Metric
	require.NoError(t, g.Write(&m))
	return int(m.GetGauge().GetValue())
}

func TestSettlementThatWaitsForADeadLetterIsToldUntilItIsRetried(t *testing.T) {
	f := newFleet(t)
	f.seal(3)
	_, err := f.store.Blockage(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound, "a waiting job blocks nothing")
	metrics, err := jobs.NewMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	var mended atomic.Bool
	cfg := f.config("a", f.fake(func(_ context.Context, n settle.BatchNumber) error {
		if n == 2 && !mended.Load() {
			return &prover.Error{Class: prover.ClassWitness, Step: "prove", Err: errors.New("constraint #7 is not satisfied")}
		}
		return nil
	}))
	cfg.Metrics = metrics
	cfg.Policy.BlockedLook = 20 * time.Millisecond
	f.start(cfg)
	f.awaitProofs(1, 3)
	f.awaitJob(2, store.JobDiscarded)
	f.eventually("told", func() bool { return gauge(t, metrics.BlockedBatch) == 2 })

	b, err := f.store.Blockage(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, b.Batch)
	require.EqualValues(t, 1, b.Behind)
	require.Equal(t, store.FailWitness, *b.Class)
	require.Contains(t, *b.Detail, "constraint #7")

	dead, err := f.store.Jobs(t.Context(), store.JobFilter{DeadLetters: true})
	require.NoError(t, err)
	require.Len(t, dead, 1)
	j := dead[0]
	require.EqualValues(t, 2, j.Batch)
	require.True(t, j.DeadLetter())
	require.Equal(t, 3, j.Attempt)
	require.Equal(t, 3, j.Failures)
	require.Equal(t, store.FailWitness, *j.LastClass)
	require.Contains(t, *j.LastError, "constraint #7")
	require.Equal(t, settle.BatchSealed, j.BatchStatus)
	require.ErrorIs(t, f.store.DiscardJob(t.Context(), j.ID), store.ErrJobState)

	mended.Store(true)
	require.NoError(t, f.store.RetryJob(t.Context(), j.ID))
	f.awaitProofs(2)
	f.eventually("no longer told", func() bool { return gauge(t, metrics.BlockedBatch) == 0 })
	f.awaitJob(2, store.JobCompleted)
	require.ErrorIs(t, f.store.RetryJob(t.Context(), j.ID), store.ErrProofExists)
	require.ErrorIs(t, f.store.RetryJob(t.Context(), 1<<40), store.ErrNotFound)
}

func TestDiscardedJobWaitsForItsRetry(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	require.Equal(t, store.JobAvailable, f.job(1).Status)
	require.NoError(t, f.store.DiscardJob(t.Context(), f.job(1).ID))
	require.True(t, f.job(1).DeadLetter())
	b, err := f.store.Blockage(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, b.Batch)
	require.Nil(t, b.Class)

	require.NoError(t, f.store.RetryJob(t.Context(), f.job(1).ID))
	entered, leave := make(chan struct{}), make(chan struct{})
	f.start(f.config("a", f.fake(func(context.Context, settle.BatchNumber) error {
		close(entered)
		<-leave
		return nil
	})))
	<-entered
	running, err := f.store.Jobs(t.Context(), store.JobFilter{Statuses: []string{"running"}})
	require.NoError(t, err)
	require.Len(t, running, 1)
	require.Equal(t, "a", *running[0].Holder)
	require.ErrorIs(t, f.store.DiscardJob(t.Context(), running[0].ID), store.ErrJobRunning)
	require.ErrorIs(t, f.store.RetryJob(t.Context(), running[0].ID), store.ErrJobRunning)
	close(leave)
	f.awaitProofs(1)
}
