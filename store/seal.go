package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// SealBatch writes a batch with its words, witness input, account changes, new account
// states and proof job, and sets its transactions executed, all in one transaction under the
// sequencer's epoch.
//
// The batch must follow the last one in number and root, and each change must begin
// at the stored leaf: else ErrStateMismatch. ErrIllegalTransition if one of its
// transactions is not accepted, ErrCorrupt if the witness input's hash is not that of
// its data, ErrFenced under an old epoch.
func (s *Store) SealBatch(ctx context.Context, epoch Epoch, b SealedBatch) error {
	if settle.Hash(sha256.Sum256(b.Witness.Data)) != b.Witness.Hash {
		return fmt.Errorf("seal batch %d: witness input: %w", b.Number, ErrCorrupt)
	}
	err := s.asWriter(ctx, RoleSequencer, epoch, func(tx pgx.Tx) error {
		u := b.Usage
		_, err := tx.Exec(ctx, sealBatchSQL, b.Number, b.Shape, b.KeyHash[:], b.OldRoot[:], b.NewRoot[:], b.Commitment[:],
			pack(b.Words), len(b.Transactions), u.Transfers, u.Accounts, u.Nodes, u.FeeAccounts, u.Opens, u.Exits, u.L1Ops)
		if err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		if err := sealAccounts(ctx, tx, b.Number, b.Changes); err != nil {
			return err
		}
		w := b.Witness
		if _, err := tx.Exec(ctx, sealWitnessInputSQL, b.Number, w.Version, w.Hash[:], w.Data); err != nil {
			return fmt.Errorf("witness input: %w", err)
		}
		if err := sealTransactions(ctx, tx, b.Number, b.Transactions); err != nil {
			return err
		}
		key := ProofKey{Batch: b.Number, Circuit: settle.CircuitTransition, KeyHash: b.KeyHash}
		if err := insertJob(ctx, tx, ProofJob{ProofKey: key, Last: b.Number, Shape: b.Shape}); err != nil {
			return err
		}
		return notifyBatches(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("seal batch %d: %w", b.Number, err)
	}
	return nil
}

func sealAccounts(ctx context.Context, tx pgx.Tx, n settle.BatchNumber, changes []AccountChange) error {
	var updated, opened changeSet
	for i := range changes {
		c := &changes[i]
		if c.Before.Index != c.After.Index {
			return fmt.Errorf("change of account %d ends at account %d", c.Before.Index, c.After.Index)
		}
		if c.Before.Owner == (settle.Element{}) {
			opened.add(c)
		} else {
			updated.add(c)
		}
	}
	if _, err := tx.Exec(ctx, sealLockAccountsSQL, updated.index); err != nil {
		return fmt.Errorf("lock accounts: %w", err)
	}
	tag, err := tx.Exec(ctx, sealUpdateAccountsSQL, updated.index, updated.oldLeaf, updated.nonce, updated.balance, updated.leaf)
	if err := allRows(tag.RowsAffected(), len(updated.index), err, ErrStateMismatch); err != nil {
		return fmt.Errorf("update accounts: %w", err)
	}
	tag, err = tx.Exec(ctx, sealOpenAccountsSQL, opened.index, opened.owner, opened.token, opened.nonce, opened.balance, opened.l1, opened.leaf)
	if err := allRows(tag.RowsAffected(), len(opened.index), err, ErrStateMismatch); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	rows := pgx.CopyFromSlice(len(changes), func(i int) ([]any, error) { return changeValues(n, &changes[i]), nil })
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"account_changes"}, changeColumns(), rows); err != nil {
		return fmt.Errorf("account changes: %w", err)
	}
	return nil
}

// changeSet holds changes as one array per column.
type changeSet struct {
	index, token, nonce      []int64
	owner, l1, oldLeaf, leaf [][]byte
	balance                  []amount
}

func (s *changeSet) add(c *AccountChange) {
	a := &c.After
	s.index, s.token, s.nonce = append(s.index, int64(a.Index)), append(s.token, int64(a.Token)), append(s.nonce, int64(a.Nonce))
	s.owner, s.l1 = append(s.owner, a.Owner[:]), append(s.l1, a.L1[:])
	s.oldLeaf, s.leaf = append(s.oldLeaf, c.Before.Leaf[:]), append(s.leaf, a.Leaf[:])
	s.balance = append(s.balance, amount(a.Balance))
}

func sealTransactions(ctx context.Context, tx pgx.Tx, n settle.BatchNumber, executed []ExecutedTransaction) error {
	ids, assigned := make([][]byte, len(executed)), make([]*int64, len(executed))
	for i := range executed {
		ids[i] = executed[i].ID[:]
		if a := executed[i].AssignedIndex; a != nil {
			index := int64(*a)
			assigned[i] = &index
		}
	}
	tag, err := tx.Exec(ctx, sealTransactionsSQL, n, ids, assigned)
	if err := allRows(tag.RowsAffected(), len(ids), err, ErrIllegalTransition); err != nil {
		return fmt.Errorf("execute transactions: %w", err)
	}
	return nil
}

// RejectTransactions sets accepted transactions rejected, under the sequencer's
// epoch; all or none. ErrIllegalTransition if one of them is not accepted.
func (s *Store) RejectTransactions(ctx context.Context, epoch Epoch, rs []Rejection) error {
	ids, codes, details := make([][]byte, len(rs)), make([]string, len(rs)), make([]string, len(rs))
	for i := range rs {
		ids[i], codes[i], details[i] = rs[i].ID[:], string(rs[i].Code), rs[i].Detail
	}
	err := s.asWriter(ctx, RoleSequencer, epoch, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, rejectTransactionsSQL, ids, codes, details)
		return allRows(tag.RowsAffected(), len(ids), err, ErrIllegalTransition)
	})
	if err != nil {
		return fmt.Errorf("reject %d transactions: %w", len(rs), err)
	}
	return nil
}

// allRows turns a statement that found fewer rows than expected into missing.
func allRows(got int64, want int, err, missing error) error {
	if err == nil && got != int64(want) {
		err = fmt.Errorf("%w: %d of %d rows are as expected", missing, got, want)
	}
	return err
}
