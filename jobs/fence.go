package jobs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// fencedDriver lets River change the state of a job only while the job is in the
// attempt that the report is about: the last one that ended in this process. River
// asks for no more than "is it running": a worker that was stopped, lost its job and
// continued would otherwise set the state of somebody else's attempt (seen with v0.51.0),
// and one whose report waited for Postgres that of its own next attempt. An attempt is
// known by the time at which it was fetched; its number goes back when a job is snoozed.
type fencedDriver struct {
	*riverpgxv5.Driver
	pool  *pgxpool.Pool
	ended *attempts
	claim *claim
}

func newFencedDriver(cfg *Config) *fencedDriver {
	return &fencedDriver{riverpgxv5.New(cfg.Pool), cfg.Pool, &attempts{fetched: map[int64]time.Time{}}, newClaim(cfg)}
}

// GetExecutor implements riverdriver.Driver.
func (d *fencedDriver) GetExecutor() riverdriver.Executor {
	return &fencedExecutor{d.Driver.GetExecutor(), d}
}

type fencedExecutor struct {
	riverdriver.Executor
	driver *fencedDriver
}

// JobSetStateIfRunningMany implements riverdriver.Executor.
func (e *fencedExecutor) JobSetStateIfRunningMany(ctx context.Context, params *riverdriver.JobSetStateIfRunningManyParams) (rows []*rivertype.JobRow, err error) {
	err = pgx.BeginFunc(ctx, e.driver.pool, func(tx pgx.Tx) error {
		ours, err := inAttempt(ctx, tx, params.ID, e.driver.ended.of)
		if err != nil || len(ours) == 0 {
			return err
		}
		rows, err = e.driver.UnwrapExecutor(tx).JobSetStateIfRunningMany(ctx, only(params, ours))
		return err
	})
	return rows, err
}

// only keeps the entries of params whose job is in ids.
func only(params *riverdriver.JobSetStateIfRunningManyParams, ids []int64) *riverdriver.JobSetStateIfRunningManyParams {
	kept := &riverdriver.JobSetStateIfRunningManyParams{Now: params.Now, Schema: params.Schema}
	for i, id := range params.ID {
		if !slices.Contains(ids, id) {
			continue
		}
		kept.ID = append(kept.ID, id)
		kept.Attempt = append(kept.Attempt, params.Attempt[i])
		kept.ErrData = append(kept.ErrData, params.ErrData[i])
		kept.FinalizedAt = append(kept.FinalizedAt, params.FinalizedAt[i])
		kept.MetadataDoMerge = append(kept.MetadataDoMerge, params.MetadataDoMerge[i])
		kept.MetadataUpdates = append(kept.MetadataUpdates, params.MetadataUpdates[i])
		kept.ScheduledAt = append(kept.ScheduledAt, params.ScheduledAt[i])
		kept.State = append(kept.State, params.State[i])
	}
	return kept
}

// attempts remembers when this process fetched the jobs whose last attempt here has
// ended, and is about to be reported.
type attempts struct {
	mu      sync.Mutex
	fetched map[int64]time.Time
	order   []int64
}

// keptAttempts bounds the memory for attempts whose report has long been made.
const keptAttempts = 1024

func (a *attempts) end(job *rivertype.JobRow) {
	if job.AttemptedAt == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.fetched[job.ID]; !known {
		a.order = append(a.order, job.ID)
	}
	a.fetched[job.ID] = *job.AttemptedAt
	if len(a.order) > keptAttempts {
		delete(a.fetched, a.order[0])
		a.order = a.order[1:]
	}
}

// of returns when the job's attempt was fetched; nil when none ended here.
func (a *attempts) of(id int64) *time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, known := a.fetched[id]; known {
		return &at
	}
	return nil
}

// inAttempt locks the jobs' rows and returns those that are in the attempt that
// fetched names, or for which it names none.
func inAttempt(ctx context.Context, tx pgx.Tx, ids []int64, fetched func(id int64) *time.Time) ([]int64, error) {
	rows, err := tx.Query(ctx, "select id, attempted_at from river_job where id = any($1) order by id for update", ids)
	if err != nil {
		return nil, fmt.Errorf("lock jobs: %w", err)
	}
	defer rows.Close()
	var ours []int64
	for rows.Next() {
		var id int64
		var at *time.Time
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("read job: %w", err)
		}
		if want := fetched(id); want == nil || (at != nil && at.Equal(*want)) {
			ours = append(ours, id)
		}
	}
	return ours, rows.Err()
}
