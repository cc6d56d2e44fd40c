package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
)

// APIConfig says what API measures.
type APIConfig struct {
	RigConfig
	Arrays      []int // transfers per request; 0: one, not as an array
	Connections int   // requests at once
	Transfers   int   // of a repetition with arrays; a tenth of it without
	Rate        int   // transfers per second at which latency is measured too, in arrays of the first size; 0: not
}

// apiNote says what stands on the machine.
const apiNote = "A request is answered when its transfers are committed by Postgres with synchronous_commit and fsync on. Postgres, the API and the load generator share the machine, " +
	"each as a process of its own; no sequencer runs, so that all transfers stay pending. Transfers are signed before the clock starts. Latencies are those of requests. At full load every connection sends its next request when the last one is answered; " +
	"at a stated rate requests come at random times, and a latency counts from the time at which the request was due."

// API measures durable submissions over REST.
func API(ctx context.Context, c Common, cfg APIConfig) (*record.File, error) {
	shape, err := circuits.ShapeByName(cfg.Shape)
	if err != nil {
		return nil, err
	}
	if len(cfg.Arrays) == 0 || cfg.Connections < 1 || cfg.Transfers < 10 {
		return nil, fmt.Errorf("%d sizes of arrays, %d connections and %d transfers: expected at least 1, 1 and 10", len(cfg.Arrays), cfg.Connections, cfg.Transfers)
	}
	settings := cfg.settings(shape)
	settings["arrays"], settings["connections"] = numbers(cfg.Arrays), strconv.Itoa(cfg.Connections)
	settings["transfers"] = strconv.Itoa(cfg.Transfers)
	settings["rate"] = strconv.Itoa(cfg.Rate)
	var plans []LoadPlan
	for _, size := range cfg.Arrays {
		plan := LoadPlan{Array: size, Connections: cfg.Connections, Transfers: cfg.Transfers}
		if size == 0 {
			plan.Transfers /= 10
		}
		plans = append(plans, plan)
	}
	if cfg.Rate > 0 {
		plan := plans[0]
		plan.Rate = float64(cfg.Rate) / float64(max(plan.Array, 1))
		plans = append(plans, plan)
	}
	var tasks []record.Task
	for _, plan := range plans {
		t := &apiTask{cfg: cfg, common: c, plan: plan}
		tasks = append(tasks, record.Task{
			Name: t.name(), Memory: servingMemory, Prepares: 5 * time.Second, Takes: 3 * time.Second, Warmups: c.Warmups, Repeats: c.Repeats,
			Prepare: t.prepare, Run: t.run, Close: t.close,
		})
	}
	return c.run("api", settings, tasks, apiNote).Do(ctx)
}

// apiTask measures one load.
type apiTask struct {
	cfg     APIConfig
	common  Common
	plan    LoadPlan
	rig     *rig
	seconds []float64 // of all requests that count
	runs    int
}

// name of the load: size of arrays, and rate.
func (t *apiTask) name() string {
	name := "arrays of " + strconv.Itoa(t.plan.Array)
	if t.plan.Array == 0 {
		name = "single transfers"
	}
	if t.plan.Rate > 0 {
		name += fmt.Sprintf(" at %d/s", t.cfg.Rate)
	}
	return name
}

// labels of its values; without a load it is as much as the API takes.
func (t *apiTask) labels() []string {
	labels := []string{"array", "none"}
	if t.plan.Array > 0 {
		labels[1] = strconv.Itoa(t.plan.Array)
	}
	if t.plan.Rate > 0 {
		labels = append(labels, "load", fmt.Sprintf("%d/s", t.cfg.Rate))
	}
	return labels
}

func (t *apiTask) prepare(ctx context.Context, _ *record.Sample) (err error) {
	if t.rig, err = startRig(ctx, t.cfg.RigConfig, nil); err != nil {
		return err
	}
	return t.rig.serve("--max-accepted", strconv.Itoa(1<<30))
}

func (t *apiTask) close() error {
	if t.rig == nil {
		return nil
	}
	return t.rig.close()
}

func (t *apiTask) run(_ context.Context, s *record.Sample) error {
	generator, err := t.rig.load(t.plan)
	if err != nil {
		return err
	}
	before, err := t.rig.cpuByRole()
	if err != nil {
		return err
	}
	result, err := generator.send()
	if err != nil {
		return err
	}
	after, err := t.rig.cpuByRole()
	if err != nil {
		return err
	}
	t.plan.Skip += t.plan.Transfers
	t.runs++
	labels := t.labels()
	if t.plan.Rate == 0 {
		s.Rate("transfers accepted", float64(result.Accepted)/result.Seconds, labels...)
	}
	for role, spent := range after {
		s.Seconds("processor time per 1,000 transfers", (spent-before[role])*1000/time.Duration(result.Accepted), slices.Concat(labels, []string{"role", role})...)
	}
	if t.runs <= t.common.Warmups {
		return nil
	}
	for _, r := range result.Requests {
		t.seconds = append(t.seconds, r.Seconds)
	}
	if t.runs == t.common.Warmups+t.common.Repeats {
		addQuantiles(s, "latency", t.seconds, labels...)
	}
	return nil
}
