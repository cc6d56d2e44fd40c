package sequencer

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func element(e settle.Element, what string) (fr.Element, error) {
	var x fr.Element
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, fmt.Errorf("%s %s is not a field element: %w", what, e, err)
	}
	return x, nil
}

// fromStored turns a stored transaction into what is executed. An error means
// that the row is damaged: admission stores none that fails.
func fromStored(t store.Submission) (state.Transaction, error) {
	tx := state.Transaction{
		Kind: t.Kind, From: t.From, To: t.To, Token: t.Token, Amount: state.Float40(t.AmountPacked), Fee: state.Float16(t.FeePacked),
		Nonce: t.Nonce, ValidUntil: t.ValidUntil, ToL1: t.ToL1,
	}
	if !tx.Amount.Canonical() || !tx.Fee.Canonical() || t.Nonce > settle.MaxNonce || t.Kind>>settle.KindBits != 0 {
		return tx, fmt.Errorf("a field is wider than its place in the message or not canonical: amount %d, fee %d, nonce %d, kind %d",
			t.AmountPacked, t.FeePacked, t.Nonce, t.Kind)
	}
	var err error
	if tx.PublicKey, err = element(t.PublicKey, "public key"); err != nil {
		return tx, err
	}
	if tx.ToOwner, err = element(t.ToOwner, "receiver's owner"); err != nil {
		return tx, err
	}
	if tx.Signature, err = schnorr.ParseSignature(t.Signature[:]); err != nil {
		return tx, err
	}
	return tx, nil
}

// accountFromStored returns an account and its stored digest, which it does not
// compare.
func accountFromStored(a store.Account) (x state.Indexed, leaf fr.Element, err error) {
	owner, err := element(a.Owner, "owner")
	if err != nil {
		return x, leaf, err
	}
	leaf, err = element(a.Leaf, "digest")
	return state.Indexed{Index: a.Index, Account: state.Account{
		Owner: owner, Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1,
	}}, leaf, err
}

func accountToStored(index settle.AccountIndex, a state.Account, leaf fr.Element) store.Account {
	return store.Account{
		Index: index, Owner: a.Owner.Bytes(), Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
	}
}
