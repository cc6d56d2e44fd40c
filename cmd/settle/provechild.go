package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consensys/gnark/backend/groth16"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// proveChildCmd is the process in which a worker proves: it talks to the worker over
// standard input and output, and ends when its standard input does.
type proveChildCmd struct {
	keysFlags
	KeysBudget int64 `help:"Most bytes of proving keys held in memory; 0 for no bound."`
}

// Run serves the worker until it is gone. Signals that ask to stop are the worker's
// to obey: they come to the whole group, and a stopping worker finishes its proof.
func (c proveChildCmd) Run(a *app) error {
	// If memory runs out the system should take this process and not its worker.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0) // best effort, Linux alone
	out := os.Stdout
	os.Stdout = os.Stderr // nothing but messages goes to the worker
	cache := provingkeys.NewCache(provingkeys.CacheConfig{
		Dir: c.KeysDir, Budget: c.KeysBudget, Fingerprint: provingkeys.Committed, Options: c.options(a),
	})
	folder := aggregator.NewFolder(func(shape string) (groth16.VerifyingKey, settle.KeyHash, error) {
		return provingkeys.InnerKey(c.KeysDir, shape, provingkeys.Committed, c.options(a))
	})
	return prover.Serve(context.WithoutCancel(a.ctx), os.Stdin, out, prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Keys: cache, Assign: prover.AssignTransition, Fold: folder.Assign, Log: a.log,
	}))
}

// provingFlags bound what a worker's proofs take.
type provingFlags struct {
	Memory       memorySize    `help:"Most memory that a worker may take, for example 12GiB; empty for all that the machine and its control group have. A job for which memory ran out goes to a worker with more." env:"SETTLE_WORKER_MEMORY"`
	KeysBudget   int64         `help:"Most bytes of proving keys held in memory; 0 for what the memory leaves." default:"0" env:"SETTLE_KEYS_BUDGET"`
	ProveTimeout time.Duration `help:"Most time for one proof, the loading of keys included; then the proving process is killed." default:"30m" env:"SETTLE_PROVE_TIMEOUT"`
	StopGrace    time.Duration `help:"How long a proof under way may go on when the worker is asked to stop; then its job is handed back." default:"20s" env:"SETTLE_STOP_GRACE"`
}

// args says the flags to another process.
func (f provingFlags) args() []string {
	args := []string{"--keys-budget", strconv.FormatInt(f.KeysBudget, 10), "--prove-timeout", f.ProveTimeout.String(), "--stop-grace", f.StopGrace.String()}
	if f.Memory > 0 {
		args = append(args, "--memory", strconv.FormatUint(uint64(f.Memory), 10))
	}
	return args
}

// check refuses times that make no sense.
func (f provingFlags) check() error {
	if f.ProveTimeout <= 0 || f.StopGrace < 0 {
		return fmt.Errorf("--prove-timeout %s, --stop-grace %s: expected a time above 0, and one that is not below", f.ProveTimeout, f.StopGrace)
	}
	return nil
}

// memorySize is a number of bytes, written with a unit if one likes.
type memorySize uint64

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *memorySize) UnmarshalText(text []byte) error {
	number, unit := string(text), uint64(1)
	if number == "" {
		*m = 0
		return nil
	}
	for suffix, size := range map[string]uint64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, size
		}
	}
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
	if err != nil || n == 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no amount of memory: write bytes, or a whole number with KiB, MiB, GiB or TiB", text)
	}
	*m = memorySize(n * unit)
	return nil
}

// provers is what a worker proves with.
type provers struct {
	child     *prover.Child
	verifier  *verifier.Verifier // of all keys, as this process reads them: the child is not believed
	admission *prover.Admission
	keys      map[string]settle.KeyHash // of the shapes that fit the worker
}

