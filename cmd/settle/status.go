package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

type statusCmd struct {
	dataFlags
	JSON     bool          `name:"json" help:"Print each report as one JSON object."`
	Watch    bool          `help:"Repeat until stopped."`
	Interval time.Duration `help:"Time between two reports of --watch." default:"2s"`
	Rows     int           `help:"Number of batches to list, newest first." default:"8"`
}

// lookTimeout bounds one look at the database, and one at L1.
const lookTimeout = 5 * time.Second

// Run shows the pipeline from the database, for which no role needs to run, and
// changes nothing.
func (c statusCmd) Run(a *app) error {
	if c.Rows < 1 || c.Interval <= 0 {
		return fmt.Errorf("--rows %d, --interval %s: expected 1 row or more and a time above 0", c.Rows, c.Interval)
	}
	pool, err := c.connect(a.Ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	checked := false
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	for {
		p, err := c.look(a.Ctx, pool, !checked)
		switch {
		case a.Ctx.Err() != nil:
			return a.Ctx.Err()
		case err == nil:
			checked = true
			err = c.show(a, p)
		case c.Watch && store.IsUnavailable(err):
			a.Log.Warn("the database does not answer; looking again", "error", node.Redact(err, pool.Config().ConnString()))
			err = nil
		}
		if err != nil || !c.Watch {
			return node.Redact(err, pool.Config().ConnString())
		}
		select {
		case <-a.Ctx.Done():
			return a.Ctx.Err()
		case <-tick.C:
		}
	}
}

// connect finds the database of the roles. It starts none: where none runs
// there is nothing to look at.
func (c statusCmd) connect(ctx context.Context) (*pgxpool.Pool, error) {
	u, err := c.databaseURL()
	if err != nil {
		return nil, err
	}
	pool, err := store.Open(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("%s is not a Postgres URL: %w", node.EnvDatabase, node.Redact(err, u))
	}
	return pool, nil
}

// pipeline is one look at everything between submission and finality.
type pipeline struct {
	At              time.Time          `json:"at"`
	ChainID         uint64             `json:"chain_id"`
	Rollup          settle.Address     `json:"rollup"`
	UnsafeDev       bool               `json:"unsafe_dev_keys"`
	Transactions    wire.TxCounts      `json:"transactions"`
	Batches         wire.BatchCounts   `json:"batches"`
	Jobs            wire.JobCounts     `json:"jobs"`
	OldestUnproven  float64            `json:"oldest_unproven_age_seconds"`
	Executed        wire.Progress      `json:"executed"`
	Settled         wire.Progress      `json:"settled"`
	Final           settle.BatchNumber `json:"final"`
	L1              *l1Progress        `json:"l1,omitempty"`
	LastBatches     []pipelineBatch    `json:"last_batches"`
	Groups          []pipelineGroup    `json:"groups"` // of unsettled batches
	Running         []pipelineJob      `json:"running"`
	DeadLetters     []pipelineJob      `json:"dead_letters"`
	RefusedProofs   []refusedView      `json:"refused_proofs"` // the last ones that were set aside
	SettlementWaits *pipelineWait      `json:"settlement_waits,omitempty"`
	StandsStill     *pipelineStill     `json:"settlement_stands_still,omitempty"`
}

// l1Progress is what the contract says, or why it could not be asked.
type l1Progress struct {
	wire.Progress
	Verdict node.Verdict `json:"verdict,omitempty"`
	Error   string       `json:"error,omitempty"`
}

type pipelineBatch struct {
	Number       settle.BatchNumber `json:"number"`
	Status       settle.BatchStatus `json:"status"`
	Shape        string             `json:"shape"`
	Transactions int                `json:"transactions"`
	AgeSeconds   float64            `json:"age_seconds"` // since it was sealed
	NewRoot      settle.Element     `json:"new_root"`
}

// pipelineGroup is what was decided about unsettled batches: to be folded into one
// proof (planned, proven), or to be settled each by its own (direct).
type pipelineGroup struct {
	First      settle.BatchNumber `json:"first"`
	Last       settle.BatchNumber `json:"last"`
	Status     store.GroupStatus  `json:"status"`
	Shape      string             `json:"shape,omitempty"`
	Reason     string             `json:"reason"`
	AgeSeconds float64            `json:"age_seconds"` // since it was decided
}

// pipelineJob is a running job or a dead letter.
type pipelineJob struct {
	Job        int64              `json:"job"`
	Batch      settle.BatchNumber `json:"batch"`
	Shape      string             `json:"shape"`
	Attempt    int                `json:"attempt"`
	AgeSeconds float64            `json:"age_seconds"` // since the attempt began
	Worker     string             `json:"worker,omitempty"`
	Failures   int                `json:"failures"`
	Class      string             `json:"class,omitempty"` // of the last failure
	Error      string             `json:"error,omitempty"`
}

// pipelineWait is why batches that are sealed or proven cannot settle by themselves.
type pipelineWait struct {
	Batch  settle.BatchNumber `json:"batch"`
	Behind int64              `json:"proven_behind"` // proven batches that wait for it
	Job    int64              `json:"job,omitempty"`
	Reason string             `json:"reason"`
}

// pipelineStill is why the submitter makes no progress, in its own words.
type pipelineStill struct {
	Reason     string  `json:"reason"`
	AgeSeconds float64 `json:"age_seconds"` // since it began
}

// look reads the database and then asks L1, if it knows of a node.
func (c statusCmd) look(ctx context.Context, pool *pgxpool.Pool, check bool) (*pipeline, error) {
	reading, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if check {
		if err := store.CheckSessions(reading, pool.Config().ConnString()); err != nil {
			return nil, fmt.Errorf("%s: %w", node.EnvDatabase, err)
		}
		if err := migrations.Check(reading, pool); err != nil {
			return nil, err
		}
	}
	s := store.New(pool)
	rollup, err := s.Rollup(reading)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errors.New("the database has no rollup yet: deploy one (settle deploy, or settle up with --genesis)")
	}
	if err != nil {
		return nil, err
	}
	st, err := s.Status(reading)
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		At: time.Now().UTC(), ChainID: rollup.ChainID, Rollup: rollup.Address, UnsafeDev: rollup.UnsafeDev,
		Transactions: wire.TxCounts(st.Transactions), Batches: wire.BatchCounts(st.Batches), Jobs: wire.JobCounts(st.Jobs),
		OldestUnproven: st.OldestUnprovenAge.Seconds(), Final: st.FinalBatch,
		Executed:    wire.Progress{Batch: st.LastBatch, Root: st.LastRoot},
		Settled:     wire.Progress{Batch: st.SettledBatch, Root: st.SettledRoot},
		LastBatches: []pipelineBatch{}, Groups: []pipelineGroup{}, Running: []pipelineJob{}, DeadLetters: []pipelineJob{}, RefusedProofs: []refusedView{},
	}
	if err := p.readJobs(reading, s); err != nil {
		return nil, err
	}
	batches, err := s.Batches(reading, 0, c.Rows)
	if err != nil {
		return nil, err
	}
	for i := range batches {
		b := &batches[i]
		p.LastBatches = append(p.LastBatches, pipelineBatch{b.Number, b.Status, b.Shape, b.Transactions, age(p.At, &b.SealedAt), b.NewRoot})
	}
	queue, err := s.GroupQueue(reading)
	if err != nil {
		return nil, err
	}
	for _, g := range queue.Groups {
		p.Groups = append(p.Groups, pipelineGroup{g.First, g.Last, g.Status, g.Shape, g.Reason, age(p.At, &g.PlannedAt)})
	}
	still, err := s.Standstill(reading, store.RoleSubmitter)
	switch {
	case err == nil:
		p.StandsStill = &pipelineStill{still.Reason, age(p.At, &still.Since)}
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	p.L1 = c.askL1(ctx, s, rollup, st.SettledBatch)
	return p, nil
}

