package admission

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// Element reads a field element that what names: below the modulus r, or invalid_field.
func Element(e settle.Element, what string) (x fr.Element, err error) {
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, settle.Refuse(settle.CodeInvalidField, "%s is not below the field modulus r", what)
	}
	return x, nil
}

// Signature reads 64 bytes, R.x then s. Anything but the canonical encoding is refused
// with signature_encoding.
func Signature(b []byte) (schnorr.Signature, error) {
	sig, err := schnorr.ParseSignature(b)
	if err != nil {
		return sig, AsRefusal(err, settle.CodeSignatureEncoding)
	}
	return sig, nil
}

// Exact returns amount and fee in smallest units. A float that is not the canonical one
// of its value is refused with amount_encoding: two transactions that differ in nothing
// else would be one payment with two ids.
func Exact(tx *state.Transaction) (amount, fee settle.Amount, err error) {
	if !tx.Amount.Canonical() {
		return amount, fee, settle.Refuse(settle.CodeAmountEncoding, "packed amount %d is not the canonical encoding of a number", tx.Amount)
	}
	if !tx.Fee.Canonical() {
		return amount, fee, settle.Refuse(settle.CodeAmountEncoding, "packed fee %d is not the canonical encoding of a number", tx.Fee)
	}
	amount, err = tx.Amount.Amount()
	if err != nil {
		return amount, fee, settle.Refuse(settle.CodeAmountUnfit, "packed amount %d is not below 2^128", tx.Amount)
	}
	return amount, tx.Fee.Amount(), nil
}

// AsRefusal returns the refusal in err's chain, or err as a refusal of the code.
func AsRefusal(err error, code settle.Code) *settle.Refusal {
	if r, ok := settle.AsRefusal(err); ok {
		return r
	}
	return settle.Refuse(code, "%v", err)
}
