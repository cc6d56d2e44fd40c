package admission

import (
	"math"
	"math/big"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// Book is what is known when transactions are decided on. Whoever fills it holds the
// senders locked until what Decide accepted is stored.
type Book struct {
	Senders   map[settle.AccountIndex]*Sender
	Stored    map[settle.Hash]settle.TxStatus // of the transactions to decide on, those that are stored
	Live      map[Slot]settle.Hash            // who has a nonce: all that is stored on it and not rejected
	Exhausted bool                            // no index is left for what an open creates
}

// Sender is an account as executed, with what is pending of it.
type Sender struct {
	Token   settle.TokenID
	Nonce   settle.Nonce
	Balance settle.Amount
	Pending Pending
}

// Slot is one nonce of one account.
type Slot struct {
	From  settle.AccountIndex
	Nonce settle.Nonce
}

// Outcome is what is decided on one transaction. Exactly one of Refusal and Status is set.
type Outcome struct {
	Refusal  *settle.Refusal
	Status   settle.TxStatus // of the stored transaction
	Existing bool            // the same id was stored before; nothing was changed
}

// Decide accepts or refuses one transaction and takes it into account for those after it.
//
// It refuses with unknown_account, wrong_token, stale_nonce, nonce_too_far,
// nonce_conflict, insufficient_balance (executed balance less accepted pending
// debits), zero_amount (an exit-all for which only its fee is available) and
// accounts_exhausted (an open when the last index is taken). While an exit-all of an
// account is pending nothing is available to what comes after it, whatever their
// nonces: it takes the balance that it finds when it is executed, so a promise beside
// it could not be kept. The same id again has the stored status; a rejected one is
// accepted anew.
func (b *Book) Decide(tx *Checked) Outcome {
	if status, stored := b.Stored[tx.ID]; stored && status != settle.TxRejected {
		return Outcome{Status: status, Existing: true}
	}
	sender := b.Senders[tx.From]
	if r := b.refusal(sender, tx); r != nil {
		return Outcome{Refusal: r}
	}
	if tx.Kind == settle.KindOpen && b.Exhausted {
		return Outcome{Refusal: settle.Refuse(settle.CodeAccountsExhausted, "account %d exists, and no index is behind it", settle.AccountIndex(math.MaxUint32))}
	}
	sender.take(&tx.Transaction)
	b.Live[Slot{tx.From, tx.Nonce}] = tx.ID
	b.Stored[tx.ID] = settle.TxAccepted
	return Outcome{Status: settle.TxAccepted}
}

func (b *Book) refusal(sender *Sender, tx *Checked) *settle.Refusal {
	switch {
	case sender == nil:
		return settle.Refuse(settle.CodeUnknownAccount, "account %d does not exist", tx.From)
	case sender.Token != tx.Token:
		return settle.Refuse(settle.CodeWrongToken, "account %d holds token %d, not %d", tx.From, sender.Token, tx.Token)
	case tx.Nonce < sender.Nonce:
		return settle.Refuse(settle.CodeStaleNonce, "nonce %d is used, expected %d or later", tx.Nonce, sender.Nonce)
	case tx.Nonce-sender.Nonce >= settle.NonceWindow || tx.Nonce >= settle.MaxNonce:
		last := min(sender.Nonce+settle.NonceWindow, settle.MaxNonce) - 1
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d is too far ahead, expected %d to %d", tx.Nonce, sender.Nonce, last)
	}
	if other, taken := b.Live[Slot{tx.From, tx.Nonce}]; taken {
		return settle.Refuse(settle.CodeNonceConflict, "nonce %d of account %d is taken by transaction %s", tx.Nonce, tx.From, other)
	}
	return sender.afford(&tx.Transaction)
}

// afford refuses what the sender's available balance does not cover.
func (s *Sender) afford(tx *state.Transaction) *settle.Refusal {
	free, reserved := new(big.Int).Sub(s.Balance.Big(), s.Pending.Debits.Big()), "of which "+s.Pending.Debits.String()+" is pending"
	if s.Pending.All {
		free, reserved = new(big.Int), "all of which a pending exit-all takes"
	}
	switch covers := free.Cmp(debit(tx)); {
	case covers < 0:
		return settle.Refuse(settle.CodeInsufficientBalance, "amount and fee are %s; account %d has %s, %s", debit(tx), tx.From, s.Balance, reserved)
	case covers == 0 && tx.Kind == settle.KindExitAll:
		return settle.Refuse(settle.CodeZeroAmount, "exit-all with a fee of %s would pay nothing; account %d has %s, %s", tx.Fee.Amount(), tx.From, s.Balance, reserved)
	}
	return nil
}

// debit is what a transaction takes at least: of an exit-all, whose amount is 0, the fee.
func debit(tx *state.Transaction) *big.Int {
	sum := tx.Amount.Value()
	return sum.Add(sum, tx.Fee.Value())
}

// take adds a transaction that afford let pass: the sum stays within the balance, so it fits.
func (s *Sender) take(tx *state.Transaction) {
	sum := debit(tx)
	if taken, err := settle.AmountFromBig(sum.Add(sum, s.Pending.Debits.Big())); err == nil {
		s.Pending.Debits = taken
	}
	s.Pending.All = s.Pending.All || tx.Kind == settle.KindExitAll
}
