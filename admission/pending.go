package admission

import "github.com/zksettle/settle"

// Pending is what accepted, unexecuted transactions of one sender will take.
type Pending struct {
	Debits settle.Amount  // amounts and fees; of an exit-all the fee
	All    bool           // an exit-all is among them: it takes the rest
	Nonces []settle.Nonce // ascending
}

// Available returns what is left of an executed balance for further transactions.
func (p Pending) Available(balance settle.Amount) settle.Amount {
	// Executed between the reads of balance and pending, a debit is in both.
	left, ok := balance.Sub(p.Debits)
	if p.All || !ok {
		return settle.Amount{}
	}
	return left
}

// NextNonce returns the first nonce from the executed one on that no pending
// transaction uses: a gap before the end, if there is one.
func (p Pending) NextNonce(executed settle.Nonce) settle.Nonce {
	next := executed
	for _, n := range p.Nonces {
		if n == next {
			next++
		}
	}
	return next
}
