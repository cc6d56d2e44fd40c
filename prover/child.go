package prover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// ErrTimeLimit is the cause of a proof that was stopped at its time limit.
var ErrTimeLimit = errors.New("the time limit of a proof has passed")

// ChildConfig joins a Child.
type ChildConfig struct {
	Circuit string
	// Command makes the process that runs Serve on its standard input and output.
	Command func() (*exec.Cmd, error)
	// TimeLimit bounds one proof, with the start of the process and the loading of
	// keys if it comes to that; 0: no bound.
	TimeLimit time.Duration
	Stderr    io.Writer    // what the process says on standard error goes here too; nil discards
	Log       *slog.Logger // nil discards
}

// Child proves in a process of its own that it supervises: gnark takes no context,
// and memory that runs out kills the process that asked for it. The process loads
// keys once and proves many batches, one at a time. It is started when it is first
// needed and again after it ended; it ends when this process does, as the pipe to
// it then ends. Safe for concurrent use; callers queue.
//
// What is wrong with a process that ends by itself:
//
//	SIGKILL, or Go's runtime says that memory ran out   resource
//	the time limit passed, and it was killed            resource, ErrTimeLimit
//	any other end: panic, exit, signal                  bug, with its last words
type Child struct {
	cfg  ChildConfig
	slot chan struct{}

	mu      sync.Mutex
	process *process // nil: none is running
	loaded  []string // shapes whose keys it may hold
}

// NewChild returns a Child. It starts nothing.
func NewChild(cfg ChildConfig) *Child {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Stderr == nil {
		cfg.Stderr = io.Discard
	}
	return &Child{cfg: cfg, slot: make(chan struct{}, 1)}
}

// Circuit names the circuit that the process proves.
func (c *Child) Circuit() string { return c.cfg.Circuit }

// Load has the process load the keys of a shape. Its failure is an *Error.
func (c *Child) Load(ctx context.Context, shape string) error {
	_, err := c.call(ctx, frameLoad, order{Shape: shape})
	return err
}

// Prove makes a verified proof of the batch. Every failure is an *Error. When ctx
// ends the process is killed at once.
func (c *Child) Prove(ctx context.Context, shape string, trace *state.Trace) (Result, error) {
	blob, err := state.EncodeTrace(trace)
	if err != nil {
		return Result{}, fail(ClassBug, "message", err)
	}
	return c.proof(ctx, frameProve, order{Shape: shape, Trace: blob})
}

// Fold makes a verified proof, in the aggregate circuit, that the proofs of
// consecutive batches hold. All else as of Prove.
func (c *Child) Fold(ctx context.Context, shape string, proofs []settle.ProofEnvelope) (Result, error) {
	return c.proof(ctx, frameFold, order{Shape: shape, Proofs: proofs})
}

func (c *Child) proof(ctx context.Context, kind frameKind, o order) (Result, error) {
	start := time.Now()
	result, err := c.call(ctx, kind, o)
	if err != nil {
		return Result{}, err
	}
	if result == nil {
		return Result{}, fail(ClassBug, "message", fmt.Errorf("%w: an answer without a proof", errWire))
	}
	// What is not in the child's own steps was spent on starting it.
	t := &result.Timings
	t.Keys = max(t.Keys, time.Since(start)-t.Assign-t.Prove-t.Verify)
	return *result, nil
}

// Close ends the process. A proof in progress fails.
func (c *Child) Close() {
	c.mu.Lock()
	p := c.process
	c.mu.Unlock()
	if p != nil {
		p.kill()
	}
}

// Resident returns what the process takes of the machine's memory, in bytes, and
// the shapes whose keys it may hold; 0 without a process or where the system does
// not tell.
func (c *Child) Resident() (uint64, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil || c.process.hasEnded() {
		return 0, nil
	}
	return residentMemory(c.process.cmd.Process.Pid), slices.Clone(c.loaded)
}

// call carries out one order.
func (c *Child) call(ctx context.Context, kind frameKind, o order) (*Result, error) {
	step := "prove"
	if kind == frameLoad {
		step = "keys"
	}
	select {
	case c.slot <- struct{}{}:
	case <-ctx.Done():
		return nil, fail(ClassInfrastructure, "queue", context.Cause(ctx))
	}
	defer func() { <-c.slot }()
	work, cancel := ctx, func() {}
	if c.cfg.TimeLimit > 0 {
		work, cancel = context.WithTimeoutCause(ctx, c.cfg.TimeLimit, ErrTimeLimit)
	}
	defer cancel()

	p, err := c.running(work)
	if err != nil {
		return nil, c.interrupted(ctx, work, "start", err)
	}
	c.mu.Lock()
	if !slices.Contains(c.loaded, o.Shape) {
		c.loaded = append(c.loaded, o.Shape)
	}
	c.mu.Unlock()
	var answer done
	if err := p.exchange(work, kind, o, &answer); err != nil {
		return nil, c.interrupted(ctx, work, step, err)
	}
	if f := answer.Failure; f != nil {
		if f.Class == ClassBug {
			p.kill() // who knows what a panic left behind
		}
		return nil, fail(f.Class, f.Step, errors.New(f.Detail))
	}
	return answer.Result, nil
}

// interrupted classifies an order that was not answered. The process is gone.
func (c *Child) interrupted(ctx, work context.Context, step string, err error) *Error {
	switch {
	case ctx.Err() != nil:
		return fail(ClassInfrastructure, step, fmt.Errorf("interrupted: %w", context.Cause(ctx)))
	case work.Err() != nil:
		return fail(ClassResource, step, fmt.Errorf("%w: not done within %v", ErrTimeLimit, c.cfg.TimeLimit))
	}
	var failed *Error
	if errors.As(err, &failed) {
		return failed
	}
	return fail(ClassInfrastructure, step, err)
}

// running returns the process, started if need be.
func (c *Child) running(ctx context.Context) (*process, error) {
	c.mu.Lock()
	p := c.process
	c.mu.Unlock()
	if p != nil {
		if !p.hasEnded() {
			return p, nil
		}
		c.cfg.Log.WarnContext(ctx, "the proving process has ended; another one is started", "process", p.cmd.Process.Pid, "state", p.cmd.ProcessState.String())
	}
	cmd, err := c.cfg.Command()
	if err != nil {
		return nil, fmt.Errorf("proving process: %w", err)
	}
	p, err = startProcess(cmd, c.cfg.Stderr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.process, c.loaded = p, nil
	c.mu.Unlock()
	var hello ready
	if err := p.receive(ctx, frameReady, &hello); err != nil {
		return nil, err
	}
	if hello.Circuit != c.cfg.Circuit {
		p.kill()
		return nil, fail(ClassBug, "start", fmt.Errorf("the proving process proves circuit %q, expected %q", hello.Circuit, c.cfg.Circuit))
	}
	c.cfg.Log.InfoContext(ctx, "proving process started", "process", cmd.Process.Pid)
	return p, nil
}
