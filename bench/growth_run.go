package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
)

// GrowthName is the benchmark's name in its File.
const GrowthName = "growth"

// Measurements of Growth that others rely on.
const (
	// ThroughputName is transfers proven per second by a simulated fleet; labels: shape,
	// workers, claims ("side by side" or "one at a time").
	ThroughputName = "throughput"
	// IdleName is the share of the fleet's time without a proof, labelled likewise.
	IdleName = "idle share"
	// WaitName is the time from a batch's arrival to its job taken, at a load below
	// what the fleet can do; labels: shape, workers, quantile.
	WaitName = "queue wait"
)

// GrowthConfig says what Growth foretells from the results in the folder.
type GrowthConfig struct {
	Shapes  []string  // empty: those whose proofs were measured
	Workers []int     // sizes of fleets, each a machine like the measured one
	Rates   []float64 // transfers per second to extrapolate to
	Load    float64   // share of what a fleet can do that it is asked for, between 0 and 1
	Settle  time.Duration
	Seed    uint64
}

// growthInputs are measurements of other benchmarks for one shape.
type growthInputs struct {
	shape  circuits.Shape
	proofs []float64 // seconds of assign, prove and verify
	memory float64   // bytes of a proving process, at its peak
	claim  float64   // seconds
	rest   float64   // seconds of a job that are not the proof's
	gas    []gasOfRoute
	roles  float64 // processor seconds of all roles but the prover, for a transfer; 0: not measured
}

type gasOfRoute struct {
	route, batches string
	perTransfer    float64
	source         string
}

// errGrowthInput reports results that Growth needs and does not find.
var errGrowthInput = errors.New("a measurement is missing")

// errNoGas reports a shape that gas was not measured or projected for.
var errNoGas = errors.New("no gas")

// Growth foretells what a machine cannot show: fleets of many workers, simulated from
// the times of proofs that were measured, and what high rates of transfers take. It
// reads the results of prove, pipeline and gas, and of e2e if there is one, in the
// folder. All has one value; Repeats and Warmups of common are ignored.
func Growth(ctx context.Context, common Common, cfg GrowthConfig) (*record.File, error) {
	if cfg.Load <= 0 || cfg.Load >= 1 || len(cfg.Workers) == 0 || slices.Min(cfg.Workers) < 1 {
		return nil, fmt.Errorf("benchmark %s: load %g and workers %v: expected a load between 0 and 1, and workers from 1", GrowthName, cfg.Load, cfg.Workers)
	}
	common.Repeats, common.Warmups = 1, 0
	inputs, read, err := readGrowthInputs(common.Folder, cfg.Shapes)
	if err != nil {
		return nil, err
	}
	var tasks []record.Task
	for _, in := range inputs {
		task := func(name string, run func(*record.Sample) error) {
			tasks = append(tasks, record.Task{
				Name: name + " " + in.shape.Name, Memory: 64 << 20, Repeats: 1, Takes: time.Second,
				Run: func(_ context.Context, s *record.Sample) error { return run(s) },
			})
		}
		task("fleet", func(s *record.Sample) error { return cfg.fleets(s, in) })
		task("rates", func(s *record.Sample) error { return cfg.rates(s, in, common.Machine.Cores) })
	}
	settings := map[string]string{
		"shapes": strings.Join(cfg.Shapes, ","), "workers": fmt.Sprint(cfg.Workers), "rates": fmt.Sprint(cfg.Rates),
		"load": fmt.Sprint(cfg.Load), "settle": cfg.Settle.String(), "seed": strconv.FormatUint(cfg.Seed, 10),
	}
	for _, f := range read {
		settings["from "+f.Benchmark] = f.Started.Format(time.RFC3339)
	}
	return common.run(GrowthName, settings, tasks,
		"A worker is a machine like this one with nothing beside it, whose proofs take the measured times, each as likely as another.",
		"What a job takes besides its proof (claim; reading and storing; talking to the proving process) is the median that the pipeline measured with one worker, whatever the shape. Claims side by side are the bound on the side of more; claims one at a time, as if the whole of their latency were work of the database that nothing overlaps, that on the side of less.",
		"Waits: batches arrive at random (Poisson) at the stated load; settlement takes all that is proven and not behind an unproven batch, at the stated interval.",
		"High rates: proofs in proportion to workers at the stated load; full batches; memory of proving processes alone.",
		"Row writes: five for a transfer (stored, executed, proven, settled, final); for each account of a full batch its row and its history; for a batch five of its own, witness input, proof, two of the lease and one every two seconds of the proof, three of its job, four of its settlement. Indices, vacuum and the log are not counted.",
		"Gas: that of a full batch of transfers on the development chain; a block of 60,000,000 gas every 12 seconds, of which the rollup would take the stated share.",
	).Do(ctx)
}

