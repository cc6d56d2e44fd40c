package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// drain executes the work list in order, each sender by nonce.
func (t *tenure) drain(ctx context.Context) error {
	for len(t.work) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := t.work[0]
		t.work = t.work[1:]
		if err := t.state.Verify(c.tx.From); err != nil {
			return damaged(err)
		}
		sender := t.batch.Account(c.tx.From)
		if c.tx.Nonce > sender.Nonce && !sender.IsEmpty() {
			t.park(c)
			continue
		}
		if err := t.offer(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// park lets c wait for the nonces before its own.
func (t *tenure) park(c *candidate) {
	if other := t.waiting.at(c.tx.From, c.tx.Nonce); other != nil {
		t.reject(c.id, settle.Refuse(settle.CodeNonceConflict, "transaction %s waits with the same nonce %d", other.id, c.tx.Nonce))
		return
	}
	c.parked = time.Now()
	if t.waiting.put(c) {
		t.held[c.sequence] = struct{}{}
	}
}

// offer does with c what the policy says.
func (t *tenure) offer(ctx context.Context, c *candidate) error {
	if err := t.assign(c); err != nil {
		t.reject(c.id, settle.Refuse(settle.CodeAccountsExhausted, "%v", err))
		return nil
	}
	s := t.snapshot(time.Now())
	if err := guard(func() error { next := t.batch.UsageWith(c.tx); s.Next = &next; return nil }); err != nil {
		t.setAside(c.id, err.Error())
		return nil
	}
	d := t.cfg.Policy.Decide(s)
	if d.Action == Blocked {
		if err := t.readBacklog(ctx); err != nil {
			return err
		}
		s.Unproven = t.unproven
		d = t.cfg.Policy.Decide(s)
	}
	switch d.Action {
	case Execute:
		return t.step(c)
	case Defer:
		t.deferred = append(t.deferred, c)
		t.held[c.sequence] = struct{}{}
	case Unfit:
		t.setAside(c.id, fmt.Sprintf("needs %+v, which no configured shape has", *s.Next))
	case Seal:
		t.work = append([]*candidate{c}, t.work...)
		return t.seal(ctx, d)
	case Blocked:
		return errBlocked
	default:
		return fmt.Errorf("policy answered %s for a next transaction", d.Action)
	}
	return nil
}

// assign gives the account of an open the slot behind the last one. Only the batch
// that executes it knows the index: a batch sealed before, or an open that was
// refused, makes it another one. So nobody can sign for the new account in the
// same batch but by guessing, and admission, which asks for accounts that exist,
// takes what it sends from the next batch on. state.ErrExhausted when there is no
// slot.
func (t *tenure) assign(c *candidate) (err error) {
	if c.tx.Kind == settle.KindOpen {
		c.tx.Assigned, err = t.batch.NextIndex()
	}
	return err
}

// damaged is what a batch finds in the accounts that it was to be executed on: no
// transaction is to blame, and nothing may be executed.
func damaged(err error) error { return fmt.Errorf("%w: %w. %s", ErrStateMismatch, err, remedy) }

// step executes c in the open batch. A refusal rejects it. Damaged accounts end the
// tenure; anything else is a bug of ours, and then c is set aside and the open batch
// made anew without it, as nobody knows what it has left there.
func (t *tenure) step(c *candidate) error {
	err := guard(func() error { return t.batch.Step(c.tx) })
	if refusal, ok := settle.AsRefusal(err); ok {
		t.reject(c.id, refusal)
		return nil
	}
	if errors.Is(err, state.ErrDamaged) || errors.Is(err, state.ErrFeeAccount) {
		return damaged(err)
	}
	if err != nil {
		t.setAside(c.id, err.Error())
		return t.replay()
	}
	now := time.Now()
	if len(t.open) == 0 || c.since.Before(t.oldest) {
		t.oldest = c.since
	}
	t.lastStep = now
	t.open = append(t.open, c)
	t.held[c.sequence] = struct{}{}
	from, next := c.tx.From, c.tx.Nonce+1
	if after := t.waiting.take(from, next); after != nil {
		delete(t.held, after.sequence)
		after.since = now // the wait behind the gap was its sender's doing
		t.work = append([]*candidate{after}, t.work...)
	}
	if t.waiting.turnedAway(from, next) {
		t.full = true
	}
	return nil
}

// replay executes the open batch anew.
func (t *tenure) replay() error {
	t.batch = t.state.Begin()
	for _, c := range t.open {
		if err := guard(func() error { return t.batch.Step(c.tx) }); err != nil {
			return fmt.Errorf("transaction %s executed once and not again: %w", c.id, err)
		}
	}
	return nil
}

// seal makes the open batch durable. Memory has moved on when it fails, so its
// error ends the tenure: whether the database took the batch or not, the reload
// finds out.
func (t *tenure) seal(ctx context.Context, d Decision) error {
	begun := time.Now()
	transactions := make([]store.ExecutedTransaction, len(t.open))
	for i, c := range t.open {
		transactions[i].ID = c.id
		if c.tx.Kind == settle.KindOpen {
			transactions[i].AssignedIndex = &c.tx.Assigned
		}
	}
	b, err := buildBatch(t.cfg.Hasher, t.batch, d.Shape, transactions)
	if err != nil {
		t.suspect(err)
		return err
	}
	built := time.Now()
	if err := t.cfg.Store.SealBatch(ctx, t.Epoch, b); err != nil {
		t.suspect(err)
		return err
	}
	event := SealEvent{
		Number: b.Number, Shape: b.Shape, Reason: d.Reason, Usage: b.Usage, Oldest: begun.Sub(t.oldest),
		Build: built.Sub(begun), Commit: time.Since(built), Witness: len(b.Witness.Data),
	}
	t.log.Info("batch sealed", "batch", b.Number, "shape", b.Shape, "reason", string(d.Reason), "transactions", len(t.open),
		"nodes", b.Usage.Nodes, "build", event.Build, "commit", event.Commit, "root", b.NewRoot)
	t.cfg.Observer.BatchSealed(event)

	t.Progressed()
	t.unproven++
	t.trust()
	for _, c := range t.open {
		delete(t.held, c.sequence)
	}
	for _, c := range t.deferred {
		delete(t.held, c.sequence)
	}
	t.work = append(t.deferred, t.work...)
	t.open, t.deferred = nil, nil
	t.batch = t.state.Begin()
	return nil
}

// suspect halves the size of batches after a seal that failed for what is in the
// batch. A batch of one transaction that still fails gives the culprit away; it
// is set aside after the reload. Rows that are not what memory was loaded from are
// looked at one by one then.
func (t *tenure) suspect(err error) {
	t.rowsDiffer = t.rowsDiffer || errors.Is(err, store.ErrStateMismatch)
	if !errors.Is(err, errBuild) && !isDataError(err) {
		return
	}
	t.log.Error("a batch could not be sealed for what is in it: this is a bug", "transactions", len(t.open), "error", err)
	if len(t.open) == 1 {
		t.poison[t.open[0].id] = err.Error()
		return
	}
	t.limit = max(1, len(t.open)/2)
}

// trust lets batches grow again after one was sealed.
func (t *tenure) trust() {
	if t.limit == 0 {
		return
	}
	t.limit *= 2
	largest := 0
	for _, s := range t.cfg.Policy.Shapes {
		largest = max(largest, s.Capacity.Transfers)
	}
	if t.limit >= largest {
		t.limit = 0
	}
}

// isDataError reports whether Postgres refused values (SQLSTATE classes 22, data
// exception, and 23, integrity constraint violation) rather than being unwell.
func isDataError(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && len(pg.Code) == 5 && (pg.Code[:2] == "22" || pg.Code[:2] == "23")
}
