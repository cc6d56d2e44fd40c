package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
)

// RunReaper puts jobs of dead workers back in the queue, and those whose proof was set
// aside, until ctx ends. Every worker runs one; any other process may. Reapers do not get in each other's way: the
// lease's epoch lets only one of them act.
func RunReaper(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	newReaper(&cfg).run(ctx)
	return nil
}

type reaper struct {
	cfg      *Config
	patience patience
}

func newReaper(cfg *Config) *reaper { return &reaper{cfg, patience{ttl: cfg.Policy.LeaseTTL}} }

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
	told := outage.New(r.cfg.Logger, "dead workers cannot be looked for", "dead workers are looked for again")
	for {
		call, done := context.WithTimeout(ctx, contactTimeout)
		err := errors.Join(r.reapLeases(call), r.proveAgain(call))
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			told.Failed(ctx, slog.LevelWarn, err)
		default:
			told.Worked(ctx)
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
		var next store.Requeue
		var losses int
		reaped, err := r.cfg.Store.ReapJob(ctx, l, func(failures []store.ProofFailure) store.Requeue {
			losses = tallyOf(l.ProofKey, failures).losses
			next = r.cfg.Policy.next(l.ProofKey, store.FailResource, failures)
			return next
		})
		if err != nil {
			return err
		}
		if !reaped {
			continue // it came back to life
		}
		r.cfg.Metrics.Failures.WithLabelValues(string(store.FailInfrastructure)).Inc()
		if next.Dead { // a batch that kills whoever proves it
			r.cfg.Metrics.DeadLetters.Inc()
			r.cfg.Logger.ErrorContext(ctx, "dead letter: workers that try to prove this batch fall silent", "batch", l.Batch, "losses", losses)
			continue
		}
		r.cfg.Metrics.Reaped.Inc()
		r.cfg.Logger.WarnContext(ctx, "job taken from a silent worker", "batch", l.Batch, "job", l.ID, "attempt", l.Attempt,
			"holder", l.Holder, "silent_for", time.Since(l.HeartbeatAt).Round(time.Millisecond))
	}
	return nil
}
