package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
)

// GroupQueue returns what is to be decided about, as of one moment.
func (s *Store) GroupQueue(ctx context.Context) (GroupQueue, error) {
	var q GroupQueue
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if err := tx.QueryRow(ctx, groupClockSQL).Scan(&q.Now); err != nil {
			return err
		}
		if q.Batches, err = rows[QueuedBatch](ctx, tx, groupQueueSQL); err != nil {
			return err
		}
		q.Groups, err = rows[Group](ctx, tx, groupsUnsettledSQL)
		return err
	})
	if err != nil {
		return GroupQueue{}, fmt.Errorf("queue of groups: %w", err)
	}
	return q, nil
}

// PlanGroup stores a group that is to be folded and, in the same transaction, its job.
// ErrIllegalTransition if a batch of it is not proven, is under another
// key than the rest, or is in a group already.
func (s *Store) PlanGroup(ctx context.Context, epoch Epoch, n NewGroup) error {
	err := s.asWriter(ctx, RoleAggregator, epoch, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, groupInsertSQL, n.First, n.Last, GroupPlanned, n.Shape, n.KeyHash[:], n.Reason); err != nil {
			return err
		}
		return insertJob(ctx, tx, ProofJob{ProofKey: Group{NewGroup: n}.ProofKey(), Last: n.Last, Shape: n.Shape})
	})
	if err != nil {
		return fmt.Errorf("plan to fold batches %d to %d: %w", n.First, n.Last, err)
	}
	return nil
}

// SettleDirectly decides that batches settle each by its own proof: a single one that
// is in no group, or those of a planned group, which is given up and whose job is
// cancelled. A group that is proven meanwhile stays proven.
func (s *Store) SettleDirectly(ctx context.Context, epoch Epoch, first, last settle.BatchNumber, reason string) error {
	err := s.asWriter(ctx, RoleAggregator, epoch, func(tx pgx.Tx) error {
		_, err := row[Group](ctx, tx, groupOfSQL, first)
		switch {
		case errors.Is(err, ErrNotFound) && first == last:
			_, err = tx.Exec(ctx, groupInsertSQL, first, last, GroupDirect, nil, nil, reason)
		case err == nil:
			err = giveUp(ctx, tx, first, last, groupDirectSQL, first, last, reason)
		}
		if err != nil {
			return err
		}
		return notifyBatches(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("settle batches %d to %d directly: %w", first, last, err)
	}
	return nil
}

// GiveUpGroup has the batches of a group settle each by its own proof, as its proof
// turned out to be of no use on L1.
func (s *Store) GiveUpGroup(ctx context.Context, epoch Epoch, first settle.BatchNumber, reason string) error {
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) error {
		if err := giveUp(ctx, tx, first, first, groupGiveUpSQL, first, reason); err != nil {
			return err
		}
		return notifyBatches(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("give up the group that begins with batch %d: %w", first, err)
	}
	return nil
}

// giveUp has groups that hold the batches first to last settle directly, by sql, and
// cancels their jobs: whoever folds one stops at the next heartbeat.
func giveUp(ctx context.Context, tx pgx.Tx, first, last settle.BatchNumber, sql string, args ...any) error {
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, jobsCancelSQL, first, last); err != nil {
		return fmt.Errorf("cancel jobs: %w", err)
	}
	return nil
}

// GroupOf returns the group that holds a batch, or ErrNotFound.
func (s *Store) GroupOf(ctx context.Context, n settle.BatchNumber) (Group, error) {
	g, err := row[Group](ctx, s.pool, groupOfSQL, n)
	if err != nil {
		return Group{}, fmt.Errorf("group of batch %d: %w", n, err)
	}
	return g, nil
}

// GroupInput returns a group and the proofs that it folds; ErrNotFound if no group
// begins with this batch, ErrCorrupt if a proof is missing.
func (s *Store) GroupInput(ctx context.Context, first settle.BatchNumber) (GroupInput, error) {
	var in GroupInput
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if in.Group, err = row[Group](ctx, tx, groupOfSQL, first); err != nil {
			return err
		}
		if in.First != first {
			return ErrNotFound
		}
		if in.Proofs, err = groupProofs(ctx, tx, in.Group); err != nil {
			return err
		}
		in.Inputs, err = groupInputs(ctx, tx, in.Group)
		return err
	})
	if err != nil {
		return GroupInput{}, fmt.Errorf("group that begins with batch %d: %w", first, err)
	}
	return in, nil
}

