package wire

import (
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// Encode returns a signed transaction as it is submitted and shown. On an error, which is
// about an amount that is no number below 2^128, the amount is 0 and the rest complete.
func Encode(tx *state.Transaction) (Transaction, error) {
	amount, err := tx.Amount.Amount()
	if err != nil {
		err = fmt.Errorf("amount: %w", err)
	}
	return Transaction{
		Kind: tx.Kind.String(), From: tx.From, To: tx.To, Token: tx.Token, Amount: amount, Fee: tx.Fee.Amount(),
		Nonce: tx.Nonce, ValidUntil: tx.ValidUntil, ToOwner: settle.Element(tx.ToOwner.Bytes()), ToL1: tx.ToL1,
		PublicKey: tx.PublicKey.Bytes(), Signature: tx.Signature.Bytes(),
	}, err
}