func (p *pipeline) readJobs(ctx context.Context, s *store.Store) error {
	running, err := s.Jobs(ctx, store.JobFilter{Statuses: []string{"running"}})
	if err != nil {
		return err
	}
	dead, err := s.Jobs(ctx, store.JobFilter{DeadLetters: true})
	if err != nil {
		return err
	}
	for i := range running {
		p.Running = append(p.Running, p.job(&running[i]))
	}
	for i := range dead {
		p.DeadLetters = append(p.DeadLetters, p.job(&dead[i]))
	}
	refused, err := s.RefusedProofs(ctx, 0, shownRefused)
	if err != nil {
		return err
	}
	for i := range refused {
		p.RefusedProofs = append(p.RefusedProofs, viewRefused(&refused[i], false))
	}
	b, err := s.Blockage(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	wait := pipelineWait{Batch: b.Batch, Behind: b.Behind, Reason: "it has no proof job"}
	if b.Job != nil {
		wait.Job, wait.Reason = *b.Job, "its proof job is a dead letter"
	}
	if b.Class != nil && b.Detail != nil {
		wait.Reason += fmt.Sprintf(" (%s: %s)", *b.Class, *b.Detail)
	}
	p.SettlementWaits = &wait
	return nil
}

func (p *pipeline) job(j *store.Job) pipelineJob {
	out := pipelineJob{Job: j.ID, Batch: j.Batch, Shape: j.Shape, Attempt: j.Attempt, AgeSeconds: age(p.At, j.BegunAt), Failures: j.Failures}
	if j.Holder != nil {
		out.Worker = *j.Holder
	}
	if j.LastClass != nil {
		out.Class = string(*j.LastClass)
	}
	if j.LastError != nil {
		out.Error = *j.LastError
	}
	return out
}

// age is never below zero: the database's clock may be ahead of ours.
func age(now time.Time, since *time.Time) float64 {
	if since == nil {
		return 0
	}
	return max(0, now.Sub(*since).Seconds())
}

// askL1 reads number and root from the contract and compares them; nil where no
// node is named.
func (c statusCmd) askL1(ctx context.Context, s *store.Store, rollup store.Rollup, settled settle.BatchNumber) *l1Progress {
	u := c.nodeURL()
	if u == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	conn, err := l1.Dial(ctx, u, rollup.ChainID)
	if err != nil {
		return &l1Progress{Error: err.Error()}
	}
	defer conn.Close()
	progress, err := node.ProgressOnL1(ctx, conn, rollup)
	if err != nil {
		return &l1Progress{Error: err.Error()}
	}
	found, err := node.Compare(ctx, s, settled, progress)
	if err != nil {
		return &l1Progress{Progress: progress, Error: err.Error()}
	}
	return &l1Progress{Progress: progress, Verdict: found}
}
