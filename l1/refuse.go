package l1

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
)

// ErrWorthless reports a stored proof that settles nothing: it is malformed, or an
// aggregate of other batches.
var ErrWorthless = errors.New("the stored proof settles nothing")

// whyWorthless adds to what L1 says, which names no reason, what the sealed data of a
// batch say of its proof.
func whyWorthless(work store.SettlementWork, cause error) string {
	want, err := publicdata.BatchInputs(work.Batch.Commitment, work.Words)
	if work.Proof.Circuit != settle.CircuitTransition || err != nil {
		return cause.Error()
	}
	for i, name := range [...]string{"c", "ζ", "v"} {
		if work.Proof.Inputs[i] != want[i] {
			return fmt.Sprintf("%v: its %s is %s, that of the batch is %s", cause, name, work.Proof.Inputs[i], want[i])
		}
	}
	return cause.Error()
}

// refused decides what follows from a failure to make the transaction. A proof that is
// worth nothing is set aside, and the batch is proven again, which costs no gas; a group
// that the contract would never take settles directly. Any other failure is returned.
func (s *Submitter) refused(ctx context.Context, work store.SettlementWork, cause error) (Action, error) {
	if !worthless(cause) {
		return s.withoutGroup(ctx, work, cause)
	}
	reason := whyWorthless(work, cause)
	key := store.ProofKey{Batch: work.Batch.Number, Circuit: work.Proof.Circuit, KeyHash: work.Proof.KeyHash}
	if err := s.rows.RefuseProof(ctx, s.cfg.Epoch, key, work.Proof.Proof, reason); err != nil {
		return "", fmt.Errorf("set the proof aside: %w", err)
	}
	consequence := "the batch is proven again"
	if work.Proof.Circuit == settle.CircuitAggregate {
		consequence = "its batches settle each by its own proof"
	}
	s.log.ErrorContext(ctx, "a proof is set aside: L1 would not take it", "batch", work.Batch.Number, "last", work.Last(),
		"circuit", work.Proof.Circuit, "consequence", consequence, "reason", reason,
		"remedy", fmt.Sprintf("settle jobs refused --batch %d shows the proof and who made it", work.Batch.Number))
	return Failed, nil
}

// missing has a batch proven again whose proof is gone from the database.
func (s *Submitter) missing(ctx context.Context, gone *store.MissingProofError) (Outcome, error) {
	if err := s.rows.ProofGone(ctx, s.cfg.Epoch, gone); err != nil {
		return Outcome{Batch: gone.Batch}, err
	}
	consequence := "the batch is proven again"
	if gone.Circuit == settle.CircuitAggregate {
		consequence = "its batches settle each by its own proof"
	}
	s.log.ErrorContext(ctx, "a proof is gone", "batch", gone.Batch, "circuit", gone.Circuit, "consequence", consequence, "reason", gone)
	return Outcome{gone.Batch, Failed}, nil
}

// worthless reports whether err says that the proof itself, and neither the state of the
// chain nor its registry, is what stands in the way.
func worthless(err error) bool {
	if errors.Is(err, ErrWorthless) {
		return true
	}
	revert, ok := AsRevert(err)
	return ok && slices.Contains([]string{"InvalidProof", "WrongProofLength", "InputNotInField", "CommitmentNotInField"}, revert.Name)
}
