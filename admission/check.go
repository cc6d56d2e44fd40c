package admission

import (
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// Checked is a transaction that Check has passed, with its id.
type Checked struct {
	ID settle.Hash // keccak256(domain ‖ public key ‖ m ‖ toOwner ‖ toL1)
	state.Transaction
}

// Account is what an account never changes.
type Account struct {
	Owner settle.Element // x-coordinate of the owner's key
	Token settle.TokenID
	L1    settle.Address // where exits go
}

// Accounts are those that a transaction names and that exist.
type Accounts map[settle.AccountIndex]Account

// Rules is what transactions are checked against.
type Rules struct {
	Domain    fr.Element
	MinFees   map[settle.TokenID]settle.Amount // of the tokens that have a fee account
	NextBatch settle.BatchNumber               // the first batch that could contain the transaction
	Kinds     []settle.Kind                    // that are taken
}

// CheckForm checks what a transaction says by itself and its type does not hold: a kind
// that is taken, a nonce that can be used, amounts in their canonical short forms.
func CheckForm(kinds []settle.Kind, tx *state.Transaction) error {
	if !slices.Contains(kinds, tx.Kind) {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.String()
		}
		return settle.Refuse(settle.CodeUnsupportedKind, "kind %s is not taken by this rollup, expected %s", tx.Kind, strings.Join(names, ", "))
	}
	if tx.Nonce >= settle.MaxNonce {
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d, expected one below %d", tx.Nonce, settle.MaxNonce)
	}
	_, _, err := Exact(tx)
	return err
}

// Check applies every rule that needs neither nonce nor balance, the cheap ones first
// and the signature last. Each error is a *settle.Refusal.
//
// What it passes can be proven: the signature check is at least as strict as the
// circuit's, and no field is wider than its place in the message.
func Check(rules Rules, accounts Accounts, tx state.Transaction) (Checked, error) {
	if err := CheckForm(rules.Kinds, &tx); err != nil {
		return Checked{}, err
	}
	if err := checkParties(accounts, &tx); err != nil {
		return Checked{}, err
	}
	if err := rules.checkTerms(&tx); err != nil {
		return Checked{}, err
	}
	if err := tx.Verify(rules.Domain); err != nil {
		return Checked{}, AsRefusal(err, settle.CodeBadSignature)
	}
	return Checked{ID: tx.ID(rules.Domain), Transaction: tx}, nil
}

// Named lists the accounts that a transaction names by index, which Check looks up:
// only a transfer names its receiver.
func Named(tx *state.Transaction) []settle.AccountIndex {
	if tx.Kind == settle.KindTransfer {
		return []settle.AccountIndex{tx.From, tx.To}
	}
	return []settle.AccountIndex{tx.From}
}

// checkTerms checks fee and expiry.
func (rules Rules) checkTerms(tx *state.Transaction) error {
	least, ok := rules.MinFees[tx.Token]
	fee := tx.Fee.Amount()
	switch {
	case !ok:
		return settle.Refuse(settle.CodeNoFeeAccount, "token %d has no fee account, so transactions in it are not taken", tx.Token)
	case fee.Cmp(least) < 0:
		return settle.Refuse(settle.CodeFeeTooLow, "fee is %s, the minimum for token %d is %s", fee, tx.Token, least)
	case tx.ValidUntil != 0 && tx.ValidUntil < rules.NextBatch:
		return settle.Refuse(settle.CodeExpired, "valid until batch %d, the next batch is %d", tx.ValidUntil, rules.NextBatch)
	}
	return nil
}
