package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
)

// Prices are what a cost is computed at, in US dollars.
type Prices struct {
	CoreHour float64 // of one core for an hour
	Gas      float64 // gwei
	Ether    float64 // of one ether
}

// E2EConfig says what EndToEnd measures.
type E2EConfig struct {
	RigConfig
	Workers  int
	Rate     float64       // transfers per second, at random times
	Duration time.Duration // of the load of one repetition
	SealAge  time.Duration // how long a transfer may wait for its batch to fill
	Prices   Prices
}

// e2eNote says what the latency is of.
const e2eNote = "Latency: from the time at which a transfer was due to be sent until its batch is stored as settled, which is when the submitter has seen the receipt. " +
	"The development chain mines a transaction at once; on Ethereum a block takes 12 seconds. Cost: processor time of all roles and Postgres, without that of the chain and the load " +
	"generator, and gas of the settling transactions, at the stated prices."

// EndToEnd measures transfers from their submission until they are settled, through REST,
// sequencer, workers, submitter and chain, at a stated load, and what they cost.
func EndToEnd(ctx context.Context, c Common, cfg E2EConfig) (*record.File, error) {
	shape, err := circuits.ShapeByName(cfg.Shape)
	if err != nil {
		return nil, err
	}
	transfers := int(cfg.Rate * cfg.Duration.Seconds())
	if cfg.Workers < 1 || transfers < 1 || cfg.SealAge <= 0 {
		return nil, fmt.Errorf("%d workers, %d transfers, sealed after %s: expected at least 1, 1 and a time above 0", cfg.Workers, transfers, cfg.SealAge)
	}
	memory, domain, err := cfg.keys(shape).need()
	if err != nil {
		return nil, err
	}
	settings := cfg.settings(shape)
	for name, value := range map[string]float64{
		"rate": cfg.Rate, "price of a core-hour": cfg.Prices.CoreHour, "price of gas in gwei": cfg.Prices.Gas, "price of ether": cfg.Prices.Ether,
	} {
		settings[name] = strconv.FormatFloat(value, 'g', -1, 64)
	}
	settings["workers"], settings["duration"], settings["seal age"] = strconv.Itoa(cfg.Workers), cfg.Duration.String(), cfg.SealAge.String()
	t := &e2eTask{cfg: cfg, common: c, plan: LoadPlan{Transfers: transfers, Connections: 64, Rate: cfg.Rate}}
	task := record.Task{
		Name: "end to end " + cfg.Shape, Memory: servingMemory + uint64(cfg.Workers)*memory,
		Prepares: 10 * time.Second, Takes: cfg.Duration + cfg.SealAge + guess(proofTime, domain), Repeats: c.Repeats,
		Prepare: t.prepare, Run: t.run, Close: t.close,
	}
	return c.run("e2e", settings, []record.Task{task}, e2eNote).Do(ctx)
}

type e2eTask struct {
	cfg     E2EConfig
	common  Common
	plan    LoadPlan
	rig     *rig
	fleet   *fleet
	settled []float64 // seconds, of all transfers
	runs    int
}

func (t *e2eTask) prepare(ctx context.Context, _ *record.Sample) (err error) {
	t.rig, err = startRig(ctx, t.cfg.RigConfig, map[string]string{
		"SETTLE_SEAL_AGE": t.cfg.SealAge.String(), "SETTLE_SEAL_IDLE": "0s",
	})
	if err != nil {
		return err
	}
	if err := t.rig.serve(); err != nil {
		return err
	}
	for _, role := range []string{"sequencer", "submitter"} {
		if _, err := t.rig.role(nil, role); err != nil {
			return err
		}
	}
	if t.fleet, err = t.rig.startFleet(t.cfg.Workers); err != nil {
		return err
	}
	return t.warmUp()
}

// warmUp has every worker prove something, so that keys are loaded.
func (t *e2eTask) warmUp() error {
	for seen := map[int]bool{}; len(seen) < t.cfg.Workers; {
		plan := t.plan
		plan.Transfers, plan.Rate = t.rig.shape.Transfers*t.cfg.Workers, 0
		if _, err := t.send(plan); err != nil {
			return err
		}
		for range t.cfg.Workers {
			jobs, err := t.fleet.next(1)
			if err != nil {
				return err
			}
			seen[jobs[0].worker] = true
		}
		if err := t.awaitSettled(); err != nil {
			return err
		}
	}
	return nil
}

