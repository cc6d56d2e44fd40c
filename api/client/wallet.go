package client

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// Address is a payment address: the pair of owner and l1. An account under a
// known owner with another l1 pays its exits to somebody else.
type Address struct {
	Owner settle.Element // x-coordinate of the owner's key
	L1    settle.Address
}

// Wallet signs for one key on one rollup.
type Wallet struct {
	key    schnorr.PrivateKey
	domain fr.Element
	l1     settle.Address
}

// NewWallet returns a wallet that signs with key for the rollup at an address of a
// chain. Take chain id and rollup from a source that you trust, not from the API:
// they keep a signature from being valid elsewhere. l1 is where exits are paid.
func NewWallet(key schnorr.PrivateKey, chainID uint64, rollup, l1 settle.Address) Wallet {
	return Wallet{key: key, domain: publicdata.Domain(chainID, rollup), l1: l1}
}

// Address returns the wallet's payment address.
func (w Wallet) Address() Address { return Address{Owner: w.key.Public().Element(), L1: w.l1} }

// Domain returns the domain that the wallet signs under.
func (w Wallet) Domain() settle.Element { return settle.Element(w.domain.Bytes()) }

// Transfer says what to send. Receiver is the pair that the payee gave; To is the
// index of an account of that pair, as looked up.
type Transfer struct {
	From       settle.AccountIndex
	To         settle.AccountIndex
	Receiver   Address
	Token      settle.TokenID
	Amount     settle.Amount // exact; must have a short form
	Fee        settle.Amount // exact; must have a short form
	Nonce      settle.Nonce
	ValidUntil settle.BatchNumber // 0: no limit
}

// Sign returns the transfer signed, and its id. An amount or fee without an exact
// short form is a *settle.Refusal that names the nearest one below.
func (w Wallet) Sign(t Transfer) (wire.Transaction, settle.Hash, error) {
	tx, err := t.transaction()
	if err != nil {
		return wire.Transaction{}, settle.Hash{}, err
	}
	tx.PublicKey = w.key.Public().X
	if tx.Signature, err = schnorr.Sign(w.key, tx.Message(w.domain), nil); err != nil {
		return wire.Transaction{}, settle.Hash{}, fmt.Errorf("sign: %w", err)
	}
	return wire.Transaction{
		Kind: settle.KindTransfer.String(), From: t.From, To: t.To, Token: t.Token, Amount: t.Amount, Fee: t.Fee,
		Nonce: t.Nonce, ValidUntil: t.ValidUntil, ToOwner: t.Receiver.Owner, ToL1: t.Receiver.L1,
		PublicKey: w.key.Public().Element(), Signature: tx.Signature.Bytes(),
	}, tx.ID(w.domain), nil
}

func (t Transfer) transaction() (state.Transaction, error) {
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: t.From, To: t.To, Token: t.Token, Nonce: t.Nonce, ValidUntil: t.ValidUntil, ToL1: t.Receiver.L1,
	}
	if t.Nonce >= settle.MaxNonce {
		return tx, settle.Refuse(settle.CodeNonceTooFar, "nonce %d, expected one below %d", t.Nonce, settle.MaxNonce)
	}
	owner, err := schnorr.ParsePublicKey(t.Receiver.Owner[:])
	if err != nil {
		return tx, fmt.Errorf("receiver: %w", err)
	}
	tx.ToOwner = owner.X
	if tx.Amount, err = state.NewFloat40(t.Amount); err != nil {
		return tx, err
	}
	tx.Fee, err = state.NewFloat16(t.Fee)
	return tx, err
}

// Pay looks sender and receiver up by their pairs, signs a transfer of amount with
// the next free nonce and the minimum fee, and submits it.
func (c *Client) Pay(ctx context.Context, w Wallet, to Address, token settle.TokenID, amount settle.Amount) (wire.Receipt, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return wire.Receipt{}, err
	}
	if status.Domain != w.Domain() {
		return wire.Receipt{}, fmt.Errorf("the API serves the rollup of domain %s, the wallet signs for %s", status.Domain, w.Domain())
	}
	sender, err := c.find(ctx, w.Address(), token)
	if err != nil {
		return wire.Receipt{}, fmt.Errorf("sender: %w", err)
	}
	receiver, err := c.find(ctx, to, token)
	if err != nil {
		return wire.Receipt{}, fmt.Errorf("receiver: %w", err)
	}
	t := Transfer{From: sender.Index, To: receiver.Index, Receiver: to, Token: token, Amount: amount, Nonce: sender.NextNonce}
	for _, f := range status.FeeAccounts {
		if f.Token == token {
			t.Fee = f.MinimumFee
		}
	}
	tx, _, err := w.Sign(t)
	if err != nil {
		return wire.Receipt{}, err
	}
	return c.Submit(ctx, tx)
}

// find returns the first account of the pair that holds token.
func (c *Client) find(ctx context.Context, a Address, token settle.TokenID) (wire.Account, error) {
	accounts, err := c.Accounts(ctx, a)
	if err != nil {
		return wire.Account{}, err
	}
	for _, account := range accounts {
		if account.Token == token {
			return account, nil
		}
	}
	return wire.Account{}, fmt.Errorf("no account of (%s, %s) holds token %d", a.Owner, a.L1, token)
}
