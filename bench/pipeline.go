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

// PipelineConfig says what Pipeline measures.
type PipelineConfig struct {
	RigConfig
	Workers []int // numbers of worker processes
	Batches int   // that count, of a repetition
}

// pipelineNote is how the ratio to gnark's prover is made.
const pipelineNote = "Pipeline over raw: the batches of a repetition are proven by workers, and then by groth16.Prove back to back, with their witnesses assigned ahead, " +
	"in a process of its own; other numbers of workers are compared with the median of that. The pipeline's time goes from one stored proof to the last one: reading, assigning, verifying, storing, claiming and sealing are in it. " +
	"Transfers wait in Postgres, and the sequencer seals while workers prove. Every worker proves one batch before the clock starts."

// rawProofs is labelled with the workers whose batches they are of.
const rawProofs = "raw proofs"

// Pipeline measures from transfers waiting in Postgres to stored proofs, with worker
// processes, against gnark's prover on the same witnesses.
func Pipeline(ctx context.Context, c Common, cfg PipelineConfig) (*record.File, error) {
	shape, err := circuits.ShapeByName(cfg.Shape)
	if err != nil {
		return nil, err
	}
	if len(cfg.Workers) == 0 || slices.Min(cfg.Workers) < 1 || cfg.Batches < 1 {
		return nil, fmt.Errorf("%d numbers of workers and %d batches: expected at least one of each, and numbers from 1", len(cfg.Workers), cfg.Batches)
	}
	memory, domain, err := cfg.keys(shape).need()
	if err != nil {
		return nil, err
	}
	settings := cfg.settings(shape)
	settings["batches"], settings["workers"] = strconv.Itoa(cfg.Batches), numbers(cfg.Workers)
	var tasks []record.Task
	for i, n := range cfg.Workers {
		t := &pipelineTask{cfg: cfg, common: c, workers: n, compares: i == 0}
		tasks = append(tasks, record.Task{
			Name: fmt.Sprintf("pipeline %s, workers: %d", cfg.Shape, n), Memory: uint64(n+1)*memory + servingMemory,
			Prepares: 10 * time.Second, Takes: time.Duration(2*cfg.Batches+2*n) * guess(proofTime, domain),
			Repeats: c.Repeats, // each repetition warms its workers up
			Prepare: t.prepare, Run: t.run, Close: t.close,
		})
	}
	return c.run("pipeline", settings, tasks, pipelineNote).Do(ctx)
}

// pipelineTask measures with one number of workers.
type pipelineTask struct {
	cfg      PipelineConfig
	common   Common
	workers  int
	compares bool // proves the same batches by gnark's prover, for all tasks

	rig  *rig
	raw  *rawProcess
	jobs []proofJob // of all repetitions
	runs int
}

// backlog is how many batches the sequencer seals ahead: a worker never waits for one.
func (t *pipelineTask) backlog() int { return t.workers + 2 }

func (t *pipelineTask) prepare(ctx context.Context, s *record.Sample) (err error) {
	t.rig, err = startRig(ctx, t.cfg.RigConfig, map[string]string{
		"SETTLE_MAX_UNPROVEN": strconv.Itoa(t.backlog()), "SETTLE_SEAL_AGE": "1h", "SETTLE_SEAL_IDLE": "0s", // full batches alone
	})
	if err != nil {
		return err
	}
	if err := t.rig.serve("--max-accepted", strconv.Itoa(1<<30)); err != nil {
		return err
	}
	batches := t.common.Repeats*(t.workers+t.cfg.Batches) + t.backlog() + 1
	transfers := batches * t.rig.shape.Transfers
	if most := t.rig.population.pending(); transfers > most {
		return fmt.Errorf("%d full batches are %d transfers, of which at most %d can wait for %d accounts: take fewer batches, or more accounts",
			batches, transfers, most, t.rig.population.Accounts)
	}
	if err := t.submit(transfers); err != nil {
		return err
	}
	if _, err := t.rig.role(nil, "sequencer"); err != nil {
		return err
	}
	if !t.compares {
		return nil
	}
	t.raw, err = t.rig.startRaw()
	return err
}

// submit puts transfers into Postgres.
func (t *pipelineTask) submit(n int) error {
	signer, err := t.rig.population.signer(t.rig.chainID, t.rig.rollup)
	if err != nil {
		return err
	}
	for n > 0 {
		txs, _, err := signer.sign(min(n, settle.MaxSubmitItems))
		if err != nil {
			return err
		}
		results, err := t.rig.client.SubmitAll(t.rig.ctx, txs)
		if err != nil {
			return err
		}
		if results.Accepted != len(txs) {
			return fmt.Errorf("%d of %d transfers were accepted: %+v", results.Accepted, len(txs), results.Results[0])
		}
		n -= len(txs)
	}
	return nil
}

func (t *pipelineTask) close() error {
	if t.rig == nil {
		return nil
	}
	return t.rig.close()
}

