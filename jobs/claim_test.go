package jobs_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

func noMemory() error {
	return &prover.MemoryShortError{Shape: shapeName, Need: 2, Available: 1, Limit: 3}
}

func TestJobIsNotClaimedWithoutMemory(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	registry := prometheus.NewRegistry()
	metrics, err := jobs.NewMetrics(registry)
	require.NoError(t, err)
	var free atomic.Bool
	var asked atomic.Int32
	cfg := f.config("a", f.fake(nil))
	cfg.Metrics = metrics
	cfg.Admit = func(shape string) error {
		require.Equal(t, shapeName, shape)
		asked.Add(1)
		if free.Load() {
			return nil
		}
		return noMemory()
	}
	f.start(cfg)
	f.eventually("looked twice", func() bool { return asked.Load() > 2 })
	require.Equal(t, store.JobAvailable, f.job(1).Status)
	require.Zero(t, f.job(1).Attempt)
	require.Positive(t, counter(t, registry, "settle_prove_memory_waits_total", shapeName))
	free.Store(true)
	f.awaitProofs(1)
}

// A memory that cannot be read stops nobody.
func TestJobIsClaimedWhereMemoryIsUnknown(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	cfg := f.config("a", f.fake(nil))
	cfg.Admit = func(string) error { return errors.New("no such file") }
	f.start(cfg)
	f.awaitProofs(1)
}

func outOfMemory(context.Context, settle.BatchNumber) error {
	return &prover.Error{Class: prover.ClassResource, Step: "process", Err: errors.New("killed")}
}

func TestResourceFailureGoesToALargerWorker(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	small, same := f.fake(outOfMemory), f.fake(outOfMemory)
	for name, p := range map[string]*fake{"small": small, "same": same} {
		cfg := f.config(name, p)
		cfg.Memory = 100
		cfg.Policy.Escalate = time.Hour
		f.start(cfg)
	}
	f.eventually("a failure", func() bool { return len(f.failures(1)) == 1 })
	f.eventually("kept for a larger one", func() bool {
		j := f.job(1)
		return j.Status == store.JobAvailable && j.MemoryAbove != nil && *j.MemoryAbove == 100
	})
	large := f.config("large", f.fake(nil))
	large.Memory = 101
	f.start(large)
	f.awaitProofs(1)
	require.Equal(t, "large", f.proof(1).Worker)
	require.Equal(t, 1, small.proved()[1]+same.proved()[1])
}

func TestResourceFailureWithoutALargerWorkerBecomesADeadLetter(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	cfg := f.config("a", f.fake(func(ctx context.Context, n settle.BatchNumber) error {
		if n == 1 {
			return outOfMemory(ctx, n)
		}
		return nil
	}))
	cfg.Memory = math.MaxUint64
	cfg.Policy.Escalate, cfg.Policy.MaxLosses = 10*time.Millisecond, 3
	f.start(cfg)
	f.awaitJob(1, store.JobDiscarded)
	require.Len(t, f.failures(1), 3)
	f.awaitProofs(2)
}
