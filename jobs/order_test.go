package jobs_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// race is a worker with one job at a time, of which a test says what happens to a batch
// in the middle of its queue.
type race struct {
	*fleet
	mu    sync.Mutex
	order []settle.BatchNumber // as proofs were begun
}

const fold = 1 << 20 // added to the first batch of a fold

func (r *race) begun(n settle.BatchNumber) (times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order = append(r.order, n)
	for _, o := range r.order {
		if o == n {
			times++
		}
	}
	return times
}

func (r *race) seen() []settle.BatchNumber {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// awaitDue waits until the last job of a batch waits in the queue, and makes its time
// come.
func (r *race) awaitDue(n settle.BatchNumber) {
	r.t.Helper()
	r.eventually("job waits", func() bool {
		tag, err := r.pool.Exec(r.t.Context(), `update proof_jobs set due_at = least(due_at, now())
			where id = (select max(id) from proof_jobs where batch = $1) and status = 'available'`, n)
		require.NoError(r.t, err)
		return tag.RowsAffected() == 1
	})
}

// patient has every retry wait for longer than the test.
func patient(p *jobs.Policy) {
	p.FailureWait, p.RetryMin, p.RetryMax = time.Hour, time.Hour, time.Hour
}

func (r *race) refuse(n settle.BatchNumber) {
	r.t.Helper()
	role, err := r.store.AcquireWriter(r.t.Context(), store.RoleSubmitter, "test")
	require.NoError(r.t, err)
	require.NoError(r.t, r.store.RefuseProof(r.t.Context(), role.Epoch(), r.proofKey(n), []byte("fake"), "InvalidProof"))
	require.NoError(r.t, role.Release(r.t.Context()))
}

// However the job of a batch in the middle comes back to the queue, it is the next one that is
// begun once it is due: settlement goes in order and waits for it.
func TestOldestBatchIsProvenFirst(t *testing.T) {
	const batches, late = 8, 3
	fails := func(err error) func(*race) error { return func(*race) error { return err } }
	for name, c := range map[string]struct {
		policy func(*jobs.Policy)
		first  func(*race) error // what happens to the batch's first proof
		then   func(*race)       // while the next one is under way
	}{
		"failed by its witness":      {first: fails(&prover.Error{Class: prover.ClassWitness, Step: "prove", Err: errors.New("unsatisfied")})},
		"failed by a bug":            {first: fails(&prover.Error{Class: prover.ClassBug, Step: "prove", Err: errors.New("panic")})},
		"failed by its surroundings": {first: fails(errors.New("disk away"))},
		"out of memory":              {first: fails(&prover.Error{Class: prover.ClassResource, Step: "process", Err: errors.New("killed")})},
		"set aside":                  {then: func(r *race) { r.refuse(late) }},
		"retried by an operator": {
			policy: func(p *jobs.Policy) { p.MaxFailures = 1 },
			first:  fails(&prover.Error{Class: prover.ClassBug, Step: "prove", Err: errors.New("panic")}),
			then: func(r *race) {
				r.awaitJob(late, "discarded")
				require.NoError(r.t, r.store.RetryJob(r.t.Context(), r.job(late).ID))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &race{fleet: newFleet(t)}
			r.seal(batches)
			reached, leave := make(chan struct{}), make(chan struct{})
			cfg := r.config("a", r.fake(func(_ context.Context, n settle.BatchNumber) error {
				switch times := r.begun(n); {
				case n == late && times == 1 && c.first != nil:
					return c.first(r)
				case n == late+1:
					close(reached)
					<-leave
				}
				return nil
			}))
			patient(&cfg.Policy)
			if c.policy != nil {
				c.policy(&cfg.Policy)
			}
			r.start(cfg)
			<-reached
			if c.then != nil {
				c.then(r)
			}
			r.awaitDue(late)
			close(leave)
			for n := settle.BatchNumber(1); n <= batches; n++ {
				r.awaitProofs(n)
			}
			require.Equal(t, []settle.BatchNumber{1, 2, 3, 4, 3, 5, 6, 7, 8}, r.seen())
		})
	}
}

// A worker falls silent in the middle of batch 5, as one that was killed does. The other
// one begins it as soon as its own proof is done.
func TestBatchOfASilentWorkerIsNext(t *testing.T) {
	r := &race{fleet: newFleet(t)}
	r.seal(15)
	silent, reached, leave := make(chan struct{}), make(chan struct{}), make(chan struct{})
	mortal := r.config("mortal", r.fake(func(ctx context.Context, n settle.BatchNumber) error {
		if n == 5 {
			close(silent)
			<-ctx.Done()
			return context.Cause(ctx)
		}
		return nil
	}))
	mortal.Policy.Heartbeat = time.Hour
	mortal.Policy.StopGrace = time.Millisecond
	r.start(mortal)
	<-silent
	r.start(r.config("survivor", r.fake(func(_ context.Context, n settle.BatchNumber) error {
		r.begun(n)
		if n == 6 {
			close(reached)
			<-leave
		}
		return nil
	})))
	<-reached
	_, err := r.pool.Exec(t.Context(), "update proof_jobs set expires_at = clock_timestamp() where batch = 5")
	require.NoError(t, err)
	r.awaitDue(5)
	close(leave)
	r.awaitProofs(5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	require.Equal(t, []settle.BatchNumber{6, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15}, r.seen())
	require.Equal(t, "survivor", r.proof(5).Worker)
	overtaken, err := r.store.Overtakings(t.Context())
	require.NoError(t, err)
	require.Len(t, overtaken, 1)
	require.Equal(t, settle.BatchNumber(5), overtaken[0].Batch)
	require.Zero(t, overtaken[0].By)
	require.False(t, overtaken[0].Begun.Before(overtaken[0].PutBack))
}

// A job that a stopping worker hands back, and one whose worker died before it did
// anything, keep their place too.
func TestJobThatIsHandedBackKeepsItsPlace(t *testing.T) {
	for name, orphaned := range map[string]bool{"handed back": false, "orphaned": true} {
		t.Run(name, func(t *testing.T) {
			r := &race{fleet: newFleet(t)}
			r.seal(6)
			if orphaned {
				r.die(r.proofKey(1))
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- jobs.RunReaper(ctx, r.config("reaper", nil)) }()
				r.awaitDue(1)
				stop()
				require.NoError(t, <-done)
			} else {
				entered := make(chan struct{})
				cfg := r.config("stops", r.fake(func(ctx context.Context, _ settle.BatchNumber) error {
					close(entered)
					<-ctx.Done()
					return context.Cause(ctx)
				}))
				cfg.Policy.StopGrace = time.Millisecond
				stop := r.start(cfg)
				<-entered
				stop()
			}
			r.start(r.config("next", r.fake(func(_ context.Context, n settle.BatchNumber) error { r.begun(n); return nil })))
			r.awaitProofs(1, 2, 3, 4, 5, 6)
			require.Equal(t, []settle.BatchNumber{1, 2, 3, 4, 5, 6}, r.seen())
		})
	}
}

// What is to be folded goes before batches that are yet to be proven, also when it is
// tried again.
func TestFoldGoesBeforeNewBatches(t *testing.T) {
	r := &race{fleet: newFleet(t)}
	r.seal(6)
	reached, leave := make(chan settle.BatchNumber), make(chan struct{})
	p := &folder{before: func(context.Context, settle.Element) error {
		if r.begun(fold+1) == 1 {
			return &prover.Error{Class: prover.ClassBug, Step: "prove", Err: errors.New("panic")}
		}
		return nil
	}}
	cfg := r.foldingConfig("a", p)
	cfg.Prover = r.fake(func(_ context.Context, n settle.BatchNumber) error {
		r.begun(n)
		if n == 3 || n == 4 {
			reached <- n
			<-leave
		}
		return nil
	})
	patient(&cfg.Policy)
	r.start(cfg)
	require.EqualValues(t, 3, <-reached)
	require.NoError(t, r.planner(0, foldKey, nil).Step(t.Context()))
	leave <- struct{}{}
	require.EqualValues(t, 4, <-reached)
	r.awaitDue(1)
	leave <- struct{}{}
	r.awaitGroup(1, store.GroupProven)
	r.awaitProofs(5, 6)
	require.Equal(t, []settle.BatchNumber{1, 2, 3, fold + 1, 4, fold + 1, 5, 6}, r.seen())
}
