package jobs_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

func TestTwoWorkersShareTheQueue(t *testing.T) {
	f := newFleet(t)
	f.seal(6)
	// The first proof of each worker waits for that of the other.
	both := new(sync.WaitGroup)
	both.Add(2)
	provers := map[string]*fake{}
	for _, name := range []string{"a", "b"} {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
		provers[name] = f.fake(func(context.Context, settle.BatchNumber) error { meet(); return nil })
		f.start(f.config(name, provers[name]))
	}
	f.awaitProofs(1, 2, 3, 4, 5, 6)
	total := 0
	for name, p := range provers {
		require.NotEmpty(t, p.proved(), name)
		for _, times := range p.proved() {
			total += times
		}
	}
	require.Equal(t, 6, total, "every batch is proven once")
	for n := settle.BatchNumber(1); n <= 6; n++ {
		f.awaitJob(n, store.JobCompleted)
		batch, err := f.store.Batch(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, settle.BatchProven, batch.Status)
	}
}

func TestFailedProofIsRetried(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	registry := prometheus.NewRegistry()
	metrics, err := jobs.NewMetrics(registry)
	require.NoError(t, err)
	left := []error{
		&prover.Error{Class: prover.ClassBug, Step: "verify", Err: errors.New("broken")},
		errors.New("disk away"),
		&prover.Error{Class: prover.ClassResource, Step: "keys", Err: errors.New("no room")},
	}
	var mu sync.Mutex
	cfg := f.config("a", f.fake(func(context.Context, settle.BatchNumber) error {
		mu.Lock()
		defer mu.Unlock()
		if len(left) == 0 {
			return nil
		}
		err := left[0]
		left = left[1:]
		return err
	}))
	cfg.Metrics = metrics
	f.start(cfg)
	f.awaitProofs(1)
	f.awaitJob(1, store.JobCompleted)
	failures := f.failures(1)
	require.Len(t, failures, 3)
	for i, class := range []store.FailureClass{store.FailBug, store.FailInfrastructure, store.FailResource} {
		require.Equal(t, class, failures[i].Class)
		require.Equal(t, "a", failures[i].Worker)
		require.Equal(t, 1, counter(t, registry, "settle_prove_failures_total", string(class)))
	}
	require.Greater(t, failures[1].Epoch, failures[0].Epoch)
	require.Equal(t, 1, counter(t, registry, "settle_proofs_total", "stored"))
}

// counter reads a counter with one label.
func counter(t *testing.T, g prometheus.Gatherer, name, label string) int {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	t.Fatalf("no metric %s of %s", name, label)
	return 0
}

func TestPoisonBatchBecomesADeadLetterAndStopsNobody(t *testing.T) {
	f := newFleet(t)
	f.seal(4)
	poisoned := true
	var mu sync.Mutex
	p := f.fake(func(_ context.Context, n settle.BatchNumber) error {
		mu.Lock()
		defer mu.Unlock()
		if n == 1 && poisoned {
			return &prover.Error{Class: prover.ClassWitness, Step: "prove", Err: errors.New("constraint #7 is not satisfied")}
		}
		return nil
	})
	f.start(f.config("a", p))
	f.awaitProofs(2, 3, 4)
	f.awaitJob(1, store.JobDiscarded)
	require.Equal(t, 3, p.proved()[1])
	failures := f.failures(1)
	require.Len(t, failures, 3)
	for _, failure := range failures {
		require.Equal(t, store.FailWitness, failure.Class)
		require.Contains(t, failure.Detail, "constraint #7")
	}
	_, err := f.store.WitnessInput(t.Context(), 1)
	require.NoError(t, err, "a dead letter keeps its input")

	// The cause is gone, and an operator retries the dead letter.
	mu.Lock()
	poisoned = false
	mu.Unlock()
	require.NoError(t, f.store.RetryJob(t.Context(), f.job(1).ID))
	f.awaitProofs(1)
}

func TestInfrastructureFailuresNeverGiveUp(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	var mu sync.Mutex
	failed := 0
	cfg := f.config("a", f.fake(func(context.Context, settle.BatchNumber) error {
		mu.Lock()
		defer mu.Unlock()
		if failed++; failed <= 12 {
			return errors.New("key folder unreachable")
		}
		return nil
	}))
	cfg.Policy.RetryMax = cfg.Policy.RetryMin
	f.start(cfg)
	f.awaitProofs(1)
	require.Len(t, f.failures(1), 12)
}

func TestStoredProofMakesTheJobANoOp(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	p := f.fake(nil)
	stop := f.start(f.config("a", p))
	f.awaitProofs(1)
	f.awaitJob(1, store.JobCompleted)
	stop()
	_, err := f.pool.Exec(t.Context(), "update proof_jobs set status = 'available', finished_at = null")
	require.NoError(t, err)
	f.start(f.config("b", p))
	f.awaitJob(1, store.JobCompleted)
	require.Equal(t, 1, p.proved()[1])
	require.Equal(t, "a", f.proof(1).Worker)
}

func TestJobOfOtherKeysIsLeftToOthers(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	stranger := f.fake(nil)
	cfg := f.config("stranger", stranger)
	cfg.Keys = map[string]settle.KeyHash{shapeName: {9}}
	looks := heard(&cfg.WorkerStep)
	stop := f.start(cfg)
	<-looks
	<-looks
	stop()
	require.Empty(t, stranger.proved())
	require.Empty(t, f.failures(1))
	require.Zero(t, f.job(1).Attempt)
	f.start(f.config("a", f.fake(nil)))
	f.awaitProofs(1)
}

func TestStoppingWorkerFinishesItsProof(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	entered, leave := make(chan struct{}), make(chan struct{})
	p := f.fake(func(context.Context, settle.BatchNumber) error {
		close(entered)
		<-leave
		return nil
	})
	stop := f.start(f.config("a", p))
	<-entered
	go close(leave)
	stop()
	require.NotNil(t, f.proof(1))
	require.Nil(t, f.proof(2))
	require.Equal(t, store.JobAvailable, f.job(2).Status)
}

func TestStoppingWorkerHandsItsJobBack(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	entered := make(chan struct{})
	cfg := f.config("a", f.fake(func(ctx context.Context, _ settle.BatchNumber) error {
		close(entered)
		<-ctx.Done()
		return context.Cause(ctx)
	}))
	cfg.Policy.StopGrace = 10 * time.Millisecond
	cfg.Policy.LeaseTTL = time.Hour // only a released lease lets the next worker in
	stop := f.start(cfg)
	<-entered
	stop()
	require.Equal(t, store.JobAvailable, f.job(1).Status)
	require.Empty(t, f.failures(1), "stopping is no failure")
	f.start(f.config("b", f.fake(nil)))
	f.awaitProofs(1)
	require.Equal(t, "b", f.proof(1).Worker)
}
