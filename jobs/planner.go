package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/store"
)

// Groups is what the planner needs of *store.Store.
type Groups interface {
	GroupQueue(ctx context.Context) (store.GroupQueue, error)
	PlanGroup(ctx context.Context, epoch store.Epoch, n store.NewGroup) error
	SettleDirectly(ctx context.Context, epoch store.Epoch, first, last settle.BatchNumber, reason string) error
}

var _ Groups = (*store.Store)(nil)

// PlannerConfig joins a Planner.
type PlannerConfig struct {
	Store  Groups
	Epoch  store.Epoch // of the aggregator role, held by this process
	Policy aggregator.Policy
	// GasPrice asks L1 for the price in wei per gas; nil, or while it fails: not known.
	GasPrice func(ctx context.Context) (uint64, error)
	Poll     time.Duration   // between looks at the queue; 0: 1 second
	Metrics  *PlannerMetrics // nil: collected and shown nowhere
	Logger   *slog.Logger    // nil discards
	Stepped  func()          // hears of each step of Run that succeeded; nil: nobody does
}

// Planner carries out what aggregator.Plan decides. All that it knows lies in the
// store, so that it can be stopped at any point and started elsewhere.
type Planner struct {
	cfg       PlannerConfig
	priceless bool // the price of gas could not be asked last time
}

// NewPlanner checks the policy.
func NewPlanner(cfg PlannerConfig) (*Planner, error) {
	if cfg.Store == nil {
		return nil, errors.New("jobs: a planner needs a Store")
	}
	if err := cfg.Policy.Check(); err != nil {
		return nil, err
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		m, err := NewPlannerMetrics(prometheus.NewRegistry())
		if err != nil {
			return nil, err
		}
		cfg.Metrics = m
	}
	return &Planner{cfg: cfg}, nil
}

// Run plans until ctx ends or the role is lost (store.ErrFenced). Other failures are
// said once and tried again; wake, if not nil, cuts a pause short.
func (p *Planner) Run(ctx context.Context, wake <-chan struct{}) error {
	failing := false
	for {
		err := p.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrFenced):
			return err
		case err != nil && !failing:
			p.cfg.Logger.WarnContext(ctx, "groups cannot be planned", "error", err)
		case err == nil && failing:
			p.cfg.Logger.InfoContext(ctx, "groups are planned again")
		}
		failing = err != nil
		if err == nil && p.cfg.Stepped != nil {
			p.cfg.Stepped()
		}
		timer := time.NewTimer(p.cfg.Poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Step decides about the queue as it is now. A batch that was settled meanwhile is
// left to the next step.
func (p *Planner) Step(ctx context.Context) error {
	queue, err := p.cfg.Store.GroupQueue(ctx)
	if err != nil {
		return err
	}
	s := snapshot(queue)
	s.GasPrice = p.price(ctx)
	plan, err := aggregator.Plan(p.cfg.Policy, s)
	if err != nil {
		return fmt.Errorf("plan groups: %w", err)
	}
	p.cfg.Metrics.look(s, plan)
	for _, d := range plan {
		switch d.Action {
		case aggregator.Fold:
			err = p.cfg.Store.PlanGroup(ctx, p.cfg.Epoch, store.NewGroup{
				First: d.First, Last: d.Last, Shape: d.Circuit.Shape, KeyHash: d.Circuit.KeyHash, Reason: string(d.Reason),
			})
		case aggregator.Direct:
			err = p.cfg.Store.SettleDirectly(ctx, p.cfg.Epoch, d.First, d.Last, string(d.Reason))
		case aggregator.Wait:
			continue
		}
		if errors.Is(err, store.ErrIllegalTransition) {
			p.cfg.Logger.InfoContext(ctx, "the queue has changed; planning anew", "first", d.First, "last", d.Last, "reason", err)
			return nil
		}
		if err != nil {
			return err
		}
		p.cfg.Metrics.decided(d)
		p.cfg.Logger.InfoContext(ctx, "group", "action", string(d.Action), "first", d.First, "last", d.Last, "reason", string(d.Reason))
	}
	return nil
}

// price asks for the price of gas if the policy depends on it.
func (p *Planner) price(ctx context.Context) *uint64 {
	if p.cfg.GasPrice == nil || (p.cfg.Policy.LowGas == 0 && p.cfg.Policy.HighGas == 0) {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, contactTimeout)
	defer done()
	price, err := p.cfg.GasPrice(ctx)
	if err != nil && !p.priceless {
		p.cfg.Logger.WarnContext(ctx, "the price of gas is not known; groups wait as at an ordinary one", "error", err)
	}
	p.priceless = err != nil
	if err != nil {
		return nil
	}
	return &price
}

func snapshot(q store.GroupQueue) aggregator.Snapshot {
	s := aggregator.Snapshot{Now: q.Now}
	for _, b := range q.Batches {
		queued := aggregator.Batch{
			Number: b.Number, Status: b.Status, KeyHash: b.KeyHash, Exits: b.Exits, Words: b.Words, DeadLetter: b.DeadLetter,
		}
		if b.ProvenAt != nil {
			queued.ProvenAt = *b.ProvenAt
		}
		s.Batches = append(s.Batches, queued)
	}
	for _, g := range q.Groups {
		s.Groups = append(s.Groups, aggregator.Group{
			First: g.First, Last: g.Last, Status: aggregator.GroupStatus(g.Status), PlannedAt: g.PlannedAt, DeadLetter: g.DeadLetter,
		})
	}
	return s
}

// PlannerMetrics are of the aggregator role.
type PlannerMetrics struct {
	Decisions *prometheus.CounterVec // action: fold, direct; reason
	Batches   *prometheus.CounterVec // action
	Waiting   prometheus.Gauge       // proven batches about which nothing is decided
	Folding   prometheus.Gauge       // groups whose proof is to be made
}

// NewPlannerMetrics makes the collectors and registers them.
func NewPlannerMetrics(r prometheus.Registerer) (*PlannerMetrics, error) {
	m := &PlannerMetrics{
		Decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_group_decisions_total", Help: "Decisions to fold proofs of batches into one, or to settle batches directly, by reason."}, []string{"action", "reason"}),
		Batches:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "settle_group_batches_total", Help: "Batches about which was decided, by action."}, []string{"action"}),
		Waiting:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_group_waiting_batches", Help: "Proven batches that wait for others to be folded with."}),
		Folding:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "settle_groups_folding", Help: "Groups whose one proof is being made."}),
	}
	for _, c := range []prometheus.Collector{m.Decisions, m.Batches, m.Waiting, m.Folding} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *PlannerMetrics) look(s aggregator.Snapshot, plan []aggregator.Decision) {
	waiting, folding := 0, 0
	for _, d := range plan {
		if d.Action == aggregator.Wait {
			waiting += int(d.Last-d.First) + 1
		}
	}
	for _, g := range s.Groups {
		if g.Status == aggregator.GroupPlanned {
			folding++
		}
	}
	m.Waiting.Set(float64(waiting))
	m.Folding.Set(float64(folding))
}

func (m *PlannerMetrics) decided(d aggregator.Decision) {
	m.Decisions.WithLabelValues(string(d.Action), string(d.Reason)).Inc()
	m.Batches.WithLabelValues(string(d.Action)).Add(float64(d.Last-d.First) + 1)
}