func (t *e2eTask) send(plan LoadPlan) (LoadResult, error) {
	plan.Skip = t.plan.Skip
	t.plan.Skip += plan.Transfers
	generator, err := t.rig.load(plan)
	if err != nil {
		return LoadResult{}, err
	}
	return generator.send()
}

// awaitSettled waits until nothing is under way.
func (t *e2eTask) awaitSettled() error {
	return t.rig.await(func(ctx context.Context) (bool, error) {
		status, err := t.rig.store.Status(ctx)
		if err != nil {
			return false, err
		}
		n := status.Transactions
		if n.Rejected > 0 {
			return false, fmt.Errorf("%d transfers were rejected", n.Rejected)
		}
		return n.Accepted+n.Executed+n.Proven == 0, nil
	})
}

func (t *e2eTask) close() error {
	if t.rig == nil {
		return nil
	}
	return t.rig.close()
}

func (t *e2eTask) run(ctx context.Context, s *record.Sample) error {
	before, err := t.rig.cpuByRole()
	if err != nil {
		return err
	}
	begun := time.Now()
	result, err := t.send(t.plan)
	if err := errors.Join(err, t.awaitSettled()); err != nil {
		return err
	}
	took := time.Since(begun)
	t.fleet.forget()
	after, err := t.rig.cpuByRole()
	if err != nil {
		return err
	}
	t.runs++
	gas, err := t.follow(ctx, result)
	if err != nil {
		return err
	}
	transfers := float64(result.Accepted)
	s.Rate("transfers submitted", transfers/result.Seconds)
	s.Add(record.Value{Name: "gas per transfer", Unit: "gas", Better: record.Lower, Source: record.Measured, Value: gas.used / transfers})
	s.Add(record.Value{Name: "transfers per batch", Unit: "transfers", Better: record.Higher, Source: record.Measured, Value: transfers / float64(gas.batches)})
	t.cost(s, before, after, took, gas.used, transfers)
	if t.runs == t.common.Repeats {
		addQuantiles(s, "submission to settled", slices.Clone(t.settled))
	}
	return nil
}

// gasOf is what settling took.
type gasOf struct {
	batches int
	used    float64
}

// follow asks what became of each transfer.
func (t *e2eTask) follow(ctx context.Context, result LoadResult) (gasOf, error) {
	var gas gasOf
	batches := map[settle.BatchNumber]time.Time{} // when they were settled
	for _, r := range result.Requests {
		for _, id := range r.IDs {
			tx, err := t.rig.store.Transaction(ctx, id)
			if err != nil {
				return gas, err
			}
			if tx.Placement == nil {
				return gas, fmt.Errorf("transfer %s is %s", id, tx.Status)
			}
			n := tx.Placement.Batch
			if _, known := batches[n]; !known {
				b, err := t.rig.store.Batch(ctx, n)
				if err != nil {
					return gas, err
				}
				if b.SettledAt == nil || b.Settlement == nil || b.Settlement.Receipt == nil {
					return gas, fmt.Errorf("batch %d is %s and has no receipt", n, b.Status)
				}
				batches[n], gas.used = *b.SettledAt, gas.used+float64(b.Settlement.Receipt.GasUsed)
			}
			t.settled = append(t.settled, batches[n].Sub(r.Due).Seconds())
		}
	}
	gas.batches = len(batches)
	return gas, nil
}

// cost of 1,000 transfers of the repetition.
func (t *e2eTask) cost(s *record.Sample, before, after map[string]time.Duration, took time.Duration, gas, transfers float64) {
	var all time.Duration
	for role, spent := range after {
		spent -= before[role]
		all += spent
		s.Seconds("processor time per 1,000 transfers", time.Duration(float64(spent)*1000/transfers), "role", role)
	}
	s.Add(record.Value{Name: "cores busy", Unit: "cores", Source: record.Measured, Value: all.Seconds() / took.Seconds()})
	p := t.cfg.Prices
	cores := all.Hours() * p.CoreHour * 1000 / transfers
	chain := gas * p.Gas * 1e-9 * p.Ether * 1000 / transfers
	for part, value := range map[string]float64{"processors": cores, "gas": chain, "both": cores + chain} {
		s.Add(record.Value{
			Name: "cost of 1,000 transfers", Labels: map[string]string{"part": part}, Unit: "USD", Better: record.Lower, Source: record.Projected, Value: value,
			Note: fmt.Sprintf("at %g per core-hour, %g gwei per gas and %g per ether, from the measured processor time and gas", p.CoreHour, p.Gas, p.Ether),
		})
	}
}