// readGrowthInputs reads the results that others wrote.
func readGrowthInputs(folder string, shapes []string) ([]growthInputs, []*record.File, error) {
	files := map[string]*record.File{}
	var read []*record.File
	for _, name := range []string{"prove", "pipeline", "gas", "e2e"} {
		f, err := record.Read(record.Path(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == "e2e":
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil, missing(folder, name, "no results")
		case err != nil:
			return nil, nil, err
		}
		files[name], read = f, append(read, f)
	}
	named := len(shapes) > 0
	if !named {
		for _, m := range files["prove"].Measurements {
			if m.Name == "prove" && m.Labels["parallel"] == "1" {
				shapes = append(shapes, m.Labels["shape"])
			}
		}
	}
	var inputs []growthInputs
	for _, name := range shapes {
		in, err := inputsOf(folder, files, name)
		if errors.Is(err, errNoGas) && !named {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		inputs = append(inputs, in)
	}
	if len(inputs) == 0 {
		return nil, nil, missing(folder, "prove", "no single proof of a shape whose gas is in gas.json")
	}
	return inputs, read, nil
}

func missing(folder, benchmark, what string) error {
	return fmt.Errorf("%w: %s in %s: run `settle-bench %s --out %s` first", errGrowthInput, what, record.Path(folder, benchmark), benchmark, folder)
}

func inputsOf(folder string, files map[string]*record.File, name string) (growthInputs, error) {
	shape, err := circuits.ShapeByName(name)
	if err != nil {
		return growthInputs{}, err
	}
	in := growthInputs{shape: shape}
	find := func(benchmark, value string, labels ...string) record.Measurement {
		m, ok := files[benchmark].Find(value, labels...)
		if !ok && err == nil {
			err = missing(folder, benchmark, fmt.Sprintf("no %q of %v", value, labels))
		}
		return m
	}
	of := []string{"shape", name, "parallel", "1"}
	prove, assign, verify := find("prove", "prove", of...), find("prove", "assign", of...), find("prove", "verify", of...)
	in.memory = find("prove", "peak memory", of...).Median
	step := func(name string) float64 {
		return find("pipeline", "job", "workers", "1", "step", name, "quantile", "p50").Median
	}
	in.claim, in.rest = max(0, step("claim")), max(0, step("talk to the proving process"))+max(0, step("read input and store"))
	if err != nil {
		return in, err
	}
	for i, took := range prove.Values {
		in.proofs = append(in.proofs, took+assign.Values[min(i, len(assign.Values)-1)]+verify.Values[min(i, len(verify.Values)-1)])
	}
	if in.gas = gasByRoute(files["gas"], name); len(in.gas) == 0 {
		return in, fmt.Errorf("%w: %w", errNoGas, missing(folder, "gas", "no gas per transfer of shape "+name))
	}
	if e2e := files["e2e"]; e2e != nil {
		for _, m := range e2e.Measurements {
			if role := m.Labels["role"]; m.Name == "processor time per 1,000 transfers" && !strings.HasPrefix(role, "worker") && !strings.HasPrefix(role, "prove") {
				in.roles += m.Median / 1000
			}
		}
	}
	return in, nil
}

// gasByRoute takes the gas of full batches of transfers by route: measured where it is,
// else as the gas benchmark projects it.
func gasByRoute(f *record.File, shape string) []gasOfRoute {
	var routes []gasOfRoute
	for _, name := range []string{"gas per transfer", projected + "gas per transfer"} {
		for _, m := range f.Measurements {
			if m.Name != name || m.Labels["shape"] != shape || m.Labels["load"] != string(loadTransfers) || m.Labels["part"] != "" {
				continue
			}
			route := gasOfRoute{m.Labels["route"], m.Labels["batches"], m.Median, string(m.Source)}
			known := func(r gasOfRoute) bool { return r.route == route.route && r.batches == route.batches }
			if !slices.ContainsFunc(routes, known) {
				routes = append(routes, route)
			}
		}
	}
	return routes
}

// rounds of a fleet are simulated, so that how a run begins and ends tells little.
const (
	rounds      = 60
	leastSample = 3000
)

// fleets simulates every size of fleet.
func (c GrowthConfig) fleets(s *record.Sample, in growthInputs) error {
	add := func(name, unit string, better record.Better, v float64, labels map[string]string) {
		labels["shape"] = in.shape.Name
		s.Add(record.Value{Name: name, Labels: labels, Unit: unit, Better: better, Source: record.Simulated, Value: v})
	}
	for _, n := range c.Workers {
		workers := strconv.Itoa(n)
		fleet := FleetConfig{Workers: n, Proofs: in.proofs, Rest: in.rest, Claim: in.claim, Batches: max(leastSample, rounds*n), Seed: c.Seed}
		for _, claims := range []string{"side by side", "one at a time"} {
			saturated := fleet
			saturated.Single = claims == "one at a time"
			out, err := Simulate(saturated)
			if err != nil {
				return err
			}
			add(ThroughputName, "1/s", record.Higher, out.Rate*float64(in.shape.Transfers), map[string]string{"workers": workers, "claims": claims})
			add(IdleName, "ratio", record.Lower, out.Idle, map[string]string{"workers": workers, "claims": claims})
		}
		loaded := fleet
		loaded.Every, loaded.Settle = in.job()/(float64(n)*c.Load), c.Settle.Seconds()
		out, err := Simulate(loaded)
		if err != nil {
			return err
		}
		for _, q := range quantilesOf(min(len(out.Waits), len(out.Settled))) {
			add(WaitName, "seconds", record.Lower, out.Wait(q.at), map[string]string{"workers": workers, "quantile": q.name})
			add("sealed to settled", "seconds", record.Lower, record.Quantile(out.Settled, q.at), map[string]string{"workers": workers, "quantile": q.name})
		}
	}
	return nil
}

// job is the mean time of a worker for a batch.
func (in growthInputs) job() float64 {
	sum := 0.0
	for _, p := range in.proofs {
		sum += p
	}
	return sum/float64(len(in.proofs)) + in.rest + in.claim
}

// rates extrapolates to rates that no fleet here reaches.
func (c GrowthConfig) rates(s *record.Sample, in growthInputs, coresEach int) error {
	const (
		transferWrites, accountWrites = 5, 2
		batchWrites                   = 5 + 1 + 1 + 2 + 3 + 4 // see the notes of Growth
		heartbeat                     = 2.0                   // seconds
		gasPerSecond                  = gasOfBlock / 12.0
	)
	n := float64(in.shape.Transfers)
	writes := transferWrites + (accountWrites*float64(in.shape.Capacity.Accounts)+batchWrites+in.job()/heartbeat)/n
	for _, rate := range c.Rates {
		add := func(name, unit string, v float64, note string, more ...string) {
			labels := map[string]string{"shape": in.shape.Name, "rate": strconv.FormatFloat(rate, 'f', -1, 64)}
			for i := 0; i+1 < len(more); i += 2 {
				labels[more[i]] = more[i+1]
			}
			s.Add(record.Value{Name: name, Labels: labels, Unit: unit, Better: record.Lower, Source: record.Projected, Note: note, Value: v})
		}
		batches := rate / n
		workers := math.Ceil(batches * in.job() / c.Load)
		load := fmt.Sprintf("at %g of what the workers can do", c.Load)
		add("workers", "machines", workers, load)
		add("cores of workers", "cores", workers*float64(coresEach), load)
		add("memory of workers", "bytes", workers*in.memory, "peak of a proving process, one for each worker")
		if in.roles > 0 {
			add("cores of other roles", "cores", in.roles*rate, "in proportion to the processor time that the end-to-end run measured, idle time of polling included")
		}
		add("batches per second", "1/s", batches, "full batches")
		add("claims of a database", "ratio", batches*in.claim, "share of the time that claims take if each had the database for itself; above 1 they must overlap")
		add("row writes per second", "1/s", writes*rate, "counted from the statements of a transfer's way")
		for _, g := range in.gas {
			labels := []string{"route", g.route, "batches", g.batches}
			note := "gas per transfer is " + g.source
			add("gas per second", "gas/s", g.perTransfer*rate, note, labels...)
			add("share of L1's gas", "ratio", g.perTransfer*rate/gasPerSecond, note+"; above 1 the rate does not fit L1", labels...)
		}
	}
	return nil
}
