package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
)

// Admit decides on checked transactions in order, in one transaction that locks
// their senders, and stores the accepted ones. It returns one Outcome per item, as
// admission.Book decides; the error is for failures of ours, and then nothing was stored.
func (s *Store) Admit(ctx context.Context, items []admission.Checked) ([]admission.Outcome, error) {
	if len(items) == 0 {
		return nil, nil
	}
	var out []admission.Outcome
	accepted := false
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		book, err := openBook(ctx, tx, items)
		if err != nil {
			return err
		}
		out = make([]admission.Outcome, len(items))
		var fresh, again []*admission.Checked // to insert; rejected before
		for i := range items {
			_, stored := book.Stored[items[i].ID]
			out[i] = book.Decide(&items[i])
			switch {
			case out[i].Refusal != nil || out[i].Existing:
			case stored:
				again = append(again, &items[i])
			default:
				fresh = append(fresh, &items[i])
			}
		}
		accepted = len(fresh)+len(again) > 0
		if err := acceptAgain(ctx, tx, again); err != nil {
			return err
		}
		return insertTransactions(ctx, tx, fresh)
	})
	if err != nil {
		return nil, fmt.Errorf("admit %d transactions: %w", len(items), err)
	}
	if accepted {
		// After the commit: inside, a notification takes a lock of the whole database
		// during commit and every admission would wait for the disk of the one before.
		// A lost hint costs the sequencer one polling interval, so its error is dropped.
		_, _ = s.pool.Exec(ctx, notifySQL, TopicTransactions)
	}
	return out, nil
}

// openBook locks the senders, then reads what is known of them. The statements after
// the lock see what earlier holders of it committed (read committed takes a snapshot
// for each statement), so all may go in one round trip.
func openBook(ctx context.Context, tx pgx.Tx, items []admission.Checked) (*admission.Book, error) {
	ids := make([][]byte, len(items))
	froms := make([]int64, len(items))
	nonces := make([]int64, len(items))
	distinct := make(map[int64]bool)
	for i := range items {
		ids[i], froms[i], nonces[i] = items[i].ID[:], int64(items[i].From), int64(items[i].Nonce)
		distinct[froms[i]] = true
	}
	senders := slices.Sorted(maps.Keys(distinct))
	b := &admission.Book{
		Senders: make(map[settle.AccountIndex]*admission.Sender, len(senders)),
		Stored:  make(map[settle.Hash]settle.TxStatus),
		Live:    make(map[admission.Slot]settle.Hash),
	}
	batch := &pgx.Batch{}
	batch.Queue(admitLockSQL, senders).Query(func(rows pgx.Rows) error {
		var index settle.AccountIndex
		var row admission.Sender
		_, err := pgx.ForEachRow(rows, []any{&index, &row.Token, &row.Nonce, (*amount)(&row.Balance)}, func() error {
			sender := row
			b.Senders[index] = &sender
			return nil
		})
		return err
	})
	batch.Queue(admitKnownSQL, ids, froms, nonces).Query(func(rows pgx.Rows) error {
		var id settle.Hash
		var on admission.Slot
		var status settle.TxStatus
		_, err := pgx.ForEachRow(rows, []any{fixed(id[:]), &on.From, &on.Nonce, &status}, func() error {
			b.Stored[id] = status
			if status != settle.TxRejected {
				b.Live[on] = id
			}
			return nil
		})
		return err
	})
	batch.Queue(pendingBySenderSQL, senders).Query(func(rows pgx.Rows) error {
		var p pendingRow
		_, err := pgx.ForEachRow(rows, p.fields(), func() error {
			b.Senders[p.sender].Pending = p.Pending
			return nil
		})
		return err
	})
	if slices.ContainsFunc(items, func(item admission.Checked) bool { return item.Kind == settle.KindOpen }) {
		batch.Queue(admitExhaustedSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&b.Exhausted) })
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("lock senders: %w", err)
	}
	return b, nil
}

func acceptAgain(ctx context.Context, tx pgx.Tx, items []*admission.Checked) error {
	if len(items) == 0 {
		return nil
	}
	ids, signatures := make([][]byte, len(items)), blobs(len(items))
	for i, item := range items {
		signature := item.Signature.Bytes()
		ids[i], signatures[i] = item.ID[:], signature[:]
	}
	if _, err := tx.Exec(ctx, admitAgainSQL, ids, signatures); err != nil {
		return fmt.Errorf("accept again: %w", err)
	}
	return nil
}

// insertTransactions sends one array for each column of admitInsertSQL.
func insertTransactions(ctx context.Context, tx pgx.Tx, items []*admission.Checked) error {
	n := len(items)
	if n == 0 {
		return nil
	}
	var (
		ids, toOwners, toL1s, keys, signatures         = blobs(n), blobs(n), blobs(n), blobs(n), blobs(n)
		kinds                                          = make([]int16, n)
		froms, tos, tokens, packed, nonces, validUntil = ints(n), ints(n), ints(n), ints(n), ints(n), ints(n)
		amounts, fees                                  = make([]amount, n), make([]amount, n)
		feesPacked                                     = make([]int32, n)
	)
	for i, t := range items {
		exact, fee, err := admission.Exact(&t.Transaction)
		if err != nil {
			return fmt.Errorf("transaction %s is not checked: %w", t.ID, err)
		}
		owner, key, signature := t.ToOwner.Bytes(), t.PublicKey.Bytes(), t.Signature.Bytes()
		ids[i], toOwners[i], toL1s[i] = t.ID[:], owner[:], t.ToL1[:]
		keys[i], signatures[i] = key[:], signature[:]
		kinds[i] = int16(t.Kind)
		froms[i], tos[i], tokens[i] = int64(t.From), int64(t.To), int64(t.Token)
		packed[i], nonces[i], validUntil[i] = int64(t.Amount), int64(t.Nonce), int64(t.ValidUntil)
		amounts[i], fees[i], feesPacked[i] = amount(exact), amount(fee), int32(t.Fee)
	}
	_, err := tx.Exec(ctx, admitInsertSQL, ids, kinds, froms, tos, tokens, amounts, packed, fees, feesPacked, nonces, validUntil,
		toOwners, toL1s, keys, signatures)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	return nil
}

func blobs(n int) [][]byte { return make([][]byte, n) }
func ints(n int) []int64   { return make([]int64, n) }