func groupProofs(ctx context.Context, q querier, g Group) ([]settle.ProofEnvelope, error) {
	type row struct {
		settle.ProofEnvelope
		inputs []byte
	}
	rows, err := list(ctx, q, func(r *row) []any {
		return []any{&r.Circuit, &r.Shape, fixed(r.KeyHash[:]), &r.Proof, &r.inputs}
	}, groupProofsSQL, g.First, g.Last, settle.CircuitTransition)
	if err != nil {
		return nil, err
	}
	if want := int(g.Last-g.First) + 1; len(rows) != want {
		return nil, fmt.Errorf("%w: %d of %d proofs", ErrCorrupt, len(rows), want)
	}
	out := make([]settle.ProofEnvelope, len(rows))
	for i, r := range rows {
		inputs, err := unpack(r.inputs)
		if err != nil {
			return nil, err
		}
		out[i] = r.ProofEnvelope
		copy(out[i].Inputs[:], inputs)
	}
	return out, nil
}

// groupParts reads what a group's settlement publishes of each batch.
func groupParts(ctx context.Context, q querier, first, last settle.BatchNumber) ([]SettlementPart, error) {
	type row struct {
		SettlementPart
		words []byte
	}
	rows, err := list(ctx, q, func(r *row) []any {
		return []any{&r.Number, fixed(r.NewRoot[:]), fixed(r.Commitment[:]), &r.words}
	}, groupWordsSQL, first, last)
	if err != nil {
		return nil, err
	}
	out := make([]SettlementPart, len(rows))
	for i, r := range rows {
		out[i] = r.SettlementPart
		if out[i].Words, err = unpack(r.words); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// proveGroup makes a planned group proven.
func proveGroup(ctx context.Context, tx pgx.Tx, first settle.BatchNumber) error {
	if _, err := tx.Exec(ctx, groupProvenSQL, first); err != nil {
		return err
	}
	return notifyBatches(ctx, tx)
}

// groupInputs computes the public inputs of the batches' proofs from what was sealed.
func groupInputs(ctx context.Context, q querier, g Group) ([][3]settle.Element, error) {
	parts, err := groupParts(ctx, q, g.First, g.Last)
	if err != nil {
		return nil, err
	}
	out := make([][3]settle.Element, len(parts))
	for i, p := range parts {
		if out[i], err = inputsOf(p.Commitment, p.Words); err != nil {
			return nil, fmt.Errorf("batch %d: %w", p.Number, err)
		}
	}
	return out, nil
}

// ofGroup compares an aggregate proof with the group that begins with a batch, and its
// inputs with those that the data of its batches give.
func ofGroup(ctx context.Context, tx pgx.Tx, first settle.BatchNumber, p settle.ProofEnvelope) error {
	g, err := row[Group](ctx, tx, groupOfSQL, first)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && g.First != first:
		return fmt.Errorf("%w: no group begins with batch %d", ErrProofMismatch, first)
	case err != nil:
		return fmt.Errorf("group: %w", err)
	case p.Shape != g.Shape || p.KeyHash != g.KeyHash:
		return fmt.Errorf("%w: it is of shape %s under key %s, the group is for %s and %s", ErrProofMismatch, p.Shape, p.KeyHash, g.Shape, g.KeyHash)
	}
	batches, err := groupInputs(ctx, tx, g)
	if err != nil {
		return err
	}
	want, err := publicdata.GroupInputs(p.Inputs[0], batches)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProofMismatch, err)
	}
	return sameInputs(p.Inputs, want, [3]string{"C", "Z", "V"})
}
