package sequencer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/store"
)

// pass looks at accepted transactions in order of admission, executes what can
// be executed, and seals what is due. It returns when the next pass is due.
//
// A full pass begins at the start, others after the last sequence seen. Only full
// passes see a transaction whose sequence was drawn before, and committed after,
// another one was read. Only they reject what has waited too long, as only they
// know that nothing executable is left.
func (t *tenure) pass(ctx context.Context, flush bool) (time.Duration, error) {
	if t.unproven >= t.cfg.Policy.MaxUnproven {
		if err := t.readBacklog(ctx); err != nil {
			return 0, err
		}
		if t.unproven >= t.cfg.Policy.MaxUnproven {
			return 0, errBlocked
		}
	}
	t.tellBlocked(false)
	full := t.full
	t.full = false
	if full {
		t.cursor, t.lastFull = 0, time.Now()
		clear(t.waiting.away)
	}
	wake, err := t.executeAndSeal(ctx, full, flush)
	if err != nil && !errors.Is(err, errBlocked) {
		return 0, err
	}
	// Before the next read, or the same rows would be rejected twice.
	if err := t.writeRejections(ctx); err != nil {
		return 0, err
	}
	return min(wake, max(0, t.cfg.PollInterval-time.Since(t.lastFull))), err
}

func (t *tenure) executeAndSeal(ctx context.Context, full, flush bool) (time.Duration, error) {
	if err := t.readAll(ctx); err != nil {
		return 0, err
	}
	wake, err := t.sealDue(ctx, flush)
	if err == nil && full && !t.full {
		t.rejectOverdue()
	}
	return wake, err
}

// readAll executes everything accepted after the cursor, page by page.
func (t *tenure) readAll(ctx context.Context) error {
	for {
		page, err := t.cfg.Store.AcceptedTransactions(ctx, t.cursor, t.cfg.PageSize)
		if err != nil {
			return fmt.Errorf("read accepted transactions: %w", err)
		}
		if t.work, err = t.candidates(page); err != nil {
			return err
		}
		if err := t.drain(ctx); err != nil {
			return err
		}
		if err := t.writeRejections(ctx); err != nil {
			return err
		}
		if len(page) > 0 {
			t.cursor = page[len(page)-1].Sequence
		}
		if len(page) < t.cfg.PageSize {
			return nil
		}
	}
}

// candidates converts the rows of a page that are not held already, and verifies
// their signatures once more: a row that came by another way than admission must
// not make a batch unprovable.
func (t *tenure) candidates(page []store.Transaction) ([]*candidate, error) {
	now := time.Now()
	fresh := make([]*candidate, 0, len(page))
	signed := make([]schnorr.Signed, 0, len(page))
	for i := range page {
		row := &page[i]
		if _, ok := t.held[row.Sequence]; ok {
			continue
		}
		if why, ok := t.poison[row.ID]; ok {
			t.setAside(row.ID, why)
			continue
		}
		if row.Damage != nil {
			t.setAside(row.ID, row.Damage.Error())
			continue
		}
		tx := row.Checked.Transaction
		since := row.ReceivedAt
		if since.After(now) { // the database's clock is ahead of ours
			since = now
		}
		fresh = append(fresh, &candidate{sequence: row.Sequence, id: row.ID, tx: tx, since: since})
		signed = append(signed, schnorr.Signed{Public: tx.PublicKey, Message: tx.Message(t.state.Domain()), Signature: tx.Signature})
	}
	invalid, err := schnorr.VerifyBatch(signed, nil)
	if err != nil {
		return nil, fmt.Errorf("verify signatures: %w", err)
	}
	if invalid == nil {
		return fresh, nil
	}
	valid := fresh[:0]
	for i, c := range fresh {
		if invalid[i] == nil {
			valid = append(valid, c)
			continue
		}
		t.log.Error("a stored transaction is not signed by its key; it did not come through admission", "transaction", c.id, "error", invalid[i])
		t.reject(c.id, admission.AsRefusal(invalid[i], settle.CodeBadSignature))
	}
	return valid, nil
}

// sealDue seals the open batch while the policy says so, and returns when to ask
// again. Deferred transactions form the next batch, which may be due at once.
func (t *tenure) sealDue(ctx context.Context, flush bool) (time.Duration, error) {
	for {
		s := t.snapshot(time.Now())
		s.Flush = flush
		switch d := t.cfg.Policy.Decide(s); d.Action {
		case Seal:
			if err := t.seal(ctx, d); err != nil {
				return 0, err
			}
			if err := t.drain(ctx); err != nil {
				return 0, err
			}
		case Blocked:
			return 0, errBlocked
		default:
			if d.Wake > 0 {
				return d.Wake, nil
			}
			return t.cfg.PollInterval, nil
		}
	}
}

// snapshot is what the policy decides on when there is no next transaction.
func (t *tenure) snapshot(now time.Time) Snapshot {
	s := Snapshot{Usage: t.usage(), Unproven: t.unproven, Deferred: len(t.deferred), Limit: t.limit}
	if len(t.open) > 0 {
		oldest := t.oldest
		for _, c := range t.deferred {
			if c.since.Before(oldest) {
				oldest = c.since
			}
		}
		s.Age, s.Quiet = now.Sub(oldest), now.Sub(t.lastStep)
	}
	return s
}

// rejectOverdue rejects what waits behind a nonce gap for too long or has expired
// there.
func (t *tenure) rejectOverdue() {
	nonce := func(i settle.AccountIndex) settle.Nonce { return t.batch.Account(i).Nonce }
	coming := map[settle.AccountIndex]bool{}
	for _, c := range t.deferred {
		coming[c.tx.From] = true
	}
	overdue, why := t.waiting.overdue(time.Now(), t.cfg.NonceGapTimeout, t.batch.Number(), nonce,
		func(i settle.AccountIndex) bool { return coming[i] || t.waiting.turnedAway(i, nonce(i)) })
	for i, c := range overdue {
		delete(t.held, c.sequence)
		t.reject(c.id, why[i])
	}
}

// reject notes a rejection; writeRejections stores it.
func (t *tenure) reject(id settle.Hash, why *settle.Refusal) {
	t.rejections = append(t.rejections, store.Rejection{ID: id, Code: why.Code, Detail: why.Detail})
}

// setAside rejects a transaction that our own code cannot handle, so that the
// others go on.
func (t *tenure) setAside(id settle.Hash, why string) {
	t.log.Error("transaction set aside: this is a bug or a damaged row", "transaction", id, "error", why)
	t.reject(id, settle.Refuse(settle.CodeInternal, "the sequencer could not execute this transaction; its operator has been told"))
}

// writeRejections makes the noted rejections durable.
func (t *tenure) writeRejections(ctx context.Context) error {
	if len(t.rejections) == 0 {
		return nil
	}
	for some := range slices.Chunk(t.rejections, t.cfg.PageSize) {
		if err := t.cfg.Store.RejectTransactions(ctx, t.Epoch, some); err != nil {
			return fmt.Errorf("reject %d transactions: %w", len(some), err)
		}
	}
	counts := map[settle.Code]int{}
	for _, r := range t.rejections {
		counts[r.Code]++
		delete(t.poison, r.ID)
		t.log.Debug("rejected", "transaction", r.ID, "code", r.Code, "detail", r.Detail)
	}
	for code, n := range counts {
		t.cfg.Observer.Rejected(code, n)
	}
	t.rejections = nil
	return nil
}
