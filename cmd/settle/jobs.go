package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

type jobsCmd struct {
	List    jobsListCmd    `cmd:"" help:"List proof jobs, newest batch first."`
	Show    jobsShowCmd    `cmd:"" help:"Show a job with every failed attempt."`
	Retry   jobsRetryCmd   `cmd:"" help:"Put a job back in the queue at once. It may be a dead letter, but no worker may be working on it."`
	Refused jobsRefusedCmd `cmd:"" help:"List proofs that were set aside, newest first. A proof is set aside if L1 would refuse it or if no worker of this rollup stored it."`
	Discard jobsDiscardCmd `cmd:"" help:"Turn a waiting job into a dead letter. No worker tries it until it is retried by hand, and settlement waits for its batch."`
}

type jobsListCmd struct {
	dataFlags
	Dead  bool     `help:"List dead letters only. A dead letter is a job without a proof that is not tried again until it is retried by hand."`
	State []string `help:"List only jobs in these states: ${enum}." enum:"available,running,completed,cancelled,discarded"`
	Batch uint32   `help:"List only the jobs of this batch."`
	Limit int      `help:"Show at most this many. 0 shows all." default:"50"`
	JSON  bool     `name:"json" help:"Print a JSON array."`
}

// Run prints the jobs.
func (c jobsListCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		found, err := db.Store.Jobs(a.Ctx, store.JobFilter{DeadLetters: c.Dead, Statuses: c.State, Batch: settle.BatchNumber(c.Batch), Limit: c.Limit})
		if err != nil {
			return err
		}
		if c.JSON {
			shown := make([]jobView, len(found))
			for i, j := range found {
				shown[i] = viewJob(j, nil)
			}
			return a.PrintJSON(shown)
		}
		return writeJobs(a.Stdout, found)
	})
}

// jobSelection names jobs by their own number or by their batch.
type jobSelection struct {
	Job   int64  `arg:"" optional:"" help:"Number of the job. The command settle jobs list shows it."`
	Batch uint32 `help:"Select the jobs of this batch, instead of one job."`
}

// find returns the jobs that are meant, or says that there are none.
func (s jobSelection) find(ctx context.Context, db *node.Database) ([]store.Job, error) {
	if (s.Job > 0) == (s.Batch > 0) {
		return nil, errors.New("name either a job, or a batch by --batch")
	}
	found, err := db.Store.Jobs(ctx, store.JobFilter{Job: s.Job, Batch: settle.BatchNumber(s.Batch)})
	if err == nil && len(found) == 0 {
		err = errors.New("there is no such job (settle jobs list --limit 0 lists all)")
	}
	return found, err
}

type jobsShowCmd struct {
	dataFlags
	jobSelection
	JSON bool `name:"json" help:"Print a JSON array."`
}

// Run prints jobs in full.
func (c jobsShowCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		found, err := c.find(a.Ctx, db)
		if err != nil {
			return err
		}
		shown := make([]jobView, len(found))
		for i, j := range found {
			failures, err := db.Store.ProofFailures(a.Ctx, j.Batch)
			if err != nil {
				return err
			}
			shown[i] = viewJob(j, failures)
		}
		if c.JSON {
			return a.PrintJSON(shown)
		}
		for _, j := range shown {
			if err := j.write(a.Stdout); err != nil {
				return err
			}
		}
		return nil
	})
}

type jobsRetryCmd struct {
	dataFlags
	jobSelection
	Dead bool `help:"Retry all dead letters."`
}

// Run retries.
func (c jobsRetryCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		if !c.Dead {
			found, err := c.find(a.Ctx, db)
			if err != nil {
				return err
			}
			return a.changeJobs(found, "is back in the queue", db.Store.RetryJob)
		}
		if c.Job > 0 || c.Batch > 0 {
			return errors.New("--dead retries all dead letters: name no job beside it")
		}
		found, err := db.Store.Jobs(a.Ctx, store.JobFilter{DeadLetters: true})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			_, err := fmt.Fprintln(a.Stdout, "there are no dead letters")
			return err
		}
		return a.changeJobs(found, "is back in the queue", db.Store.RetryJob)
	})
}

type jobsDiscardCmd struct {
	dataFlags
	jobSelection
}

// Run discards.
func (c jobsDiscardCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		found, err := c.find(a.Ctx, db)
		if err != nil {
			return err
		}
		return a.changeJobs(found, "is a dead letter; settlement waits for its batch", db.Store.DiscardJob)
	})
}

