package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
)

// pollQueue is the time between two looks at a queue that had nothing. A notification
// cuts it short.
const pollQueue = 500 * time.Millisecond

// RunWorker works proof jobs until ctx ends, and then lets a running proof finish
// within Policy.StopGrace or hands its job back. It outlives any failure of
// Postgres. Errors are those of the configuration.
func RunWorker(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if cfg.Prover == nil || cfg.Verifier == nil || len(cfg.Keys) == 0 {
		return errors.New("jobs: a worker needs a Prover, a Verifier and the keys of at least one shape")
	}
	for shape := range cfg.Keys { // a count that begins at 0 can be seen to grow
		cfg.Metrics.MemoryWaits.WithLabelValues(shape)
	}
	w := newWorker(&cfg)
	var parts sync.WaitGroup
	parts.Go(func() { newReaper(&cfg).run(ctx) })
	parts.Go(func() { newBlockedWatch(&cfg).run(ctx) })
	parts.Go(func() { w.listen(ctx) })
	for range cfg.Concurrency {
		parts.Go(func() { w.run(ctx) })
	}
	parts.Wait()
	return nil
}

// worker makes proofs, Config.Concurrency at a time.
type worker struct {
	cfg  *Config
	wake chan struct{} // a job may be there

	looking sync.Mutex           // one look at the queue at a time: each sees the memory that the last one took
	said    map[string]time.Time // when it was last told that a kind of job is left alone
}

func newWorker(cfg *Config) *worker {
	return &worker{cfg: cfg, wake: make(chan struct{}, cfg.Concurrency), said: map[string]time.Time{}}
}

// run works one job after the other until ctx ends.
func (w *worker) run(ctx context.Context) {
	told := outage.New(w.cfg.Logger, "the queue cannot be looked at", "the queue is looked at again")
	for failed := 0; ctx.Err() == nil; {
		lease, err := w.claim(ctx)
		switch {
		case err == nil:
			failed = 0
			told.Worked(ctx)
			w.work(ctx, lease)
			continue
		case errors.Is(err, store.ErrNotFound):
			failed = 0
			told.Worked(ctx)
			w.await(ctx, pollQueue)
		default:
			failed++
			told.Failed(ctx, slog.LevelWarn, err)
			_ = pause(ctx, w.cfg.Policy.retryDelay(failed)) // the loop ends with ctx
		}
	}
}

// await waits for d, a notification or ctx.
func (w *worker) await(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.wake:
	}
}

// listen wakes those that wait for a job, until ctx ends. Without it they poll.
func (w *worker) listen(ctx context.Context) {
	told := outage.New(w.cfg.Logger, "no notifications of jobs; the worker polls", "notifications of jobs are heard again")
	for ctx.Err() == nil {
		l, err := w.cfg.Store.Listen(ctx, store.TopicJobs)
		if err == nil {
			told.Worked(ctx)
			err = w.hear(ctx, l)
		}
		if ctx.Err() == nil {
			told.Failed(ctx, slog.LevelWarn, err)
			_ = pause(ctx, w.cfg.Policy.RetryMax) // the loop ends with ctx
		}
	}
}

// hear passes notifications on until there are no more.
func (w *worker) hear(ctx context.Context, l *store.Listener) error {
	defer func() { _ = l.Close(context.WithoutCancel(ctx)) }() // it is broken, or this worker stops
	for {
		if _, err := l.Next(ctx); err != nil {
			return err
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
