package admission

import (
	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// checkParties compares the sender with its account, and the receiver by the rules of
// the kind.
func checkParties(accounts Accounts, tx *state.Transaction) error {
	sender, ok := accounts[tx.From]
	key := settle.Element(tx.PublicKey.Bytes())
	switch {
	case !ok:
		return settle.Refuse(settle.CodeUnknownAccount, "sender %d does not exist", tx.From)
	case sender.Owner != key:
		return settle.Refuse(settle.CodeBadSignature, "account %d is owned by %s, the transaction is signed by %s", tx.From, sender.Owner, key)
	case sender.Token != tx.Token:
		return settle.Refuse(settle.CodeWrongToken, "account %d holds token %d, the transaction names token %d", tx.From, sender.Token, tx.Token)
	}
	switch tx.Kind {
	case settle.KindOpen:
		return checkOpened(tx)
	case settle.KindExit, settle.KindExitAll:
		return checkExited(tx, sender)
	default: // transfer; CheckForm knows no other
		return checkTransferred(accounts, tx)
	}
}

// checkTransferred compares the receiver of a transfer with its account.
func checkTransferred(accounts Accounts, tx *state.Transaction) error {
	receiver, ok := accounts[tx.To]
	owner := settle.Element(tx.ToOwner.Bytes())
	switch {
	case !ok:
		return settle.Refuse(settle.CodeUnknownAccount, "receiver %d does not exist", tx.To)
	case receiver.Owner != owner || receiver.L1 != tx.ToL1:
		return settle.Refuse(settle.CodeReceiverMismatch, "account %d belongs to (%s, %s), the transaction is for (%s, %s)",
			tx.To, receiver.Owner, receiver.L1, owner, tx.ToL1)
	case receiver.Token != tx.Token:
		return settle.Refuse(settle.CodeWrongToken, "receiver %d holds token %d, the transaction names token %d", tx.To, receiver.Token, tx.Token)
	}
	return nil
}

// checkOpened checks the pair that a new account is for. Execution would take an
// owner off the curve and l1 0 as well, but nobody could ever sign for the one,
// and what the other exits would be lost.
func checkOpened(tx *state.Transaction) error {
	switch {
	case tx.To != 0:
		return settle.Refuse(settle.CodeInvalidField, "receiver index is %d, an open signs 0: the index is assigned when it is executed", tx.To)
	case tx.ToOwner.IsZero():
		return settle.Refuse(settle.CodeInvalidField, "the new account's owner is 0, expected a public key")
	case tx.ToL1 == (settle.Address{}):
		return settle.Refuse(settle.CodeInvalidField, "the new account's l1 is 0, expected the Ethereum address that its exits go to")
	case !schnorr.OnCurve(tx.ToOwner):
		return settle.Refuse(settle.CodeInvalidField, "the new account's owner %s is on no point of the curve, so nobody has its key", settle.Element(tx.ToOwner.Bytes()))
	}
	return nil
}

// checkExited checks both kinds of exit, which go to the sender's own l1 alone.
func checkExited(tx *state.Transaction, sender Account) error {
	switch {
	case tx.To != 0 || !tx.ToOwner.IsZero():
		return settle.Refuse(settle.CodeInvalidField, "receiver is index %d and owner %s, an exit signs 0 for both", tx.To, settle.Element(tx.ToOwner.Bytes()))
	case tx.Kind == settle.KindExit && tx.Amount == 0:
		return settle.Refuse(settle.CodeZeroAmount, "an exit must pay more than nothing")
	case tx.Kind == settle.KindExitAll && tx.Amount != 0:
		return settle.Refuse(settle.CodeInvalidField, "amount is %s, exit-all signs 0: it pays the whole balance less the fee", tx.Amount.Value())
	case tx.ToL1 != sender.L1:
		return settle.Refuse(settle.CodeReceiverMismatch, "account %d exits to %s alone, the transaction signs %s", tx.From, sender.L1, tx.ToL1)
	}
	return nil
}
