package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// consequence says what becomes of the batches of a job that is given up, and the remedy.
func consequence(j store.ProofJob) []any {
	if j.Circuit == settle.CircuitAggregate {
		return []any{"consequence", "the batches settle each by its own proof"}
	}
	return []any{"consequence", "the batch stays unproven, and settlement waits for it, until its job is retried by hand",
		"remedy", fmt.Sprintf("settle replay %d; settle jobs retry --batch %d", j.Batch, j.Batch)}
}

// produce makes the proof; store.ErrJobCancelled if nobody needs it any more.
func (w *worker) produce(ctx context.Context, l store.Lease) (prover.Result, error) {
	if l.Circuit == settle.CircuitAggregate {
		return w.fold(ctx, l)
	}
	input, err := w.cfg.Store.WitnessInput(ctx, l.Batch)
	if err != nil {
		return prover.Result{}, unreadable("witness input", err)
	}
	trace, err := state.DecodeTrace(input.Data)
	if err != nil {
		return prover.Result{}, &prover.Error{Class: prover.ClassWitness, Step: "witness input", Err: err}
	}
	if trace.Header.Number != l.Batch {
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "witness input", Err: fmt.Errorf("it is of batch %d", trace.Header.Number)}
	}
	return w.cfg.Prover.Prove(ctx, l.Shape, trace)
}

// unreadable tells damaged input, which no retry mends, from a database that is away.
func unreadable(step string, err error) error {
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNotFound) {
		return &prover.Error{Class: prover.ClassBug, Step: step, Err: err}
	}
	return fmt.Errorf("load %s: %w", step, err)
}

// fold folds the proofs of a group. One that is worth nothing is set aside, which gives the
// group up and cancels the job: its batch is proven again and the others need not wait for that.
func (w *worker) fold(ctx context.Context, l store.Lease) (prover.Result, error) {
	input, err := w.cfg.Store.GroupInput(ctx, l.Batch)
	if err != nil {
		return prover.Result{}, unreadable("proofs to fold", err)
	}
	for i, p := range input.Proofs {
		reason := worthless(w.cfg.Verifier, p, input.Inputs[i])
		if reason == nil {
			continue
		}
		key := store.ProofKey{Batch: l.Batch + settle.BatchNumber(i), Circuit: p.Circuit, KeyHash: p.KeyHash}
		w.cfg.Logger.ErrorContext(ctx, "a proof that was to be folded is set aside", "batch", key.Batch, "reason", reason)
		if err := w.cfg.Store.RefuseFolded(ctx, l, key, p.Proof, reason.Error()); err != nil {
			return prover.Result{}, fmt.Errorf("proofs to fold: %w", err)
		}
		return prover.Result{}, fmt.Errorf("%w: the proof of batch %d was set aside", store.ErrJobCancelled, key.Batch)
	}
	return w.cfg.Folder.Fold(ctx, l.Shape, input.Proofs)
}

// worthless says why a stored proof settles nothing: it is for other inputs than those
// of its batch, or does not hold. A key that this worker does not have says nothing.
func worthless(v Verifier, p settle.ProofEnvelope, inputs [3]settle.Element) error {
	for i, name := range [...]string{"c", "ζ", "v"} {
		if p.Inputs[i] != inputs[i] {
			return fmt.Errorf("its %s is %s, that of the batch is %s", name, p.Inputs[i], inputs[i])
		}
	}
	if err := v.Verify(p); err != nil && !errors.Is(err, verifier.ErrUnknownKey) {
		return fmt.Errorf("it does not hold: %w", err)
	}
	return nil
}
