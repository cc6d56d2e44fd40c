package reexecute

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// Element reads a field element.
func Element(e settle.Element) (fr.Element, error) {
	var x fr.Element
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, fmt.Errorf("%s is not a field element: %w", e, err)
	}
	return x, nil
}

// stateTransaction reads a transaction as the API shows it.
func stateTransaction(t wire.TransactionState) (state.Transaction, error) {
	kind, err := settle.ParseKind(t.Kind)
	if err != nil {
		return state.Transaction{}, err
	}
	amount, err := state.NewFloat40(t.Amount)
	if err != nil {
		return state.Transaction{}, err
	}
	fee, err := state.NewFloat16(t.Fee)
	if err != nil {
		return state.Transaction{}, err
	}
	owner, err := Element(t.ToOwner)
	if err != nil {
		return state.Transaction{}, err
	}
	public, err := Element(t.PublicKey)
	if err != nil {
		return state.Transaction{}, err
	}
	signature, err := schnorr.ParseSignature(t.Signature[:])
	if err != nil {
		return state.Transaction{}, err
	}
	var assigned settle.AccountIndex
	if t.AssignedIndex != nil {
		assigned = *t.AssignedIndex
	}
	return state.Transaction{
		Kind: kind, Assigned: assigned, From: t.From, To: t.To, Token: t.Token, Amount: amount, Fee: fee, Nonce: t.Nonce, ValidUntil: t.ValidUntil,
		ToOwner: owner, ToL1: t.ToL1, PublicKey: public, Signature: signature,
	}, nil
}
