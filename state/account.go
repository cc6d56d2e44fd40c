package state

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// Account is one leaf: one token of one owner. The zero value is the empty
// leaf; a slot is empty iff Owner is zero.
type Account struct {
	Owner   fr.Element // x-coordinate of a Grumpkin key
	Token   settle.TokenID
	Nonce   settle.Nonce
	Balance settle.Amount
	L1      settle.Address // where exits are paid
}

// IsEmpty reports whether the slot holds no account.
func (a Account) IsEmpty() bool { return a.Owner.IsZero() }

// Elements returns the four preimage elements of the leaf: owner,
// token + nonce·2^32, balance, l1.
func (a Account) Elements() [4]fr.Element {
	return [4]fr.Element{
		a.Owner,
		publicdata.Pack(publicdata.U(uint64(a.Token), settle.TokenBits), publicdata.U(uint64(a.Nonce), settle.NonceBits)),
		publicdata.Pack(publicdata.Field{Value: a.Balance.Big(), Bits: settle.BalanceBits}),
		publicdata.Pack(publicdata.Bytes(a.L1[:])),
	}
}

// Leaf returns the digest of the account's leaf.
func (a Account) Leaf(h *poseidon.Hasher) fr.Element { return h.Leaf(a.Elements()) }