// newProvers plans the memory of a worker. A shape that can never fit is left to
// larger workers; it is an error if that is all of them.
func (a *app) newProvers(keys keysFlags, flags provingFlags, usable map[string]*provingkeys.Manifest) (*provers, error) {
	limit := uint64(flags.Memory)
	machine := prover.Machine{}
	total, err := machine.Total()
	switch {
	case errors.Is(err, prover.ErrMemoryUnknown):
		if limit == 0 {
			limit = 1 << 60
			a.log.Warn("the system does not tell its memory: set --memory, or jobs are claimed that may not fit", "reason", err)
		}
	case err != nil:
		return nil, err
	case limit == 0:
		limit = total
	case limit > total:
		a.log.Warn("the worker's memory is more than there is", "memory", limit, "total", total)
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
			a.log.Error("this worker is too small for a shape and leaves it to others", "shape", shape, "reason", short)
		}
	}
	if len(p.keys) == 0 {
		return nil, errors.New("the rollup has no verifiers, so there is nothing to prove for")
	}
	if len(refused) == len(p.keys) {
		return nil, fmt.Errorf("this worker could prove nothing: %w: run it where there is more memory, or raise --memory", errors.Join(refused...))
	}
	budget := flags.KeysBudget
	if budget == 0 {
		budget = int64(min(p.admission.KeysBudget(), 1<<62))
	}
	if p.verifier, err = openVerifier(keys.KeysDir, usable, keys.options(a)); err != nil {
		return nil, err
	}
	p.child = prover.NewChild(prover.ChildConfig{
		Circuit: settle.CircuitTransition, TimeLimit: flags.ProveTimeout, Stderr: a.stderr, Log: a.log,
		Command: func() (*exec.Cmd, error) { return a.proveChild(keys, budget) },
	})
	p.admission.Child = p.child.Resident
	return p, nil
}

// openVerifier reads the verifying keys of shapes, whose hashes are those of the
// deployed verifiers.
func openVerifier(dir string, usable map[string]*provingkeys.Manifest, options provingkeys.Options) (*verifier.Verifier, error) {
	keys := make([]*verifier.Key, 0, len(usable))
	for shape, manifest := range usable {
		vk, read, err := provingkeys.OpenVerifyingKey(dir, manifest.ID(), options)
		if err != nil {
			return nil, err
		}
		key, err := verifier.NewKey(read.Circuit, read.Shape, vk)
		if err != nil {
			return nil, fmt.Errorf("verifying key of shape %s: %w", shape, err)
		}
		if key.Hash != manifest.KeyHash {
			return nil, fmt.Errorf("the verifying key of shape %s in %s has hash %s, its manifest says %s", shape, dir, key.Hash, manifest.KeyHash)
		}
		keys = append(keys, key)
	}
	return verifier.New(keys...), nil
}

// proveChild is the command of the proving process. It gets no secrets.
func (a *app) proveChild(keys keysFlags, budget int64) (*exec.Cmd, error) {
	// The path of a binary that was replaced leads nowhere; this link does not.
	exe := "/proc/self/exe"
	if _, err := os.Stat(exe); err != nil {
		if exe, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find this binary, to start a proving process: %w", err)
		}
	}
	args := []string{"--log-level", a.logLevel, "--log-format", a.logFormat, "prove-child", "--keys-dir", keys.KeysDir, "--keys-budget", strconv.FormatInt(budget, 10)}
	if keys.UnsafeDev {
		args = append(args, "--unsafe-dev")
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == envDatabase || name == envL1 || name == envL1Key
	})
	return cmd, nil
}

// preload loads the keys of a shape that fits before the first job is claimed, so
// that a worker without usable keys claims none.
func (p *provers) preload(ctx context.Context, rollup store.Rollup) error {
	for _, v := range rollup.Verifiers {
		need, known := p.admission.Needs[v.Shape]
		if v.Circuit == settle.CircuitTransition && known && need <= p.admission.Limit {
			return p.child.Load(ctx, v.Shape)
		}
	}
	return nil
}

// policy is the time that a job may take: a little more than its proof.
func (f provingFlags) policy() jobs.Policy {
	return jobs.Policy{JobTimeout: f.ProveTimeout + 5*time.Minute, StopGrace: max(f.StopGrace, time.Millisecond)}
}
