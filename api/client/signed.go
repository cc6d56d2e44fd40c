package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// Signed is a signed transaction and its id. Submitting it again is harmless: the
// same id is stored once.
type Signed struct {
	ID          settle.Hash      `json:"id"`
	Transaction wire.Transaction `json:"transaction"`
}

// UnansweredError is a submission of which it is not known whether it was stored: the
// answer was lost, or was none of the API's refusals. Submit Signed again, or look
// its id up, before anything else is signed for the same purpose.
type UnansweredError struct {
	Signed Signed
	Err    error
}

// Error implements error.
func (e *UnansweredError) Error() string {
	return fmt.Sprintf("transaction %s may be stored: %v", e.Signed.ID, e.Err)
}

// Unwrap returns the cause.
func (e *UnansweredError) Unwrap() error { return e.Err }

// Prepare completes an order and signs it: From, To and Fee are looked up and
// overwritten, Nonce is nonce or, if that is nil, the next free one of the account.
// Nothing is submitted.
func (c *Client) Prepare(ctx context.Context, w Wallet, o Order, nonce *settle.Nonce) (Signed, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return Signed{}, err
	}
	if status.Domain != w.Domain() {
		return Signed{}, fmt.Errorf("the API serves the rollup of domain %s, the wallet signs for %s", status.Domain, w.Domain())
	}
	account, err := c.find(ctx, w.Address(), o.token())
	if err != nil {
		return Signed{}, fmt.Errorf("sender: %w", err)
	}
	from := sender{index: account.Index, nonce: account.NextNonce}
	if nonce != nil {
		from.nonce = *nonce
	}
	for _, f := range status.FeeAccounts {
		if f.Token == o.token() {
			from.fee = f.MinimumFee
		}
	}
	if t, ok := o.(Transfer); ok {
		receiver, err := c.find(ctx, t.Receiver, t.Token)
		if err != nil {
			return Signed{}, fmt.Errorf("receiver: %w", err)
		}
		t.To = receiver.Index
		o = t
	}
	tx, id, err := w.Sign(o.by(from))
	return Signed{ID: id, Transaction: tx}, err
}

// SubmitSigned submits what was signed. An error is the API's refusal, or *UnansweredError.
func (c *Client) SubmitSigned(ctx context.Context, s Signed) (wire.Receipt, error) {
	receipt, err := c.Submit(ctx, s.Transaction)
	switch {
	case err == nil && receipt.ID != s.ID:
		return receipt, &UnansweredError{s, fmt.Errorf("the receipt is for %s", receipt.ID)}
	case err == nil || isRefusal(err):
		return receipt, err
	}
	return receipt, &UnansweredError{s, err}
}

// isRefusal reports whether the API itself refuses the request. An answer without a
// code is that of something on the way; a time-out, a failure of the server's, or a
// lost connection says nothing of what was stored.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code != "" && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
}

// sender is the wallet's account, the nonce to use and the minimum fee.
type sender struct {
	index settle.AccountIndex
	nonce settle.Nonce
	fee   settle.Amount
}

func (t Transfer) by(s sender) Order { t.From, t.Nonce, t.Fee = s.index, s.nonce, s.fee; return t }
func (o Open) by(s sender) Order     { o.From, o.Nonce, o.Fee = s.index, s.nonce, s.fee; return o }
func (e Exit) by(s sender) Order     { e.From, e.Nonce, e.Fee = s.index, s.nonce, s.fee; return e }
func (e ExitAll) by(s sender) Order  { e.From, e.Nonce, e.Fee = s.index, s.nonce, s.fee; return e }

func (t Transfer) token() settle.TokenID { return t.Token }
func (o Open) token() settle.TokenID     { return o.Token }
func (e Exit) token() settle.TokenID     { return e.Token }
func (e ExitAll) token() settle.TokenID  { return e.Token }
