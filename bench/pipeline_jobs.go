package bench

import (
	"context"
	"time"

	"github.com/zksettle/settle"
)

// proofJob is a proof as its worker's log tells of it. Durations are seconds.
type proofJob struct {
	worker                       int
	batch                        settle.BatchNumber
	begun, stored                time.Time // lease taken, proof committed
	claim                        float64   // since the worker stored the proof before, or -1 for its first
	keys                         float64   // waiting for keys, and what talking to the proving process takes
	assign, solve, prove, verify float64   // prove includes solve
}

// rest is what the job took beside all this: reading and checking its witness input,
// and storing the proof.
func (j proofJob) rest() float64 {
	return j.stored.Sub(j.begun).Seconds() - j.keys - j.assign - j.prove - j.verify
}

// fleet is worker processes and what they prove.
type fleet struct {
	rig     *rig
	workers []*process
	events  chan proofJob
}

// startFleet starts n workers.
func (r *rig) startFleet(n int) (*fleet, error) {
	f := &fleet{rig: r, events: make(chan proofJob, 1024)}
	for i := range n {
		var last proofJob
		p, err := r.role(func(l logLine) {
			switch l.Msg {
			case "proof begun":
				job := proofJob{worker: i, batch: settle.BatchNumber(l.number("batch")), begun: l.Time, claim: -1}
				if !last.stored.IsZero() {
					job.claim = l.Time.Sub(last.stored).Seconds()
				}
				last = job
			case "proof stored":
				last.stored, last.keys, last.assign = l.Time, l.number("keys_seconds"), l.number("assign_seconds")
				last.solve, last.prove, last.verify = l.number("solve_seconds"), l.number("prove_seconds"), l.number("verify_seconds")
				f.events <- last
			}
		}, "worker", "--stop-grace", "1ms")
		if err != nil {
			return f, err
		}
		f.workers = append(f.workers, p)
	}
	return f, nil
}

// next waits for n proofs.
func (f *fleet) next(n int) ([]proofJob, error) {
	var jobs []proofJob
	for range n {
		select {
		case job := <-f.events:
			jobs = append(jobs, job)
		case <-f.rig.ctx.Done():
			return nil, context.Cause(f.rig.ctx)
		}
	}
	return jobs, nil
}

// cores is the processor time that the workers took so far, with their proving processes.
func (f *fleet) cores() (time.Duration, error) {
	times, err := readCPUTimes()
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, p := range f.workers {
		sum += times.tree(p.cmd.Process.Pid)
	}
	return sum, nil
}

// forget drops the proofs that nobody waits for.
func (f *fleet) forget() {
	for {
		select {
		case <-f.events:
		default:
			return
		}
	}
}

func (f *fleet) stop() error { return f.rig.stop(f.workers...) }
