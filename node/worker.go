package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// Loops of a worker that steps are told of, beside the roles of store.Role.
const (
	stepWorker store.Role = "worker"
	stepReaper store.Role = "reaper"
)

// WorkerConfig bounds what a worker's proofs take.
type WorkerConfig struct {
	Memory       uint64        // bytes that it may take; 0: all that the machine and its control group have
	KeysBudget   int64         // bytes of proving keys held in memory; 0: what the memory leaves
	ProveTimeout time.Duration // for one proof, the loading of keys included; then the proving process is killed
	StopGrace    time.Duration // how long a proof under way may go on when the worker is asked to stop

	Child  ChildCommand
	Stderr io.Writer // of the proving process
}

// Check refuses times that make no sense.
func (c WorkerConfig) Check() error {
	if c.ProveTimeout <= 0 || c.StopGrace < 0 {
		return fmt.Errorf("--prove-timeout %s, --stop-grace %s: expected a time above 0, and one that is not below", c.ProveTimeout, c.StopGrace)
	}
	return nil
}

// jobMargin is what a job takes beside its proof.
const jobMargin = 5 * time.Minute

func (c WorkerConfig) policy() jobs.Policy {
	return jobs.Policy{JobTimeout: c.ProveTimeout + jobMargin, StopGrace: max(c.StopGrace, time.Millisecond)}
}

// Worker proves until ctx ends, and then lets a proof under way finish for a while.
func (n *Node) Worker(ctx context.Context, cfg WorkerConfig) error {
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return err
	}
	usable, err := n.Keys.Usable(rollup)
	if err != nil {
		return err
	}
	metrics, err := jobs.NewMetrics(n.Ops.Registry)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	stands := n.Ops.role(string(stepWorker))
	p, err := n.newProvers(cfg, usable)
	if err != nil {
		return err
	}
	defer p.child.Close()
	if err := p.preload(ctx, rollup); err != nil {
		return err
	}
	step, reap := newLastStep(stepWorker), newLastStep(stepReaper)
	if err := n.Ops.register(step, reap); err != nil {
		return err
	}
	log := n.Log.With("role", string(stepWorker))
	stands(nil)
	log.Info("the worker takes jobs")
	return jobs.RunWorker(ctx, jobs.Config{
		Store: n.DB.Store, Logger: log, Metrics: metrics, Holder: leader.Holder(), Policy: cfg.policy(),
		Prover: p.child, Verifier: p.verifier, Folder: p.child, Keys: p.keys, Memory: p.admission.Limit, Admit: p.admission.Admit,
		WorkerStep: step.mark, ReaperStep: reap.mark,
	})
}

// provers is what a worker proves with.
type provers struct {
	child     *prover.Child
	verifier  *verifier.Verifier // of all keys, as this process reads them: the child is not believed
	admission *prover.Admission
	keys      map[string]settle.KeyHash // of the shapes that fit the worker
}

// newProvers plans the memory of a worker. A shape that can never fit is left to larger
// workers; it is an error if that is all of them.
func (n *Node) newProvers(cfg WorkerConfig, usable map[string]*provingkeys.Manifest) (*provers, error) {
	if len(usable) == 0 {
		return nil, errors.New("the rollup has no verifiers, so there is nothing to prove for")
	}
	machine := prover.Machine{}
	limit, err := n.memory(cfg.Memory, machine)
	if err != nil {
		return nil, err
	}
	p := &provers{
		admission: &prover.Admission{Limit: limit, Needs: map[string]uint64{}, Keys: map[string]uint64{}, Free: machine.Available},
		keys:      map[string]settle.KeyHash{},
	}
	var refused []error
	for shape, manifest := range usable {
		p.keys[shape] = manifest.KeyHash
		p.admission.Needs[shape], p.admission.Keys[shape] = prover.Need(manifest), uint64(manifest.MemoryBytes())
	}
	for shape, need := range p.admission.Needs {
		if need > limit {
			short := &prover.MemoryShortError{Shape: shape, Need: need, Limit: limit}
			refused = append(refused, short)
			n.Log.Error("this worker is too small for a shape and leaves it to others", "shape", shape, "reason", short)
		}
	}
	if len(refused) == len(p.keys) {
		return nil, fmt.Errorf("this worker could prove nothing: %w: run it where there is more memory, or raise --memory", errors.Join(refused...))
	}
	budget := cfg.KeysBudget
	if budget == 0 {
		budget = int64(min(p.admission.KeysBudget(), 1<<62))
	}
	if p.verifier, err = n.Keys.openVerifier(usable); err != nil {
		return nil, err
	}
	p.child = prover.NewChild(prover.ChildConfig{
		Circuit: settle.CircuitTransition, TimeLimit: cfg.ProveTimeout, Stderr: cfg.Stderr, Log: n.Log,
		Command: cfg.Child.Proving(n.Keys, budget),
	})
	p.admission.Child = p.child.Resident
	return p, nil
}

// memory is what the worker may take, in bytes; wanted 0 is all there is.
func (n *Node) memory(wanted uint64, machine prover.Machine) (uint64, error) {
	total, err := machine.Total()
	switch {
	case errors.Is(err, prover.ErrMemoryUnknown):
		if wanted == 0 {
			wanted = 1 << 60
			n.Log.Warn("the system does not tell its memory: set --memory, or jobs are claimed that may not fit", "reason", err)
		}
	case err != nil:
		return 0, err
	case wanted == 0:
		wanted = total
	case wanted > total:
		n.Log.Warn("the worker's memory is more than there is", "memory", wanted, "total", total)
	}
	return wanted, nil
}

// openVerifier reads the verifying keys of shapes, whose hashes are those of the
// deployed verifiers.
func (k Keys) openVerifier(usable map[string]*provingkeys.Manifest) (*verifier.Verifier, error) {
	keys := make([]*verifier.Key, 0, len(usable))
	for shape, manifest := range usable {
		vk, read, err := provingkeys.OpenVerifyingKey(k.Dir, manifest.ID(), k.Options())
		if err != nil {
			return nil, err
		}
		key, err := verifier.NewKey(read.Circuit, read.Shape, vk)
		if err != nil {
			return nil, fmt.Errorf("verifying key of shape %s: %w", shape, err)
		}
		if key.Hash != manifest.KeyHash {
			return nil, fmt.Errorf("the verifying key of shape %s in %s has hash %s, its manifest says %s", shape, k.Dir, key.Hash, manifest.KeyHash)
		}
		keys = append(keys, key)
	}
	return verifier.New(keys...), nil
}

// preload loads the keys of a shape that fits before the first job is claimed, so that a
// worker without usable keys claims none.
func (p *provers) preload(ctx context.Context, rollup store.Rollup) error {
	for _, v := range rollup.Verifiers {
		need, known := p.admission.Needs[v.Shape]
		if v.Circuit == settle.CircuitTransition && known && need <= p.admission.Limit {
			return p.child.Load(ctx, v.Shape)
		}
	}
	return nil
}

// ParentGone ends ctx when standard input reaches its end.
func ParentGone(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		buffer := make([]byte, 64)
		for {
			if _, err := os.Stdin.Read(buffer); err != nil {
				return
			}
		}
	}()
	return ctx
}
