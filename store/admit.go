package store

import (
	"context"
	_ "embed" // SQL files
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

var (
	//go:embed sql/admit_lock.sql
	admitLockSQL string
	//go:embed sql/admit_known.sql
	admitKnownSQL string
	//go:embed sql/admit_exhausted.sql
	admitExhaustedSQL string
	//go:embed sql/admit_insert.sql
	admitInsertSQL string
	//go:embed sql/admit_again.sql
	admitAgainSQL string
)

// Admit decides on verified submissions in order, in one transaction that locks
// their senders, and stores the good ones as accepted. It returns one Admission
// per item; the error is for failures of ours, and then nothing was stored.
//
// It refuses with unknown_account, wrong_token, stale_nonce, nonce_too_far,
// nonce_conflict, insufficient_balance (executed balance less accepted pending
// debits), zero_amount (an exit-all for which only its fee is available) and
// accounts_exhausted (an open when the last index is taken). While an exit-all of an account is pending nothing is available to what comes after it,
// whatever their nonces: it takes the balance that it finds when it is executed, so
// a promise beside it could not be kept. The same id again returns the stored status; a rejected one is accepted
// anew.
func (s *Store) Admit(ctx context.Context, items []Submission) ([]Admission, error) {
	if len(items) == 0 {
		return nil, nil
	}
	var out []Admission
	accepted := false
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		d, err := openDoor(ctx, tx, items)
		if err != nil {
			return err
		}
		out = make([]Admission, len(items))
		for i := range items {
			out[i] = d.decide(&items[i])
		}
		accepted = len(d.fresh)+len(d.again) > 0
		return d.write(ctx, tx)
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

// door holds what the decisions need: senders locked, and what is known of them.
type door struct {
	senders map[settle.AccountIndex]*doorSender
	stored  map[settle.Hash]settle.TxStatus
	live    map[doorNonce]settle.Hash
	fresh   []*Submission // to insert
	again   []*Submission // rejected before

	exhausted bool // no index is left for what an open creates
}

type doorSender struct {
	index   settle.AccountIndex
	token   settle.TokenID
	nonce   settle.Nonce
	balance settle.Amount
	pending *big.Int // accepted debits
	all     bool     // an exit-all is among them
}

type doorNonce struct {
	from  settle.AccountIndex
	nonce settle.Nonce
}

type doorKnown struct {
	id     settle.Hash
	on     doorNonce
	status settle.TxStatus
}

// openDoor locks the senders, then reads what is known of them. The statements after
// the lock see what earlier holders of it committed (read committed takes a snapshot
// for each statement), so all three may go in one round trip.
func openDoor(ctx context.Context, tx pgx.Tx, items []Submission) (*door, error) {
	ids := make([][]byte, len(items))
	froms := make([]int64, len(items))
	nonces := make([]int64, len(items))
	distinct := make(map[int64]bool)
	for i := range items {
		ids[i], froms[i], nonces[i] = items[i].ID[:], int64(items[i].From), int64(items[i].Nonce)
		distinct[froms[i]] = true
	}
	senders := slices.Sorted(maps.Keys(distinct))
	d := &door{
		senders: make(map[settle.AccountIndex]*doorSender, len(senders)),
		stored:  make(map[settle.Hash]settle.TxStatus),
		live:    make(map[doorNonce]settle.Hash),
	}
	batch := &pgx.Batch{}
	batch.Queue(admitLockSQL, senders).Query(func(rows pgx.Rows) error {
		var row doorSender
		_, err := pgx.ForEachRow(rows, []any{&row.index, &row.token, &row.nonce, (*amount)(&row.balance)}, func() error {
			sender := row
			sender.pending = new(big.Int)
			d.senders[sender.index] = &sender
			return nil
		})
		return err
	})
	batch.Queue(admitKnownSQL, ids, froms, nonces).Query(func(rows pgx.Rows) error {
		var k doorKnown
		_, err := pgx.ForEachRow(rows, []any{fixed(k.id[:]), &k.on.from, &k.on.nonce, &k.status}, func() error {
			d.stored[k.id] = k.status
			if k.status != settle.TxRejected {
				d.live[k.on] = k.id
			}
			return nil
		})
		return err
	})
	batch.Queue(pendingBySenderSQL, senders).Query(func(rows pgx.Rows) error {
		var p pendingRow
		_, err := pgx.ForEachRow(rows, p.fields(), func() error {
			d.senders[p.sender].pending, d.senders[p.sender].all = p.Debits.Big(), p.All
			return nil
		})
		return err
	})
	if slices.ContainsFunc(items, func(item Submission) bool { return item.Kind == settle.KindOpen }) {
		batch.Queue(admitExhaustedSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&d.exhausted) })
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("lock senders: %w", err)
	}
	return d, nil
}

