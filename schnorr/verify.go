package schnorr

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/consensys/gnark-crypto/ecc/grumpkin/fp"

	"github.com/zksettle/settle"
)

// Verify checks a signature of msg by the key with x-coordinate public,
// strictly: s in [1, q), A on the curve, R with even y. The errors are
// ErrSignatureEncoding, ErrPublicKey or ErrSignature, each a settle.Refusal.
// What it accepts, the circuit can prove.
func Verify(public fr.Element, msg Message, sig Signature) error {
	if _, err := sig.scalar(); err != nil {
		return err
	}
	a, ok := lift(fp.Element(public))
	if !ok {
		return refuse(ErrPublicKey, settle.CodeBadSignature, "the signer's key is not on the curve")
	}
	// R = s·G - e·A. That its x is R.x proves that R.x is on the curve.
	c := shared()
	a.Neg(&a)
	var acc grumpkin.G1Jac
	c.endomorphismMul(&acc, &a, Challenge(sig.RX, public, msg))
	c.addBase(&acc, &sig.S)
	if acc.Z.IsZero() {
		return refuse(ErrSignature, settle.CodeBadSignature, "signature does not match key and message")
	}
	var r grumpkin.G1Affine
	r.FromJacobian(&acc)
	if fr.Element(r.X) != sig.RX || isOdd(&r.Y) {
		return refuse(ErrSignature, settle.CodeBadSignature, "signature does not match key and message")
	}
	return nil
}
