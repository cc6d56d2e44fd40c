package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

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
	reaper, err := newReaper(&cfg)
	if err != nil {
		return err
	}
	for shape := range cfg.Keys { // a count that begins at 0 can be seen to grow
		cfg.Metrics.MemoryWaits.WithLabelValues(shape)
	}
	var reaping sync.WaitGroup
	defer reaping.Wait()
	reaping.Go(func() { reaper.run(ctx) })
	reaping.Go(func() { newBlockedWatch(&cfg).run(ctx) })
	for n := 1; ctx.Err() == nil; n++ {
		begun := time.Now()
		err := runClient(ctx, &cfg)
		if ctx.Err() != nil {
			return err
		}
		if time.Since(begun) > cfg.Policy.RetryMax {
			n = 1
		}
		cfg.Logger.WarnContext(ctx, "the queue's client ended; it starts anew", "error", err)
		if pause(ctx, cfg.Policy.retryDelay(n)) != nil {
			return nil // stopping was asked for
		}
	}
	return nil
}

// runClient runs River's client until ctx ends or the client does.
func runClient(ctx context.Context, cfg *Config) error {
	driver := newFencedDriver(cfg)
	workers := river.NewWorkers()
	err := errors.Join(
		river.AddWorkerSafely(workers, &worker[ProveBatch]{cfg: cfg, ended: driver.ended}),
		river.AddWorkerSafely(workers, &worker[AggregateBatches]{cfg: cfg, ended: driver.ended}),
	)
	if err != nil {
		return fmt.Errorf("register workers: %w", err)
	}
	client, err := river.NewClient[pgx.Tx](driver, &river.Config{
		Logger:     newRiverLog(cfg),
		Queues:     map[string]river.QueueConfig{QueueProve: {MaxWorkers: cfg.Concurrency}},
		Workers:    workers,
		JobTimeout: cfg.Policy.JobTimeout,
		// Leases rescue jobs, and fence them; River's rescuer would do neither well.
		RescueStuckJobsAfter: cfg.Policy.JobTimeout + 7*24*time.Hour,
		// Dead letters wait for a person, however long that takes.
		DiscardedJobRetentionPeriod: -1,

		FetchCooldown:     100 * time.Millisecond,
		FetchPollInterval: 500 * time.Millisecond,
		SoftStopTimeout:   cfg.Policy.StopGrace,
	})
	if err != nil {
		return fmt.Errorf("create the queue's client: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue's client: %w", err)
	}
	select {
	case <-client.Stopped():
		return errors.New("the queue's client stopped by itself")
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Policy.StopGrace+2*contactTimeout)
	defer cancel()
	if err := client.Stop(stopping); err != nil {
		// Postgres is away. Nothing is lost: the lease ends by itself, and the job is taken.
		cfg.Logger.WarnContext(ctx, "the queue was not told that this worker stops", "error", err)
	}
	return nil
}
