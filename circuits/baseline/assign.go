package baseline

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	nativeeddsa "github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/native/twistededwards"
)

// Assign returns the circuit of a batch, filled in. It fits the system of as many
// transfers as the batch has: an operator fills slots with payments of 0 to himself.
func Assign(b *Batch) (*Circuit, error) {
	c := &Circuit{Digest: b.Digest(), Domain: b.Domain, OldRoot: b.OldRoot, Token: uint32(b.Token), Operator: b.Operator.wires()}
	for i := range b.Steps {
		s := &b.Steps[i]
		t := TransferWires{Amount: s.Transfer.Amount, Fee: s.Transfer.Fee, Sender: s.Sender.wires(), Receiver: s.Receiver.wires()}
		t.Key.A = twistededwards.Point{X: s.Key.A.X, Y: s.Key.A.Y}
		var signature nativeeddsa.Signature
		if _, err := signature.SetBytes(s.Transfer.Signature); err != nil {
			return nil, fmt.Errorf("signature of transfer %d: %w", i, err)
		}
		t.Signature.R = twistededwards.Point{X: signature.R.X, Y: signature.R.Y}
		t.Signature.S = signature.S[:]
		c.Transfers = append(c.Transfers, t)
	}
	return c, nil
}

// Witness returns the full witness of a batch.
func Witness(b *Batch) (witness.Witness, error) {
	c, err := Assign(b)
	if err != nil {
		return nil, err
	}
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	return w, nil
}

func (o *Opening) wires() AccountWires {
	return AccountWires{
		Index: uint32(o.Index), Owner: o.Owner, Nonce: uint64(o.Nonce), Balance: o.Balance.Big(), Path: variables(o.Path),
	}
}

func variables(elements []fr.Element) []frontend.Variable {
	out := make([]frontend.Variable, len(elements))
	for i, e := range elements {
		out[i] = e
	}
	return out
}
