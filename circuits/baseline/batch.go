package baseline

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"

	"github.com/zksettle/settle"
)

// Batch is an executed batch with all that its proof needs.
type Batch struct {
	Domain           fr.Element
	OldRoot, NewRoot fr.Element
	Token            settle.TokenID
	Steps            []Step
	Operator         Opening // after the last transfer, before the fees
}

// Step is a transfer with the accounts that it touched.
type Step struct {
	Transfer Transfer
	Key      eddsa.PublicKey // of the sender
	Sender   Opening         // before the transfer
	Receiver Opening         // after the sender has paid
}

// Opening is an account as it was, with its siblings from the leaf up.
type Opening struct {
	Index   settle.AccountIndex
	Owner   fr.Element // hash of the key
	Nonce   settle.Nonce
	Balance settle.Amount
	Path    []fr.Element
}

// headerBytes is the length of what precedes the transfers in a batch's data.
const headerBytes = 3*fr.Bytes + settle.IndexBits/8

// Data is what is published: domain, old root, new root (32 bytes each), operator
// (4), then 15 bytes for each transfer; all big-endian.
func (b *Batch) Data() []byte {
	data := make([]byte, 0, headerBytes+recordBytes*len(b.Steps))
	for _, e := range []fr.Element{b.Domain, b.OldRoot, b.NewRoot} {
		data = append(data, e.Marshal()...)
	}
	data = binary.BigEndian.AppendUint32(data, uint32(b.Operator.Index))
	for i := range b.Steps {
		data = append(data, b.Steps[i].Transfer.record()...)
	}
	return data
}

// Digest is the public input: SHA-256 of Data, modulo the field.
func (b *Batch) Digest() fr.Element {
	sum := sha256.Sum256(b.Data())
	var e fr.Element
	e.SetBytes(sum[:])
	return e
}