// changeJobs changes one job after the other and says so.
func (a *app) changeJobs(found []store.Job, done string, change func(context.Context, int64) error) error {
	var failed []error
	for _, j := range found {
		err := change(a.Ctx, j.ID)
		switch {
		case errors.Is(err, store.ErrJobRunning):
			err = fmt.Errorf("job %d of batch %d is running at %s: stop that worker, or wait until its attempt ends", j.ID, j.Batch, orDash(j.Holder))
		case errors.Is(err, store.ErrProofExists):
			err = fmt.Errorf("job %d: the proof of batch %d is stored, there is nothing to do", j.ID, j.Batch)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if _, err := fmt.Fprintf(a.Stdout, "job %d of batch %d %s\n", j.ID, j.Batch, done); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// jobView is a job as --json shows it.
type jobView struct {
	Job         int64              `json:"job"`
	Batch       settle.BatchNumber `json:"batch"`
	Last        settle.BatchNumber `json:"last"` // of the batches whose proofs the job folds; else batch
	BatchStatus settle.BatchStatus `json:"batch_status"`
	State       string             `json:"state"`
	DeadLetter  bool               `json:"dead_letter"`
	Proven      bool               `json:"proven"`
	Circuit     string             `json:"circuit"`
	Shape       string             `json:"shape"`
	KeyHash     settle.KeyHash     `json:"key_hash"`
	Attempts    int                `json:"attempts"`
	CreatedAt   time.Time          `json:"created_at"`
	NextAt      *time.Time         `json:"next_at,omitempty"`
	AttemptedAt *time.Time         `json:"attempted_at,omitempty"`
	FinalizedAt *time.Time         `json:"finalized_at,omitempty"`
	Holder      *string            `json:"holder,omitempty"`
	HeartbeatAt *time.Time         `json:"heartbeat_at,omitempty"`
	MemoryAbove *int64             `json:"memory_above,omitempty"` // bytes; for larger workers until memory_until
	MemoryUntil *time.Time         `json:"memory_until,omitempty"`
	Failures    int                `json:"failures"`
	LastFailure *failureView       `json:"last_failure,omitempty"`
	History     []failureView      `json:"history,omitempty"` // oldest first
}

type failureView struct {
	At      time.Time          `json:"at"`
	Class   store.FailureClass `json:"class"`
	Attempt int                `json:"attempt,omitempty"`
	Worker  string             `json:"worker,omitempty"`
	Detail  string             `json:"detail"`
}

func viewJob(j store.Job, failures []store.ProofFailure) jobView {
	v := jobView{
		Job: j.ID, Batch: j.Batch, Last: j.Last, BatchStatus: j.BatchStatus, State: string(j.Status), DeadLetter: j.DeadLetter(), Proven: j.Proven,
		Circuit: j.Circuit, Shape: j.Shape, KeyHash: j.KeyHash, Attempts: j.Attempt, CreatedAt: j.CreatedAt,
		AttemptedAt: j.BegunAt, FinalizedAt: j.FinishedAt, Holder: j.Holder, HeartbeatAt: j.HeartbeatAt,
		MemoryAbove: j.MemoryAbove, MemoryUntil: j.MemoryUntil, Failures: j.Failures,
	}
	if j.Status == store.JobAvailable {
		v.NextAt = &j.DueAt
	}
	if j.LastClass != nil && j.LastError != nil && j.LastAt != nil {
		v.LastFailure = &failureView{At: *j.LastAt, Class: *j.LastClass, Detail: *j.LastError}
	}
	for _, f := range failures {
		if f.Circuit == j.Circuit && f.KeyHash == j.KeyHash {
			v.History = append(v.History, failureView{At: f.FailedAt, Class: f.Class, Attempt: f.Attempt, Worker: f.Worker, Detail: f.Detail})
		}
	}
	return v
}

func writeJobs(w io.Writer, found []store.Job) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "there are no such jobs")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tBATCH\tSHAPE\tSTATE\tATTEMPTS\tSINCE\tHOLDER\tCLASS\tLAST FAILURE")
	for _, j := range found {
		state, since := j.Status, j.DueAt
		switch {
		case j.DeadLetter():
			state += " (dead letter)"
		case j.Status == store.JobRunning && j.BegunAt != nil:
			since = *j.BegunAt
		}
		if j.FinishedAt != nil {
			since = *j.FinishedAt
		}
		class := "-"
		if j.LastClass != nil {
			class = string(*j.LastClass)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", j.ID, batchRange(j.Batch, j.Last), j.Shape, state, j.Attempt,
			since.UTC().Format(time.DateTime), orDash(j.Holder), class, firstLine(orDash(j.LastError)))
	}
	return table.Flush()
}

func (v jobView) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, value any) { fmt.Fprintf(table, "%s\t%v\n", name, value) }
	state := v.State
	switch {
	case v.DeadLetter && v.Circuit == settle.CircuitAggregate:
		state += " (dead letter: its batches settle each by its own proof)"
	case v.DeadLetter:
		state += fmt.Sprintf(" (dead letter: settlement waits; settle replay %d names the fault, settle jobs retry %d tries again)", v.Batch, v.Job)
	}
	row("job", v.Job)
	row("batch", fmt.Sprintf("%s (%s)", batchRange(v.Batch, v.Last), v.BatchStatus))
	row("state", state)
	row("proof stored", v.Proven)
	row("circuit", v.Circuit+", shape "+v.Shape)
	row("key hash", v.KeyHash)
	row("attempts", v.Attempts)
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{"created", &v.CreatedAt}, {"next attempt", v.NextAt}, {"begun last", v.AttemptedAt}, {"finished", v.FinalizedAt}, {"heartbeat", v.HeartbeatAt}} {
		if t.at != nil {
			row(t.name, t.at.UTC().Format(time.RFC3339))
		}
	}
	if v.Holder != nil {
		row("holder", *v.Holder)
	}
	if v.MemoryAbove != nil && v.MemoryUntil != nil {
		row("memory", fmt.Sprintf("ran out on a worker with %d MiB; larger workers first until %s", *v.MemoryAbove>>20, v.MemoryUntil.UTC().Format(time.RFC3339)))
	}
	row("failures", v.Failures)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, f := range v.History {
		detail := strings.ReplaceAll(strings.TrimSpace(f.Detail), "\n", "\n      ")
		fmt.Fprintf(w, "  %s  %s, attempt %d, %s\n      %s\n", f.At.UTC().Format(time.RFC3339), f.Class, f.Attempt, f.Worker, detail)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// batchRange is "7", or "7 to 8".
func batchRange(first, last settle.BatchNumber) string {
	if last <= first {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}

func orDash(s *string) string {
	if s == nil || *s == "" {
		return "-"
	}
	return *s
}

// firstLine shortens a message for a table.
func firstLine(s string) string {
	const most = 100
	line, _, more := strings.Cut(s, "\n")
	if runes := []rune(line); len(runes) > most {
		line, more = string(runes[:most]), true
	}
	if more {
		line += " …"
	}
	return line
}
