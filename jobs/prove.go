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

var (
	_ proofJob = ProveBatch{}
	_ proofJob = AggregateBatches{}
)

func (a ProveBatch) proofKey() store.ProofKey {
	return store.ProofKey{Batch: a.Batch, Circuit: a.Circuit, KeyHash: a.KeyHash}
}

func (a ProveBatch) shape() string { return a.Shape }

func (a ProveBatch) log() []any { return []any{"batch", a.Batch} }

func (a ProveBatch) dead() []any {
	return []any{"consequence", "the batch stays unproven, and settlement waits for it, until its job is retried by hand",
		"remedy", fmt.Sprintf("settle replay %d; settle jobs retry --batch %d", a.Batch, a.Batch)}
}

func (a ProveBatch) able(cfg *Config) bool { return a.Circuit == cfg.Prover.Circuit() }

func (a ProveBatch) needed(context.Context, *Config) error { return nil }

// prove loads the witness input and proves it.
func (a ProveBatch) prove(ctx context.Context, cfg *Config, _ store.Lease) (prover.Result, error) {
	input, err := cfg.Store.WitnessInput(ctx, a.Batch)
	if err != nil {
		return prover.Result{}, unreadable("witness input", err)
	}
	trace, err := state.DecodeTrace(input.Data)
	if err != nil {
		return prover.Result{}, &prover.Error{Class: prover.ClassWitness, Step: "witness input", Err: err}
	}
	if trace.Header.Number != a.Batch {
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "witness input", Err: fmt.Errorf("it is of batch %d", trace.Header.Number)}
	}
	return cfg.Prover.Prove(ctx, a.Shape, trace)
}

// unreadable tells damaged input, which no retry mends, from a database that is away.
func unreadable(step string, err error) error {
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNotFound) {
		return &prover.Error{Class: prover.ClassBug, Step: step, Err: err}
	}
	return fmt.Errorf("load %s: %w", step, err)
}

func (a AggregateBatches) proofKey() store.ProofKey {
	return store.ProofKey{Batch: a.Batch, Circuit: a.Circuit, KeyHash: a.KeyHash}
}

func (a AggregateBatches) shape() string { return a.Shape }

func (a AggregateBatches) log() []any { return []any{"batch", a.Batch, "last", a.Last} }

func (a AggregateBatches) dead() []any {
	return []any{"consequence", "the batches settle each by its own proof"}
}

func (a AggregateBatches) able(cfg *Config) bool {
	return a.Circuit == settle.CircuitAggregate && cfg.Folder != nil
}

// needed: a group that settles directly needs no proof any more.
func (a AggregateBatches) needed(ctx context.Context, cfg *Config) error {
	g, err := cfg.Store.GroupOf(ctx, a.Batch)
	switch {
	case err != nil:
		return err
	case g.First != a.Batch || g.Last != a.Last || g.ProofKey() != a.proofKey():
		return fmt.Errorf("%w: the group of batch %d is %d to %d for key %s", store.ErrProofMismatch, a.Batch, g.First, g.Last, g.KeyHash)
	case g.Status == store.GroupProven:
		return store.ErrProofExists
	case g.Status == store.GroupDirect:
		return store.ErrJobCancelled
	}
	return nil
}

// prove folds the proofs of the group. One that is worth nothing is set aside, which
// gives the group up: its batch is proven again and the others need not wait for that.
func (a AggregateBatches) prove(ctx context.Context, cfg *Config, lease store.Lease) (prover.Result, error) {
	input, err := cfg.Store.GroupInput(ctx, a.Batch)
	if err != nil {
		return prover.Result{}, unreadable("proofs to fold", err)
	}
	for i, p := range input.Proofs {
		reason := worthless(cfg.Verifier, p, input.Inputs[i])
		if reason == nil {
			continue
		}
		key := store.ProofKey{Batch: a.Batch + settle.BatchNumber(i), Circuit: p.Circuit, KeyHash: p.KeyHash}
		cfg.Logger.ErrorContext(ctx, "a proof that was to be folded is set aside", "batch", key.Batch, "reason", reason)
		if err := cfg.Store.RefuseFolded(ctx, lease, key, p.Proof, reason.Error()); err != nil {
			return prover.Result{}, fmt.Errorf("proofs to fold: %w", err)
		}
		return prover.Result{}, fmt.Errorf("%w: the proof of batch %d was set aside", store.ErrJobCancelled, key.Batch)
	}
	return cfg.Folder.Fold(ctx, a.Shape, input.Proofs)
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
