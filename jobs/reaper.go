package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// lostDetail is what store.ReapLease records of a worker that fell silent: killed,
// out of memory or paused.
const lostDetail = "lease expired: the worker is gone"

// RunReaper puts jobs of dead workers back in the queue, and those whose proof was set
// aside, until ctx ends. Every worker
// runs one; any other process may. Reapers do not get in each other's way: the
// lease's epoch lets only one of them act.
func RunReaper(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	r, err := newReaper(&cfg)
	if err != nil {
		return err
	}
	r.run(ctx)
	return nil
}

type reaper struct {
	cfg      *Config
	insert   *Inserter
	patience patience
}

func newReaper(cfg *Config) (*reaper, error) {
	insert, err := NewInserter()
	if err != nil {
		return nil, err
	}
	return &reaper{cfg, insert, patience{ttl: cfg.Policy.LeaseTTL}}, nil
}

// patience keeps a reaper from taking the jobs of all workers at once after an
// outage of Postgres, when every lease is overdue and most of their holders live:
// they get the time of one lease to say so.
type patience struct {
	ttl   time.Duration
	last  time.Time // of the last look
	until time.Time
}

// look notes a successful look at the leases and reports whether to act on it.
func (p *patience) look(now time.Time) bool {
	if !p.last.IsZero() && now.Sub(p.last) > p.ttl/2 {
		p.until = now.Add(p.ttl)
	}
	p.last = now
	return !now.Before(p.until)
}

func (r *reaper) run(ctx context.Context) {
	ticker := time.NewTicker(r.cfg.Policy.Reap)
	defer ticker.Stop()
	failing := false // say it once
	for {
		err := errors.Join(r.reapLeases(ctx), r.reapOrphans(ctx), r.proveAgain(ctx))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			r.cfg.Logger.WarnContext(ctx, "dead workers cannot be looked for", "error", err)
		case err == nil && failing:
			r.cfg.Logger.InfoContext(ctx, "dead workers are looked for again")
		}
		failing = err != nil
		if err == nil {
			r.cfg.ReaperStep()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// reapLeases ends leases whose heart has stopped.
func (r *reaper) reapLeases(ctx context.Context) error {
	leases, err := r.cfg.Store.ExpiredLeases(ctx)
	if err != nil || !r.patience.look(time.Now()) {
		return err
	}
	for _, l := range leases {
		losses, dead := 0, false
		requeued, err := r.cfg.Store.ReapLease(ctx, l, func(failures []store.ProofFailure) store.Requeue {
			t := tallyOf(l.ProofKey, failures)
			losses, dead = t.losses, r.cfg.Policy.dead(store.FailResource, t)
			return store.Requeue{Delay: r.cfg.Policy.lossDelay(t.losses), Dead: dead}
		})
		if err != nil {
			return err
		}
		if losses == 0 {
			continue // it came back to life
		}
		r.cfg.Metrics.Failures.WithLabelValues(string(store.FailInfrastructure)).Inc()
		switch {
		case requeued:
			r.cfg.Metrics.Reaped.Inc()
			r.cfg.Logger.WarnContext(ctx, "job taken from a silent worker", "batch", l.Batch, "job", l.JobID, "attempt", l.JobAttempt,
				"holder", l.Holder, "silent_for", time.Since(l.HeartbeatAt).Round(time.Millisecond))
		case dead: // a batch that kills whoever proves it
			r.cfg.Metrics.DeadLetters.Inc()
			r.cfg.Logger.ErrorContext(ctx, "dead letter: whoever proves this batch falls silent", "batch", l.Batch, "losses", losses)
		}
	}
	return nil
}

func (r *reaper) exec(ctx context.Context, what, sql string, args ...any) error {
	if _, err := r.cfg.Pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// orphan is a running job that nobody may be working at: its process died before it
// took a lease, or after it gave the lease back.
type orphan struct {
	id      int64
	attempt int
	fetched time.Time
	key     store.ProofKey
}

// reapOrphans takes the lease of each job that has been running for a while. Who
// can have it, knows that nobody else works at the job.
func (r *reaper) reapOrphans(ctx context.Context) error {
	orphans, err := r.orphans(ctx)
	if err != nil {
		return err
	}
	for _, o := range orphans {
		lease, err := r.cfg.Store.AcquireLease(ctx, store.LeaseRequest{
			ProofKey: o.key, Holder: r.cfg.Holder + " (reaper)", JobID: o.id, JobAttempt: o.attempt, TTL: r.cfg.Policy.LeaseTTL,
		})
		switch {
		case errors.Is(err, store.ErrLeaseHeld):
			continue
		case errors.Is(err, store.ErrProofExists): // its next worker completes the job
		case err != nil:
			return err
		default:
			if err := r.cfg.Store.ReleaseLease(ctx, lease); err != nil {
				return err
			}
		}
		r.cfg.Logger.WarnContext(ctx, "job without a worker put back", "batch", o.key.Batch, "job", o.id, "attempt", o.attempt)
		err = r.exec(ctx, "put job back", `update river_job set state = 'available', scheduled_at = now()
			where id = $1 and state = 'running' and attempted_at = $2`, o.id, o.fetched)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reaper) orphans(ctx context.Context) ([]orphan, error) {
	// A live lease of the job's own is the rule; the rest is looked at one by one.
	rows, err := r.cfg.Pool.Query(ctx, `
		select j.id, j.attempt, j.attempted_at, (j.args->>'batch')::bigint, j.args->>'circuit', j.args->>'key_hash'
		from river_job j
		where j.state = 'running' and j.kind = any($1) and j.attempted_at < now() - $2 * interval '1 second'
		  and not exists (select from leases l where l.job_id = j.id and not l.released)
		order by j.id`, kinds(), r.cfg.Policy.Orphan.Seconds())
	if err != nil {
		return nil, fmt.Errorf("look for jobs without a worker: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (orphan, error) {
		var o orphan
		var batch int64
		var hash string
		if err := row.Scan(&o.id, &o.attempt, &o.fetched, &batch, &o.key.Circuit, &hash); err != nil {
			return o, err
		}
		o.key.Batch = settle.BatchNumber(batch)
		return o, o.key.KeyHash.UnmarshalText([]byte(hash))
	})
}
