package client

import (
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// Order is what a wallet signs: Transfer, Open, Exit or ExitAll. Amounts and fees
// are exact and must have a short form; ValidUntil 0 is no limit.
type Order interface {
	transaction(w Wallet) (state.Transaction, error)
	by(s sender) Order // with the sender's account, nonce and fee
	token() settle.TokenID
}

// Transfer says what to send. Receiver is the pair that the payee gave; To is the
// index of an account of that pair, as looked up.
type Transfer struct {
	From       settle.AccountIndex
	To         settle.AccountIndex
	Receiver   Address
	Token      settle.TokenID
	Amount     settle.Amount
	Fee        settle.Amount
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber
}

// Open opens a new account of a pair and sends Amount to it, 0 too. Its index is
// assigned when it is executed; what the new account sends is taken after that.
type Open struct {
	From       settle.AccountIndex
	Account    Address
	Token      settle.TokenID
	Amount     settle.Amount
	Fee        settle.Amount
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber
}

// Exit takes Amount, which is not 0, out to the wallet's l1.
type Exit struct {
	From       settle.AccountIndex
	Token      settle.TokenID
	Amount     settle.Amount
	Fee        settle.Amount
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber
}

// ExitAll takes out to the wallet's l1 what the account holds when it is executed,
// less the fee.
type ExitAll struct {
	From       settle.AccountIndex
	Token      settle.TokenID
	Fee        settle.Amount
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber
}

// Sign returns the order signed, and its id. An amount or fee without an exact
// short form is a *settle.Refusal that names the nearest one below.
func (w Wallet) Sign(o Order) (wire.Transaction, settle.Hash, error) {
	tx, err := o.transaction(w)
	if err != nil {
		return wire.Transaction{}, settle.Hash{}, err
	}
	tx.PublicKey = w.key.Public().X
	if tx.Signature, err = schnorr.Sign(w.key, tx.Message(w.domain), nil); err != nil {
		return wire.Transaction{}, settle.Hash{}, fmt.Errorf("sign: %w", err)
	}
	signed, err := wire.Encode(&tx)
	if err != nil {
		return wire.Transaction{}, settle.Hash{}, err
	}
	return signed, tx.ID(w.domain), nil
}

func (t Transfer) transaction(Wallet) (state.Transaction, error) {
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: t.From, To: t.To, Token: t.Token, Nonce: t.Nonce, ValidUntil: t.ValidUntil, ToL1: t.Receiver.L1,
	}
	owner, err := schnorr.ParsePublicKey(t.Receiver.Owner[:])
	if err != nil {
		return tx, fmt.Errorf("receiver: %w", err)
	}
	tx.ToOwner = owner.X
	err = encode(&tx, t.Amount, t.Fee)
	return tx, err
}

func (o Open) transaction(Wallet) (state.Transaction, error) {
	tx := state.Transaction{
		Kind: settle.KindOpen, From: o.From, Token: o.Token, Nonce: o.Nonce, ValidUntil: o.ValidUntil, ToL1: o.Account.L1,
	}
	owner, err := schnorr.ParsePublicKey(o.Account.Owner[:])
	if err != nil {
		return tx, fmt.Errorf("new account: %w", err)
	}
	if o.Account.L1 == (settle.Address{}) {
		return tx, settle.Refuse(settle.CodeInvalidField, "the new account's l1 is 0, expected the Ethereum address that its exits go to")
	}
	tx.ToOwner = owner.X
	err = encode(&tx, o.Amount, o.Fee)
	return tx, err
}

func (e Exit) transaction(w Wallet) (state.Transaction, error) {
	tx := state.Transaction{Kind: settle.KindExit, From: e.From, Token: e.Token, Nonce: e.Nonce, ValidUntil: e.ValidUntil, ToL1: w.l1}
	if e.Amount.IsZero() {
		return tx, settle.Refuse(settle.CodeZeroAmount, "an exit must pay more than nothing")
	}
	err := encode(&tx, e.Amount, e.Fee)
	return tx, err
}

func (e ExitAll) transaction(w Wallet) (state.Transaction, error) {
	tx := state.Transaction{Kind: settle.KindExitAll, From: e.From, Token: e.Token, Nonce: e.Nonce, ValidUntil: e.ValidUntil, ToL1: w.l1}
	err := encode(&tx, settle.Amount{}, e.Fee)
	return tx, err
}

// encode sets the floats and refuses a nonce that is too wide to be signed.
func encode(tx *state.Transaction, amount, fee settle.Amount) (err error) {
	if tx.Nonce >= settle.MaxNonce {
		return settle.Refuse(settle.CodeNonceTooFar, "nonce %d, expected one below %d", tx.Nonce, settle.MaxNonce)
	}
	if tx.Amount, err = state.NewFloat40(amount); err != nil {
		return err
	}
	tx.Fee, err = state.NewFloat16(fee)
	return err
}
