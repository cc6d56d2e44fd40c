package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/consensys/gnark/backend/groth16"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
)

// compile measures compiling, and counts what came of it.
func (p *proveShape) compile() record.Task {
	t := p.task("compile")
	t.Warmups, t.Takes = 0, guess(compileTime, p.domain)
	t.Run = func(_ context.Context, s *record.Sample) error {
		begun := time.Now()
		system, err := p.keys.compile()
		if err != nil {
			return err
		}
		s.Seconds("compile", time.Since(begun), p.label()...)
		stats := cost.StatsOf(p.shape, system)
		s.Count("transfers", "transfers", record.Higher, float64(stats.Transfers), p.label()...)
		s.Count("constraints", "constraints", record.Lower, float64(stats.Constraints), p.label()...)
		s.Count("constraints per transfer", "constraints", record.Lower, float64(stats.ConstraintsPerTransfer), p.label()...)
		s.Count("domain", "elements", record.Neither, float64(stats.Domain), p.label()...)
		s.Count("committed wires", "wires", record.Lower, float64(stats.CommittedWires), p.label()...)
		s.Count("wires in A", "wires", record.Lower, float64(stats.WiresA), p.label()...)
		s.Count("wires in B", "wires", record.Lower, float64(stats.WiresB), p.label()...)
		s.Count("wires", "wires", record.Lower, float64(system.GetNbInternalVariables()+system.GetNbSecretVariables()+system.GetNbPublicVariables()), p.label()...)
		return nil
	}
	return t
}

// setup measures groth16.Setup once, and drops its keys.
func (p *proveShape) setup() record.Task {
	t := p.task("setup")
	t.Warmups, t.Repeats, t.Takes, t.Memory = 0, 1, guess(setupTime, p.domain), setupBytes*p.domain
	t.Run = func(_ context.Context, s *record.Sample) error {
		system, err := p.keys.compile()
		if err != nil {
			return err
		}
		begun := time.Now()
		if _, _, err := groth16.Setup(system); err != nil {
			return fmt.Errorf("set up %s: %w", p.shape.Name, err)
		}
		s.Seconds("setup", time.Since(begun), p.label()...)
		return nil
	}
	return t
}

// load measures the loading of keys, hashes checked, from what the system has cached.
func (p *proveShape) load() record.Task {
	t := p.task("load keys")
	t.Prepares, t.Takes = p.setupGuess(), guess(loadTime, p.domain)
	t.Prepare = func(ctx context.Context, s *record.Sample) error {
		if err := p.keys.setup(ctx); err != nil {
			return err
		}
		m, _, err := p.keys.manifest()
		if err != nil {
			return err
		}
		s.Count("proving key", "bytes", record.Lower, float64(m.ProvingKey.Bytes), p.label()...)
		s.Count("constraint system", "bytes", record.Lower, float64(m.System.Bytes), p.label()...)
		return nil
	}
	t.Run = func(ctx context.Context, s *record.Sample) error {
		var keys *provingkeys.Keys
		keys, err := p.keys.open(ctx)
		if err != nil {
			return err
		}
		s.Seconds("key load", keys.LoadTime, p.label()...)
		return nil
	}
	return t
}

// setupGuess is the time that the keys' setup will take, none if they are there.
func (p *proveShape) setupGuess() time.Duration {
	if _, there, err := p.keys.manifest(); err == nil && there {
		return 0
	}
	return guess(setupTime, p.domain)
}

// sideBySide measures n proofs at once, each in a process of its own as a worker has
// one: the steps of a proof as means of the n, the memory as their sum.
func (p *proveShape) sideBySide(n int) record.Task {
	t := p.task("prove")
	t.Name += fmt.Sprintf(" %d side by side", n)
	t.Memory, t.Takes, t.Prepares = uint64(n)*p.memory, time.Duration(n)*t.Takes, p.setupGuess()
	var traces []*state.Trace
	children := make([]*prover.Child, n)
	t.Prepare = func(ctx context.Context, _ *record.Sample) error {
		var err error
		if traces, err = p.traces(); err != nil {
			return err
		}
		if err := p.keys.setup(ctx); err != nil {
			return err
		}
		for i := range children {
			children[i] = prover.NewChild(prover.ChildConfig{Circuit: settle.CircuitTransition, Command: p.cfg.Child, Log: p.cfg.Log})
			if err := children[i].Load(ctx, p.shape.Name); err != nil {
				return err
			}
		}
		return nil
	}
	next := 0
	t.Run = func(ctx context.Context, s *record.Sample) error {
		results := make([]prover.Result, n)
		before, err := childrenTime()
		if err != nil {
			return err
		}
		begun := time.Now()
		err = together(n, func(i int) (err error) {
			results[i], err = children[i].Prove(ctx, p.shape.Name, traces[(next+i)%len(traces)])
			return err
		})
		if err != nil {
			return err
		}
		took := time.Since(begun)
		after, err := childrenTime()
		if err != nil {
			return err
		}
		next += n
		p.sampleProofs(s, results, spent{took, after - before})
		return nil
	}
	t.Close = func() error {
		for _, child := range children {
			if child != nil {
				child.Close()
			}
		}
		return release()
	}
	return t
}

func (p *proveShape) sampleProofs(s *record.Sample, results []prover.Result, took spent) {
	n := len(results)
	labels := p.label("parallel", strconv.Itoa(n))
	var sum prover.Timings
	var peak uint64
	for _, r := range results {
		sum.Assign += r.Timings.Assign
		sum.Solve += r.Timings.Solve
		sum.Prove += r.Timings.Prove
		sum.Verify += r.Timings.Verify
		peak += r.PeakMemory
	}
	each := func(d time.Duration) time.Duration { return d / time.Duration(n) }
	s.Seconds("assign", each(sum.Assign), labels...)
	s.Seconds("solve", each(sum.Solve), labels...) // part of prove
	s.Seconds("prove", each(sum.Prove), labels...)
	s.Seconds("verify", each(sum.Verify), labels...)
	s.Seconds("proofs done", took.clock, labels...) // from the batch in the worker to the proof in the worker, of all n
	s.Seconds("proofs done, processor time", took.cores, labels...)
	s.Bytes("peak memory", peak, labels...)
	rate := float64(n) * p.rate(took.clock)
	s.Rate("transfers per second", rate, labels...)
	s.Rate("transfers per second and core", rate/float64(runtime.GOMAXPROCS(0)), labels...)
	s.Rate("transfers per core-second", float64(n)*p.rate(took.cores), labels...) // of what the proofs used, however busy the machine is
}

// together runs f for 0 to n-1 at once and joins their errors.
func together(n int, f func(i int) error) error {
	failures := make(chan error, n)
	for i := range n {
		go func() { failures <- f(i) }()
	}
	var err error
	for range n {
		err = errors.Join(err, <-failures)
	}
	return err
}
