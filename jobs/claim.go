package jobs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"

	"github.com/zksettle/settle/prover"
)

// claim decides which jobs this worker takes from the queue. River takes whatever is
// next; a worker takes only what it has the memory for, so that the others stay for
// workers that do.
type claim struct {
	cfg    *Config
	memory int64 // the worker's class

	mu   sync.Mutex
	said map[string]time.Time // by shape: when its want of memory was last told
}

func newClaim(cfg *Config) *claim {
	c := &claim{cfg: cfg, memory: math.MaxInt64, said: map[string]time.Time{}}
	if cfg.Memory > 0 {
		c.memory = int64(min(cfg.Memory, math.MaxInt64))
	}
	return c
}

// claimSQL is River's own statement with two conditions more: on the shape, and on
// the memory that an earlier attempt found too small. TestClaim* and every other
// test of the queue hold it to what River expects.
//
// The oldest batch goes first, however often its job was put back or put off: settlement
// goes in order and waits for it. River orders by the time at which a job is due, by
// which a retry would wait for the whole queue. A job to fold a group has its first batch
// for its place, before every batch that is yet to be proven. What is due is claimed
// whatever River calls its state: retryable and scheduled jobs would wait for the next
// round of its scheduler, which the elected leader alone runs.
const claimSQL = `
with locked as (
    select id from river_job
    where state in ('available', 'retryable', 'scheduled') and queue = $1 and scheduled_at <= now() and ($2::text[] is null or kind = any($2))
      and coalesce(args->>'shape' <> all($3::text[]), true)
      and (coalesce((metadata->'memory'->>'above')::bigint, -1) < $4
           or (metadata->'memory'->>'until')::timestamptz <= now())
    order by priority, (args->>'batch')::bigint, id
    limit $5
    for update skip locked
)
update river_job
set state = 'running', attempt = river_job.attempt + 1, attempted_at = now(),
    attempted_by = (array_append(river_job.attempted_by, $6))[greatest(1, coalesce(array_length(river_job.attempted_by, 1), 0) + 2 - $7::int):]
from locked where river_job.id = locked.id
returning river_job.id`

// JobGetAvailable implements riverdriver.Executor.
func (e *fencedExecutor) JobGetAvailable(ctx context.Context, params *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	c := e.driver.claim
	refused := c.refused(ctx)
	result := &riverdriver.JobGetAvailableResult{}
	var ids []int64
	err := pgx.BeginFunc(ctx, e.driver.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, claimSQL, params.Queue, params.Kind, shapesOf(refused), c.memory, params.MaxToLock, params.ClientID, params.MaxAttemptedBy)
		if err != nil {
			return err
		}
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil || len(ids) == 0 {
			return err
		}
		result.Jobs, err = e.driver.UnwrapExecutor(tx).JobGetByIDMany(ctx, &riverdriver.JobGetByIDManyParams{ID: ids, Schema: params.Schema})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	if len(ids) < params.MaxToLock && len(refused) > 0 {
		if err := c.tell(ctx, refused); err != nil {
			return nil, err
		}
	}
	c.cfg.WorkerStep()
	return result, nil
}

func shapesOf(refused map[string]error) []string {
	shapes := make([]string, 0, len(refused))
	for shape := range refused {
		shapes = append(shapes, shape)
	}
	slices.Sort(shapes)
	return shapes
}

// refused returns the shapes for which there is no memory, and why.
func (c *claim) refused(ctx context.Context) map[string]error {
	refused := map[string]error{}
	if c.cfg.Admit == nil {
		return refused
	}
	for shape := range c.cfg.Keys {
		err := c.cfg.Admit(shape)
		switch {
		case err == nil:
		case errors.Is(err, prover.ErrMemory):
			refused[shape] = err
		default:
			c.cfg.Logger.WarnContext(ctx, "the memory cannot be looked at; jobs are claimed all the same", "shape", shape, "error", err)
		}
	}
	return refused
}

// tell says loudly, and again every Policy.Remind, that a job waits which this
// worker would take if it had the memory.
func (c *claim) tell(ctx context.Context, refused map[string]error) error {
	rows, err := c.cfg.Pool.Query(ctx, `select distinct args->>'shape' from river_job
		where state in ('available', 'retryable', 'scheduled') and queue = $1 and scheduled_at <= now() and args->>'shape' = any($2)`, QueueProve, shapesOf(refused))
	if err != nil {
		return fmt.Errorf("look for waiting jobs: %w", err)
	}
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for waiting jobs: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, shape := range waiting {
		c.cfg.Metrics.MemoryWaits.WithLabelValues(shape).Inc()
		if time.Since(c.said[shape]) < c.cfg.Policy.Remind {
			continue
		}
		c.said[shape] = time.Now()
		c.cfg.Logger.ErrorContext(ctx, "a proof job is not claimed: there is not enough memory for it", "shape", shape, "reason", refused[shape])
	}
	return nil
}

// escalate keeps the job for workers with more memory than this one for a period. If
// there is none, or none gets to it, this one may try again after that.
func (w *worker[A]) escalate(ctx context.Context, job *river.Job[A], period time.Duration) error {
	if w.cfg.Memory == 0 || job.AttemptedAt == nil {
		return nil
	}
	_, err := w.cfg.Pool.Exec(ctx, `update river_job
		set metadata = metadata || jsonb_build_object('memory', jsonb_build_object('above', $3::bigint, 'until', now() + $4 * interval '1 second'))
		where id = $1 and state = 'running' and attempted_at = $2`,
		job.ID, *job.AttemptedAt, int64(min(w.cfg.Memory, math.MaxInt64)), period.Seconds())
	return err
}
