package state

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
)

// Transaction is a signed L2 transaction. To is the index as signed: 0 for open
// and both kinds of exit. Assigned is not signed: it is the empty slot in which
// the sequencer puts the account of an open, and 0 otherwise.
type Transaction struct {
	Kind       settle.Kind
	From       settle.AccountIndex
	To         settle.AccountIndex
	Assigned   settle.AccountIndex
	Token      settle.TokenID
	Amount     Float40
	Fee        Float16
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber // 0: no limit; else the last batch that may contain it
	ToOwner    fr.Element
	ToL1       settle.Address
	PublicKey  fr.Element // x-coordinate; equals the sender's owner
	Signature  schnorr.Signature
}

// Receiver returns the account that is credited; ok is false for exits, which
// credit none.
func (t *Transaction) Receiver() (index settle.AccountIndex, ok bool) {
	switch t.Kind {
	case settle.KindTransfer:
		return t.To, true
	case settle.KindOpen:
		return t.Assigned, true
	default:
		return 0, false
	}
}

// IsExit reports whether the transaction pays out on L1.
func (t *Transaction) IsExit() bool { return t.Kind == settle.KindExit || t.Kind == settle.KindExitAll }

// M packs the signed fields, low bits first: kind 4, from 32, to 32, token 32,
// amount 40, fee 16, nonce 40, validUntil 32 bits.
func (t *Transaction) M() fr.Element {
	return publicdata.Pack(
		publicdata.U(uint64(t.Kind), settle.KindBits),
		publicdata.U(uint64(t.From), settle.IndexBits),
		publicdata.U(uint64(t.To), settle.IndexBits),
		publicdata.U(uint64(t.Token), settle.TokenBits),
		publicdata.U(uint64(t.Amount), settle.AmountBits),
		publicdata.U(uint64(t.Fee), settle.FeeBits),
		publicdata.U(uint64(t.Nonce), settle.NonceBits),
		publicdata.U(uint64(t.ValidUntil), settle.BatchBits),
	)
}

// Message is what the sender signs.
func (t *Transaction) Message(domain fr.Element) schnorr.Message {
	return schnorr.Message{M: t.M(), Domain: domain, ToOwner: t.ToOwner, ToL1: publicdata.Pack(publicdata.Bytes(t.ToL1[:]))}
}

// ID is keccak256(domain ‖ A.x ‖ m ‖ toOwner ‖ toL1) over 32-byte words. It
// leaves the signature out, which anybody can change for another valid one.
func (t *Transaction) ID(domain fr.Element) settle.Hash {
	msg := t.Message(domain)
	hash := sha3.NewLegacyKeccak256()
	for _, e := range []fr.Element{domain, t.PublicKey, msg.M, msg.ToOwner, msg.ToL1} {
		b := e.Bytes()
		hash.Write(b[:])
	}
	return settle.Hash(hash.Sum(nil))
}

// Verify checks the signature under the domain.
func (t *Transaction) Verify(domain fr.Element) error {
	return schnorr.Verify(t.PublicKey, t.Message(domain), t.Signature)
}
