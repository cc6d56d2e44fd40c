package sequencer

import (
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// candidate is an accepted transaction on its way into a batch.
type candidate struct {
	sequence int64
	id       settle.Hash
	tx       state.Transaction
	since    time.Time // its age counts from here: admission, or the end of its nonce gap
	parked   time.Time // when it was found ahead of its sender's nonce
}

// waitingRoom holds transactions that are ahead of their sender's nonce, at most
// capacity of them. Those turned away are still accepted in Postgres and come
// again with the next full pass.
type waitingRoom struct {
	capacity int
	count    int
	bySender map[settle.AccountIndex]map[settle.Nonce]*candidate
	away     map[settle.AccountIndex]settle.Nonce // lowest nonce turned away in this pass
}

func newWaitingRoom(capacity int) *waitingRoom {
	return &waitingRoom{
		capacity: capacity,
		bySender: map[settle.AccountIndex]map[settle.Nonce]*candidate{}, away: map[settle.AccountIndex]settle.Nonce{},
	}
}

// at returns the transaction of a sender that waits with a nonce, or nil.
func (w *waitingRoom) at(from settle.AccountIndex, nonce settle.Nonce) *candidate {
	return w.bySender[from][nonce]
}

// put takes c in, or turns it away when the room is full.
func (w *waitingRoom) put(c *candidate) bool {
	from, nonce := c.tx.From, c.tx.Nonce
	if w.count >= w.capacity {
		if lowest, ok := w.away[from]; !ok || nonce < lowest {
			w.away[from] = nonce
		}
		return false
	}
	if w.bySender[from] == nil {
		w.bySender[from] = map[settle.Nonce]*candidate{}
	}
	w.bySender[from][nonce] = c
	w.count++
	return true
}

// take removes and returns what waits with a nonce, or nil.
func (w *waitingRoom) take(from settle.AccountIndex, nonce settle.Nonce) *candidate {
	c := w.bySender[from][nonce]
	if c == nil {
		return nil
	}
	delete(w.bySender[from], nonce)
	if len(w.bySender[from]) == 0 {
		delete(w.bySender, from)
	}
	w.count--
	return c
}

// turnedAway reports whether a transaction was turned away in this pass that a
// sender now at nonce could execute.
func (w *waitingRoom) turnedAway(from settle.AccountIndex, nonce settle.Nonce) bool {
	lowest, ok := w.away[from]
	return ok && lowest <= nonce
}

// overdue removes and returns what is past its validUntil or has waited for
// timeout, with the refusal of each. nonce gives a sender's next nonce; exempt
// says whose missing transaction is on its way.
func (w *waitingRoom) overdue(now time.Time, timeout time.Duration, number settle.BatchNumber,
	nonce func(settle.AccountIndex) settle.Nonce, exempt func(settle.AccountIndex) bool,
) (out []*candidate, why []*settle.Refusal) {
	for from, waiting := range w.bySender {
		for n, c := range waiting {
			var refusal *settle.Refusal
			switch {
			case c.tx.ValidUntil != 0 && c.tx.ValidUntil < number:
				refusal = settle.Refuse(settle.CodeExpired, "valid until batch %d, the next batch is %d; it waited behind nonce %d", c.tx.ValidUntil, number, nonce(from))
			case now.Sub(c.parked) >= timeout && !exempt(from):
				refusal = settle.Refuse(settle.CodeNonceGapExpired, "nonce %d waited %s for nonce %d of account %d, which did not come", n, timeout, nonce(from), from)
			default:
				continue
			}
			out, why = append(out, c), append(why, refusal)
		}
	}
	for _, c := range out {
		w.take(c.tx.From, c.tx.Nonce)
	}
	return out, why
}