func (t *pipelineTask) run(ctx context.Context, s *record.Sample) error {
	f, err := t.rig.startFleet(t.workers)
	if err != nil {
		return err
	}
	jobs, cores, err := f.measure(t.cfg.Batches)
	if err := errors.Join(err, f.stop()); err != nil {
		return err
	}
	var batches []settle.BatchNumber
	transfers := 0
	for _, j := range jobs[1:] {
		batches = append(batches, j.batch)
		b, err := t.rig.store.Batch(ctx, j.batch)
		if err != nil {
			return err
		}
		transfers += b.Transactions
	}
	t.runs++
	t.jobs = append(t.jobs, jobs[1:]...)
	took := jobs[len(jobs)-1].stored.Sub(jobs[0].stored)
	labels := []string{"workers", strconv.Itoa(t.workers)}
	s.Rate("transfers proven", float64(transfers)/took.Seconds(), labels...)
	s.Rate("proofs", float64(len(batches))/took.Seconds(), labels...)
	raw, err := t.rawRate(ctx, s, batches)
	if err != nil {
		return err
	}
	s.Ratio("pipeline over raw", float64(len(batches))/took.Seconds()/raw, labels...)
	s.Seconds("processor time of a proof", cores/time.Duration(len(batches)), append(labels, "of", "pipeline")...)
	s.Add(record.Value{Name: "transfers per batch", Labels: labelled(labels), Unit: "transfers", Better: record.Higher, Source: record.Measured, Value: float64(transfers) / float64(len(batches))})
	if t.runs == t.common.Repeats {
		t.percentiles(s, labels)
	}
	return nil
}

// rawRate is how many proofs per second groth16.Prove makes of the batches; the task that
// does not ask takes the median of the one that did.
func (t *pipelineTask) rawRate(ctx context.Context, s *record.Sample, batches []settle.BatchNumber) (float64, error) {
	if !t.compares {
		m, ok := s.File.Find(rawProofs, "workers", strconv.Itoa(t.cfg.Workers[0]))
		if !ok {
			return 0, fmt.Errorf("no measurement of %s", rawProofs)
		}
		return m.Median, nil
	}
	if t.runs == 1 { // what gnark does in its first proof is not for this
		if _, err := t.raw.prove(ctx, batches[:1]); err != nil {
			return 0, err
		}
	}
	took, err := t.raw.prove(ctx, batches)
	if err != nil {
		return 0, err
	}
	rate := float64(len(batches)) / took.Clock.Seconds()
	s.Rate(rawProofs, rate, "workers", strconv.Itoa(t.workers))
	s.Seconds("processor time of a proof", took.Cores/time.Duration(len(batches)), "of", "raw", "workers", strconv.Itoa(t.workers))
	return rate, nil
}

// measure lets every worker prove a batch, and then returns the last proof of these and
// the n that follow, with the processor time that workers took for the n.
func (f *fleet) measure(n int) ([]proofJob, time.Duration, error) {
	warm, seen := proofJob{}, map[int]bool{}
	for len(seen) < len(f.workers) {
		jobs, err := f.next(1)
		if err != nil {
			return nil, 0, err
		}
		warm, seen[jobs[0].worker] = jobs[0], true
	}
	before, err := f.cores()
	if err != nil {
		return nil, 0, err
	}
	jobs, err := f.next(n)
	if err != nil {
		return nil, 0, err
	}
	after, err := f.cores()
	return append([]proofJob{warm}, jobs...), after - before, err
}

// percentiles of where the time of a job goes, over all repetitions.
func (t *pipelineTask) percentiles(s *record.Sample, labels []string) {
	for _, step := range []struct {
		name string
		of   func(proofJob) float64
	}{
		{"claim", func(j proofJob) float64 { return j.claim }},
		{"talk to the proving process", func(j proofJob) float64 { return j.keys }},
		{"assign", func(j proofJob) float64 { return j.assign }},
		{"solve", func(j proofJob) float64 { return j.solve }},
		{"prove", func(j proofJob) float64 { return j.prove - j.solve }},
		{"verify", func(j proofJob) float64 { return j.verify }},
		{"read input and store", proofJob.rest},
		{"all but solve and prove", func(j proofJob) float64 { return j.claim + j.keys + j.assign + j.verify + j.rest() }},
	} {
		values := make([]float64, len(t.jobs))
		for i, j := range t.jobs {
			values[i] = step.of(j)
		}
		addQuantiles(s, "job", values, append(labels, "step", step.name)...)
	}
}

// quantile is one that is recorded; fewer values than least say nothing of it.
type quantile struct {
	name  string
	at    float64
	least int
}

// quantilesOf are the median, the 90th and the 99th percentile, where n values tell them.
func quantilesOf(n int) []quantile {
	return slices.DeleteFunc([]quantile{{"p50", 0.5, 1}, {"p90", 0.9, 10}, {"p99", 0.99, 100}}, func(q quantile) bool { return n < q.least })
}

// addQuantiles records the quantiles of seconds that so many values tell.
func addQuantiles(s *record.Sample, name string, seconds []float64, labels ...string) {
	sorted := slices.Sorted(slices.Values(seconds))
	for _, q := range quantilesOf(len(sorted)) {
		value := record.Quantile(sorted, q.at)
		s.Seconds(name, time.Duration(value*float64(time.Second)), slices.Concat(labels, []string{"quantile", q.name})...)
	}
}
