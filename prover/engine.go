package prover

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/verifier"
)

// KeySource gives loaded keys and a function that ends their use
// (provingkeys.Cache).
type KeySource interface {
	Acquire(ctx context.Context, circuit, shape string) (*provingkeys.Keys, func(), error)
}

// AssignFunc makes the full witness of a batch for a shape.
type AssignFunc func(shape string, trace *state.Trace) (witness.Witness, error)

// FoldFunc makes the full witness of an aggregate shape for proofs of consecutive
// batches.
type FoldFunc func(shape string, proofs []settle.ProofEnvelope) (witness.Witness, error)

// Config joins an Engine.
type Config struct {
	Circuit string // settle.CircuitTransition, …
	Keys    KeySource
	Assign  AssignFunc
	Fold    FoldFunc     // nil: the engine folds no proofs
	Log     *slog.Logger // nil discards
}

// Engine proves batches of one circuit, and folds their proofs, one at a time: a
// proof uses all cores, and gnark's solver keeps state in the constraint system. Hints must be registered
// (circuits.RegisterHints). Safe for concurrent use; callers queue.
type Engine struct {
	cfg  Config
	slot chan struct{}
}

// Timings of one proof. Prove is the whole of gnark's prover and includes Solve.
type Timings struct {
	Keys   time.Duration // waiting for the keys, or loading them
	Assign time.Duration
	Solve  time.Duration // with the commitment's multi-exponentiation
	Prove  time.Duration
	Verify time.Duration
}

// Result is a verified proof and what it cost.
type Result struct {
	Proof      settle.ProofEnvelope
	Timings    Timings
	PeakMemory uint64 // bytes, as of PeakMemory
}

// New returns an Engine.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, slot: make(chan struct{}, 1)}
}

// NewTransition returns the Engine of the transition circuit.
func NewTransition(keys KeySource, log *slog.Logger) *Engine {
	return New(Config{Circuit: settle.CircuitTransition, Keys: keys, Assign: AssignTransition, Log: log})
}

// AssignTransition makes the witness of the transition circuit.
func AssignTransition(shape string, trace *state.Trace) (witness.Witness, error) {
	s, err := circuits.ShapeByName(shape)
	if err != nil {
		return nil, err
	}
	return circuits.Assign(s, trace)
}

// Circuit names the circuit that the engine proves.
func (e *Engine) Circuit() string { return e.cfg.Circuit }

// Load loads the keys of a shape, so that the first proof finds them. Its failure
// is an *Error.
func (e *Engine) Load(ctx context.Context, shape string) error {
	_, release, err := e.acquire(ctx, e.cfg.Circuit, shape)
	if err != nil {
		return err
	}
	release()
	return nil
}

func (e *Engine) acquire(ctx context.Context, circuit, shape string) (*provingkeys.Keys, func(), error) {
	keys, release, err := e.cfg.Keys.Acquire(ctx, circuit, shape)
	if err != nil {
		class := ClassInfrastructure
		if errors.Is(err, provingkeys.ErrBudget) {
			class = ClassResource
		}
		return nil, nil, fail(class, "keys", err)
	}
	return keys, release, nil
}

// Prove makes and verifies a proof of the batch. Every failure is an *Error.
// When ctx ends Prove returns at once, but gnark cannot be interrupted: its work
// goes on in the background and the next call waits for its end. A panic of gnark's
// goroutines other than the first ends the process. Child has neither weakness.
func (e *Engine) Prove(ctx context.Context, shape string, trace *state.Trace) (Result, error) {
	return e.run(ctx, task{e.cfg.Circuit, shape, trace.Header.Number, func() (witness.Witness, error) { return e.cfg.Assign(shape, trace) }})
}

// Fold makes and verifies a proof, in the aggregate circuit, that the proofs of
// consecutive batches hold. All else as of Prove.
func (e *Engine) Fold(ctx context.Context, shape string, proofs []settle.ProofEnvelope) (Result, error) {
	if e.cfg.Fold == nil {
		return Result{}, fail(ClassBug, "assign", errors.New("this engine folds no proofs"))
	}
	return e.run(ctx, task{settle.CircuitAggregate, shape, 0, func() (witness.Witness, error) { return e.cfg.Fold(shape, proofs) }})
}

// task is one proof to make.
type task struct {
	circuit, shape string
	batch          settle.BatchNumber // 0: of several
	assign         func() (witness.Witness, error)
}

