package baseline

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"

	"github.com/zksettle/settle"
)

// Transfer is a signed payment. Amount and Fee are floats as Settle's: a mantissa of
// 35 or 11 bits and above it an exponent of ten of 5 bits, in 40 and 16 bits.
type Transfer struct {
	From, To  settle.AccountIndex
	Token     settle.TokenID
	Amount    uint64
	Fee       uint16
	Nonce     settle.Nonce
	Signature []byte // gnark-crypto's encoding of R and S, 64 bytes
}

// Sign sets the signature over the transfer's other fields and the rollup's domain.
func (t *Transfer) Sign(domain fr.Element, key *eddsa.PrivateKey) error {
	m, err := t.message(domain)
	if err != nil {
		return err
	}
	if t.Signature, err = key.Sign(m, poseidon2.NewMerkleDamgardHasher()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// message is what is signed, 32 bytes big-endian.
func (t *Transfer) message(domain fr.Element) ([]byte, error) {
	packed := pack(messageWidths(), number(t.From), number(t.To), number(t.Token), number(t.Amount), number(t.Fee), number(t.Nonce))
	m, err := compress(poseidon2.NewDefaultPermutation(), domain, packed)
	return m.Marshal(), err
}

// verify returns a refusal unless the owner's key signed the transfer.
func (t *Transfer) verify(domain fr.Element, owner *eddsa.PublicKey) error {
	m, err := t.message(domain)
	if err != nil {
		return err
	}
	ok, err := owner.Verify(t.Signature, m, poseidon2.NewMerkleDamgardHasher())
	if err != nil {
		return settle.Refuse(settle.CodeBadSignature, "signature of account %d cannot be read: %v", t.From, err)
	}
	if !ok {
		return settle.Refuse(settle.CodeBadSignature, "account %d did not sign this transfer", t.From)
	}
	return nil
}

func (t *Transfer) amount() *big.Int { return floatValue(t.Amount, settle.AmountBits) }

func (t *Transfer) fee() *big.Int { return floatValue(uint64(t.Fee), settle.FeeBits) }

// recordBytes is the length of a published transfer.
const recordBytes = (2*settle.IndexBits + settle.AmountBits + settle.FeeBits) / 8

// record is what is published: from, to, amount and fee, each big-endian.
func (t *Transfer) record() []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(t.From))
	b = binary.BigEndian.AppendUint32(b, uint32(t.To))
	b = append(b, number(t.Amount).FillBytes(make([]byte, settle.AmountBits/8))...)
	return binary.BigEndian.AppendUint16(b, t.Fee)
}
