package client

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
)

// Address is a payment address: the pair of owner and l1. An account under a
// known owner with another l1 pays its exits to somebody else.
type Address struct {
	Owner settle.Element `json:"owner"` // x-coordinate of the owner's key
	L1    settle.Address `json:"l1"`
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

// Pay looks sender and receiver up by their pairs, signs a transfer of amount with
// the next free nonce and the minimum fee, and submits it. Whether an *UnansweredError
// error was stored is not known: submit what it holds again. Calling Pay again
// instead signs with the next nonce, and may pay twice.
func (c *Client) Pay(ctx context.Context, w Wallet, to Address, token settle.TokenID, amount settle.Amount) (wire.Receipt, error) {
	return c.send(ctx, w, Transfer{Receiver: to, Token: token, Amount: amount})
}

// Open opens an account of the pair for token with amount out of the wallet's own,
// also when the pair has one already. The transaction's state names its index once
// it is executed, and Accounts finds it. Errors are those of Pay.
func (c *Client) Open(ctx context.Context, w Wallet, account Address, token settle.TokenID, amount settle.Amount) (wire.Receipt, error) {
	return c.send(ctx, w, Open{Account: account, Token: token, Amount: amount})
}

// Exit takes amount out to the wallet's l1. Errors are those of Pay.
func (c *Client) Exit(ctx context.Context, w Wallet, token settle.TokenID, amount settle.Amount) (wire.Receipt, error) {
	return c.send(ctx, w, Exit{Token: token, Amount: amount})
}

// ExitAll takes the whole balance less the fee out to the wallet's l1. Errors are
// those of Pay.
func (c *Client) ExitAll(ctx context.Context, w Wallet, token settle.TokenID) (wire.Receipt, error) {
	return c.send(ctx, w, ExitAll{Token: token})
}

func (c *Client) send(ctx context.Context, w Wallet, o Order) (wire.Receipt, error) {
	signed, err := c.Prepare(ctx, w, o, nil)
	if err != nil {
		return wire.Receipt{}, err
	}
	return c.SubmitSigned(ctx, signed)
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
