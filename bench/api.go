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
}

// apiNote says what stands on the machine.
const apiNote = "A request is answered when its transfers are committed by Postgres with synchronous_commit and fsync on. Postgres, the API and the load generator share the machine, " +
	"each as a process of its own; no sequencer runs, so that all transfers stay pending. Transfers are signed before the clock starts. Latencies are those of requests, under full load."

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
	var tasks []record.Task
	for _, size := range cfg.Arrays {
		t := &apiTask{cfg: cfg, common: c, plan: LoadPlan{Array: size, Connections: cfg.Connections, Transfers: cfg.Transfers}}
		name, labels := fmt.Sprintf("arrays of %d", size), strconv.Itoa(size)
		if size == 0 {
			name, labels, t.plan.Transfers = "single transfers", "none", cfg.Transfers/10
		}
		t.labels = []string{"array", labels}
		tasks = append(tasks, record.Task{
			Name: name, Memory: servingMemory, Prepares: 5 * time.Second, Takes: 3 * time.Second, Warmups: c.Warmups, Repeats: c.Repeats,
			Prepare: t.prepare, Run: t.run, Close: t.close,
		})
	}
	return c.run("api", settings, tasks, apiNote).Do(ctx)
}

// apiTask measures one size of arrays.
type apiTask struct {
	cfg     APIConfig
	common  Common
	plan    LoadPlan
	labels  []string
	rig     *rig
	seconds []float64 // of all requests that count
	runs    int
}

func (t *apiTask) prepare(ctx context.Context, _ *record.Sample) (err error) {
	if t.rig, err = startRig(ctx, t.cfg.RigConfig, nil); err != nil {
		return err
	}
	_, err = t.rig.serve("--max-accepted", strconv.Itoa(1<<30))
	return err
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
	s.Rate("transfers accepted", float64(result.Accepted)/result.Seconds, t.labels...)
	for role, spent := range after {
		s.Seconds("processor time per 1,000 transfers", (spent-before[role])*1000/time.Duration(result.Accepted), append(t.labels, "role", role)...)
	}
	if t.runs <= t.common.Warmups {
		return nil
	}
	for _, r := range result.Requests {
		t.seconds = append(t.seconds, r.Seconds)
	}
	if t.runs == t.common.Warmups+t.common.Repeats {
		addQuantiles(s, "latency", slices.Clone(t.seconds), t.labels...)
	}
	return nil
}