func (e *Engine) run(ctx context.Context, t task) (Result, error) {
	start := time.Now()
	select {
	case e.slot <- struct{}{}:
	case <-ctx.Done():
		return Result{}, fail(ClassInfrastructure, "queue", context.Cause(ctx))
	}
	keys, release, err := e.acquire(ctx, t.circuit, t.shape)
	if err != nil {
		<-e.slot
		return Result{}, err
	}
	waited := time.Since(start)

	type outcome struct {
		result Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			release()
			<-e.slot
		}()
		result, err := prove(keys, t)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return Result{}, o.err
		}
		o.result.Timings.Keys = waited
		// Whoever asked for the proof knows its job and says it with that.
		e.cfg.Log.DebugContext(ctx, "proof made", "circuit", t.circuit, "shape", t.shape, "batch", t.batch,
			"assign_seconds", o.result.Timings.Assign.Seconds(), "solve_seconds", o.result.Timings.Solve.Seconds(),
			"prove_seconds", o.result.Timings.Prove.Seconds(), "peak_bytes", o.result.PeakMemory)
		return o.result, nil
	case <-ctx.Done():
		return Result{}, fail(ClassInfrastructure, "prove", fmt.Errorf("interrupted: %w", context.Cause(ctx)))
	}
}

func prove(keys *provingkeys.Keys, t task) (result Result, err error) {
	step := "assign"
	defer func() {
		if p := recover(); p != nil {
			result, err = Result{}, fail(ClassBug, step, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	resetPeakMemory()
	start := time.Now()
	full, err := t.assign()
	if err != nil {
		return Result{}, fail(ClassWitness, step, err)
	}
	inputs, err := publicInputs(full)
	if err != nil {
		return Result{}, fail(ClassWitness, step, err)
	}
	result.Timings.Assign = time.Since(start)

	step = "prove"
	if err := checkHints(keys); err != nil {
		return Result{}, fail(ClassBug, step, err)
	}
	clock := new(solveClock)
	start = time.Now()
	proof, err := groth16bn254.Prove(keys.System, keys.ProvingKey, full,
		backend.WithProverHashToFieldFunction(sha256.New()), backend.WithSolverOptions(clock.option()))
	if err != nil {
		// With keys that fit the system only the solver can fail: a constraint that does
		// not hold, or a hint that refuses its inputs.
		return Result{}, fail(ClassWitness, step, err)
	}
	result.Timings.Prove = time.Since(start)
	result.Timings.Solve = clock.since(start)

	var raw bytes.Buffer
	if _, err := proof.WriteRawTo(&raw); err != nil {
		return Result{}, fail(ClassBug, step, fmt.Errorf("encode proof: %w", err))
	}
	result.Proof = settle.ProofEnvelope{
		Circuit: t.circuit, Shape: t.shape, KeyHash: keys.Manifest.KeyHash, Proof: raw.Bytes(), Inputs: inputs,
	}

	step, start = "verify", time.Now()
	if err := verifier.Verify(result.Proof, keys.VerifyingKey); err != nil {
		return Result{}, fail(ClassBug, step, fmt.Errorf("the own proof does not verify: %w", err))
	}
	result.Timings.Verify = time.Since(start)
	result.PeakMemory = PeakMemory()
	return result, nil
}

// publicInputs takes c, ζ, v from the front of a full witness.
func publicInputs(full witness.Witness) ([3]settle.Element, error) {
	var inputs [3]settle.Element
	public, err := full.Public()
	if err != nil {
		return inputs, fmt.Errorf("public part of the witness: %w", err)
	}
	vector, ok := public.Vector().(fr.Vector)
	if !ok || len(vector) != len(inputs) {
		return inputs, fmt.Errorf("the witness has %T as its public part, expected %d elements of BN254's scalar field", public.Vector(), len(inputs))
	}
	for i := range inputs {
		inputs[i] = vector[i].Bytes()
	}
	return inputs, nil
}

// checkHints finds hints that the stored system needs and nobody registered.
func checkHints(keys *provingkeys.Keys) error {
	var missing []string
	for id, name := range keys.System.MHintsDependencies {
		if solver.GetRegisteredHint(id) == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("hints are not registered, call circuits.RegisterHints at start-up: %v", missing)
	}
	return nil
}
