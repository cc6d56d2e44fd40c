package sequencer

import (
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/store"
)

// KindsOf lists the kinds of transaction that batches of these shapes can carry.
// A transfer fits every shape; opens and exits need slots of their own, and are
// not taken while no shape has them.
func KindsOf(shapes []Shape) []settle.Kind {
	kinds := []settle.Kind{settle.KindTransfer}
	if slices.ContainsFunc(shapes, func(s Shape) bool { return s.Capacity.Opens > 0 }) {
		kinds = append(kinds, settle.KindOpen)
	}
	if slices.ContainsFunc(shapes, func(s Shape) bool { return s.Capacity.Exits > 0 }) {
		kinds = append(kinds, settle.KindExit, settle.KindExitAll)
	}
	return kinds
}

// checkKind refuses a kind that no shape can carry.
func (rules Rules) checkKind(kind settle.Kind) error {
	if slices.Contains(rules.Kinds, kind) {
		return nil
	}
	names := make([]string, len(rules.Kinds))
	for i, k := range rules.Kinds {
		names[i] = k.String()
	}
	return settle.Refuse(settle.CodeUnsupportedKind, "kind %s is not taken by this rollup, expected %s", kind, strings.Join(names, ", "))
}

// checkTransferred compares the receiver of a transfer with its account.
func checkTransferred(accounts Accounts, r Request) error {
	receiver, ok := accounts.Account(r.To)
	switch {
	case !ok:
		return settle.Refuse(settle.CodeUnknownAccount, "receiver %d does not exist", r.To)
	case receiver.Owner != r.ToOwner || receiver.L1 != r.ToL1:
		return settle.Refuse(settle.CodeReceiverMismatch, "account %d belongs to (%s, %s), the transaction is for (%s, %s)",
			r.To, receiver.Owner, receiver.L1, r.ToOwner, r.ToL1)
	case receiver.Token != r.Token:
		return settle.Refuse(settle.CodeWrongToken, "receiver %d holds token %d, the transaction names token %d", r.To, receiver.Token, r.Token)
	}
	return nil
}

// checkOpened checks the pair that a new account is for. Execution would take an
// owner off the curve and l1 0 as well, but nobody could ever sign for the one,
// and what the other exits would be lost.
func checkOpened(r Request, owner fr.Element) error {
	switch {
	case r.To != 0:
		return settle.Refuse(settle.CodeInvalidField, "receiver index is %d, an open signs 0: the index is assigned when it is executed", r.To)
	case owner.IsZero():
		return settle.Refuse(settle.CodeInvalidField, "the new account's owner is 0, expected a public key")
	case r.ToL1 == (settle.Address{}):
		return settle.Refuse(settle.CodeInvalidField, "the new account's l1 is 0, expected the Ethereum address that its exits go to")
	case !schnorr.OnCurve(owner):
		return settle.Refuse(settle.CodeInvalidField, "the new account's owner %s is on no point of the curve, so nobody has its key", r.ToOwner)
	}
	return nil
}

// checkExited checks both kinds of exit, which go to the sender's own l1 alone.
func checkExited(r Request, sender store.Account) error {
	switch {
	case r.To != 0 || r.ToOwner != (settle.Element{}):
		return settle.Refuse(settle.CodeInvalidField, "receiver is index %d and owner %s, an exit signs 0 for both", r.To, r.ToOwner)
	case r.Kind == settle.KindExit && r.Amount.IsZero():
		return settle.Refuse(settle.CodeZeroAmount, "an exit must pay more than nothing")
	case r.Kind == settle.KindExitAll && !r.Amount.IsZero():
		return settle.Refuse(settle.CodeInvalidField, "amount is %s, exit-all signs 0: it pays the whole balance less the fee", r.Amount)
	case r.ToL1 != sender.L1:
		return settle.Refuse(settle.CodeReceiverMismatch, "account %d exits to %s alone, the transaction signs %s", r.From, sender.L1, r.ToL1)
	}
	return nil
}
