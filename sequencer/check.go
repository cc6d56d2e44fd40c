package sequencer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// Request is a transaction as a client submitted it, before any check.
type Request struct {
	Kind         settle.Kind
	From         settle.AccountIndex
	To           settle.AccountIndex
	Token        settle.TokenID
	Amount       settle.Amount // exact
	AmountPacked *uint64       // the 40-bit float, if the client sent it: must be the canonical one of Amount
	Fee          settle.Amount // exact
	FeePacked    *uint16       // the 16-bit float, likewise
	Nonce        settle.Nonce
	ValidUntil   settle.BatchNumber // 0: no limit
	ToOwner      settle.Element
	ToL1         settle.Address
	PublicKey    settle.Element // x-coordinate
	Signature    []byte         // R.x ‖ s, 64 bytes
}

// Accounts finds accounts by index. Only what never changes is read from them:
// owner, token and l1.
type Accounts interface {
	Account(index settle.AccountIndex) (a store.Account, exists bool)
}

// AccountMap is Accounts from a map, as store.Accounts returns.
type AccountMap map[settle.AccountIndex]store.Account

// Account implements Accounts.
func (m AccountMap) Account(index settle.AccountIndex) (store.Account, bool) {
	a, ok := m[index]
	return a, ok
}

// Rules is what transactions are checked against.
type Rules struct {
	Domain      fr.Element
	FeeAccounts map[settle.TokenID]store.FeeAccount
	NextBatch   settle.BatchNumber // the first batch that could contain the transaction
	Kinds       []settle.Kind      // that are taken (KindsOf)
}

// CheckTransaction applies every rule of admission that needs neither nonce nor
// balance, the cheap ones first and the signature last, and returns what
// store.Admit takes. Nonce window, conflicts and balance are decided there, under
// a lock. Each error is a *settle.Refusal.
//
// What it admits can be proven: the signature check is at least as strict as the
// circuit's, and no field is wider than its place in the message.
func CheckTransaction(rules Rules, accounts Accounts, r Request) (store.Submission, error) {
	if err := rules.checkKind(r.Kind); err != nil {
		return store.Submission{}, err
	}
	tx, err := r.transaction()
	if err != nil {
		return store.Submission{}, err
	}
	if err := checkParties(accounts, r, tx.ToOwner); err != nil {
		return store.Submission{}, err
	}
	if err := rules.checkTerms(r); err != nil {
		return store.Submission{}, err
	}
	if err := tx.Verify(rules.Domain); err != nil {
		return store.Submission{}, asRefusal(err, settle.CodeBadSignature)
	}
	return store.Submission{
		ID: tx.ID(rules.Domain), Kind: r.Kind, From: r.From, To: r.To, Token: r.Token,
		Amount: r.Amount, AmountPacked: uint64(tx.Amount), Fee: r.Fee, FeePacked: uint16(tx.Fee),
		Nonce: r.Nonce, ValidUntil: r.ValidUntil, ToOwner: r.ToOwner, ToL1: r.ToL1, PublicKey: r.PublicKey,
		Signature: tx.Signature.Bytes(),
	}, nil
}

// transaction checks what the request says by itself: widths and encodings.
func (r Request) transaction() (state.Transaction, error) {
	tx := state.Transaction{
		Kind: r.Kind, From: r.From, To: r.To, Token: r.Token, Nonce: r.Nonce, ValidUntil: r.ValidUntil, ToL1: r.ToL1,
	}
	if r.Nonce >= settle.MaxNonce {
		return tx, settle.Refuse(settle.CodeNonceTooFar, "nonce %d, expected one below %d", r.Nonce, settle.MaxNonce)
	}
	var err error
	if tx.Amount, err = encodeAmount(r.Amount, r.AmountPacked); err != nil {
		return tx, err
	}
	if tx.Fee, err = encodeFee(r.Fee, r.FeePacked); err != nil {
		return tx, err
	}
	if err := tx.PublicKey.SetBytesCanonical(r.PublicKey[:]); err != nil {
		return tx, settle.Refuse(settle.CodeInvalidField, "public key is not below the field modulus r")
	}
	if err := tx.ToOwner.SetBytesCanonical(r.ToOwner[:]); err != nil {
		return tx, settle.Refuse(settle.CodeInvalidField, "receiver's owner is not below the field modulus r")
	}
	if tx.Signature, err = schnorr.ParseSignature(r.Signature); err != nil {
		return tx, asRefusal(err, settle.CodeSignatureEncoding)
	}
	return tx, nil
}

func encodeAmount(exact settle.Amount, packed *uint64) (state.Float40, error) {
	f, err := state.NewFloat40(exact)
	if err != nil {
		return 0, err
	}
	if packed != nil && state.Float40(*packed) != f {
		return 0, settle.Refuse(settle.CodeAmountEncoding, "packed amount is %d, the canonical encoding of %s is %d", *packed, exact, f)
	}
	return f, nil
}

func encodeFee(exact settle.Amount, packed *uint16) (state.Float16, error) {
	f, err := state.NewFloat16(exact)
	if err != nil {
		return 0, err
	}
	if packed != nil && state.Float16(*packed) != f {
		return 0, settle.Refuse(settle.CodeAmountEncoding, "packed fee is %d, the canonical encoding of %s is %d", *packed, exact, f)
	}
	return f, nil
}

// checkParties compares the sender with its account, and the receiver by the
// rules of the kind. owner is r.ToOwner.
func checkParties(accounts Accounts, r Request, owner fr.Element) error {
	sender, ok := accounts.Account(r.From)
	switch {
	case !ok:
		return settle.Refuse(settle.CodeUnknownAccount, "sender %d does not exist", r.From)
	case sender.Owner != r.PublicKey:
		return settle.Refuse(settle.CodeBadSignature, "account %d is owned by %s, the transaction is signed by %s", r.From, sender.Owner, r.PublicKey)
	case sender.Token != r.Token:
		return settle.Refuse(settle.CodeWrongToken, "account %d holds token %d, the transaction names token %d", r.From, sender.Token, r.Token)
	}
	switch r.Kind {
	case settle.KindOpen:
		return checkOpened(r, owner)
	case settle.KindExit, settle.KindExitAll:
		return checkExited(r, sender)
	default: // transfer; checkKind knows no other
		return checkTransferred(accounts, r)
	}
}

// checkTerms checks fee and expiry.
func (rules Rules) checkTerms(r Request) error {
	fee, ok := rules.FeeAccounts[r.Token]
	switch {
	case !ok:
		return settle.Refuse(settle.CodeNoFeeAccount, "token %d has no fee account, so transactions in it are not taken", r.Token)
	case r.Fee.Cmp(fee.MinFee) < 0:
		return settle.Refuse(settle.CodeFeeTooLow, "fee is %s, the minimum for token %d is %s", r.Fee, r.Token, fee.MinFee)
	case r.ValidUntil != 0 && r.ValidUntil < rules.NextBatch:
		return settle.Refuse(settle.CodeExpired, "valid until batch %d, the next batch is %d", r.ValidUntil, rules.NextBatch)
	}
	return nil
}

// asRefusal returns the refusal in err's chain, or err as a refusal of the code.
func asRefusal(err error, code settle.Code) *settle.Refusal {
	if r, ok := settle.AsRefusal(err); ok {
		return r
	}
	return settle.Refuse(code, "%v", err)
}