// decide admits or refuses one item and takes it into account for those after it.
func (d *door) decide(item *Submission) Admission {
	status, stored := d.stored[item.ID]
	if stored && status != settle.TxRejected {
		return Admission{Status: status, Existing: true}
	}
	sender := d.senders[item.From]
	if r := d.refusal(sender, item); r != nil {
		return Admission{Refusal: r}
	}
	if item.Kind == settle.KindOpen && d.exhausted {
		return Admission{Refusal: settle.Refuse(settle.CodeAccountsExhausted, "account %d exists, and no index is behind it", settle.AccountIndex(math.MaxUint32))}
	}
	sender.pending.Add(sender.pending, debit(item))
	sender.all = sender.all || item.Kind == settle.KindExitAll
	d.live[doorNonce{item.From, item.Nonce}] = item.ID
	d.stored[item.ID] = settle.TxAccepted
	if stored {
		d.again = append(d.again, item)
	} else {
		d.fresh = append(d.fresh, item)
	}
	return Admission{Status: settle.TxAccepted}
}

func debit(item *Submission) *big.Int {
	sum := item.Amount.Big()
	return sum.Add(sum, item.Fee.Big())
}

func (d *door) refusal(sender *doorSender, item *Submission) *settle.Refusal {
	switch {
	case sender == nil:
		return settle.Refuse(settle.CodeUnknownAccount, "account %d does not exist", item.From)
	case sender.token != item.Token:
		return settle.Refuse(settle.CodeWrongToken, "account %d holds token %d, not %d", item.From, sender.token, item.Token)
	case item.Nonce < sender.nonce:
		return settle.Refuse(settle.CodeStaleNonce, "nonce %d is used, expected %d or later", item.Nonce, sender.nonce)
	case item.Nonce-sender.nonce >= settle.NonceWindow || item.Nonce >= settle.MaxNonce:
		last := min(sender.nonce+settle.NonceWindow, settle.MaxNonce) - 1
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d is too far ahead, expected %d to %d", item.Nonce, sender.nonce, last)
	}
	if other, taken := d.live[doorNonce{item.From, item.Nonce}]; taken {
		return settle.Refuse(settle.CodeNonceConflict, "nonce %d of account %d is taken by transaction %s", item.Nonce, item.From, other)
	}
	return sender.afford(item)
}

// afford refuses what the sender's available balance does not cover.
func (s *doorSender) afford(item *Submission) *settle.Refusal {
	free, reserved := new(big.Int).Sub(s.balance.Big(), s.pending), "of which "+s.pending.String()+" is pending"
	if s.all {
		free, reserved = new(big.Int), "all of which a pending exit-all takes"
	}
	switch covers := free.Cmp(debit(item)); {
	case covers < 0:
		return settle.Refuse(settle.CodeInsufficientBalance, "amount and fee are %s; account %d has %s, %s", debit(item), item.From, s.balance, reserved)
	case covers == 0 && item.Kind == settle.KindExitAll:
		return settle.Refuse(settle.CodeZeroAmount, "exit-all with a fee of %s would pay nothing; account %d has %s, %s", item.Fee, item.From, s.balance, reserved)
	}
	return nil
}

func (d *door) write(ctx context.Context, tx pgx.Tx) error {
	if len(d.again) > 0 {
		ids, signatures := make([][]byte, len(d.again)), make([][]byte, len(d.again))
		for i, item := range d.again {
			ids[i], signatures[i] = item.ID[:], item.Signature[:]
		}
		if _, err := tx.Exec(ctx, admitAgainSQL, ids, signatures); err != nil {
			return fmt.Errorf("accept again: %w", err)
		}
	}
	if len(d.fresh) > 0 {
		if _, err := tx.Exec(ctx, admitInsertSQL, submissionColumns(d.fresh)...); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
	}
	return nil
}

// submissionColumns turns submissions into one array per column of admit_insert.sql.
func submissionColumns(items []*Submission) []any {
	n := len(items)
	var (
		ids, toOwners, toL1s, keys, signatures         = blobs(n), blobs(n), blobs(n), blobs(n), blobs(n)
		kinds                                          = make([]int16, n)
		froms, tos, tokens, packed, nonces, validUntil = ints(n), ints(n), ints(n), ints(n), ints(n), ints(n)
		amounts, fees                                  = make([]amount, n), make([]amount, n)
		feesPacked                                     = make([]int32, n)
	)
	for i, t := range items {
		ids[i], toOwners[i], toL1s[i] = t.ID[:], t.ToOwner[:], t.ToL1[:]
		keys[i], signatures[i] = t.PublicKey[:], t.Signature[:]
		kinds[i] = int16(t.Kind)
		froms[i], tos[i], tokens[i] = int64(t.From), int64(t.To), int64(t.Token)
		packed[i], nonces[i], validUntil[i] = int64(t.AmountPacked), int64(t.Nonce), int64(t.ValidUntil)
		amounts[i], fees[i], feesPacked[i] = amount(t.Amount), amount(t.Fee), int32(t.FeePacked)
	}
	return []any{ids, kinds, froms, tos, tokens, amounts, packed, fees, feesPacked, nonces, validUntil,
		toOwners, toL1s, keys, signatures}
}

func blobs(n int) [][]byte { return make([][]byte, n) }
func ints(n int) []int64   { return make([]int64, n) }
