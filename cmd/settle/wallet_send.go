package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
)

// addressFlags name the payment address of another.
type addressFlags struct {
	ToOwner string `help:"Owner in the payment address that the receiver gave you." required:""`
	ToL1    string `name:"to-l1" help:"L1 address in the payment address that the receiver gave you." required:""`
}

func (f addressFlags) address() (to client.Address, err error) {
	if err := to.Owner.UnmarshalText([]byte(f.ToOwner)); err != nil {
		return to, fmt.Errorf("--to-owner: %w", err)
	}
	if err := to.L1.UnmarshalText([]byte(f.ToL1)); err != nil {
		return to, fmt.Errorf("--to-l1: %w", err)
	}
	return to, nil
}

// tokenFlags choose the account that pays.
type tokenFlags struct {
	Token uint32 `help:"Number of the token." default:"0"`
}

func (f tokenFlags) token() settle.TokenID { return settle.TokenID(f.Token) }

// amountFlags say how much.
type amountFlags struct {
	Amount string `help:"Amount to send, in the smallest unit of the token." required:""`
}

func (f amountFlags) amount() (settle.Amount, error) {
	amount, err := settle.ParseAmount(f.Amount)
	if err != nil {
		return amount, fmt.Errorf("--amount: %w", err)
	}
	return amount, nil
}

// signFlags are those of every command that signs a transaction.
type signFlags struct {
	rollupFlags
	Nonce   *uint64 `help:"Nonce to sign with. The default is the account's next free one. Repeating a command with the same nonce pays only once."`
	Again   bool    `help:"Send a second transaction although the answer to the same command was lost. The unanswered one is sent again first."`
	Journal string  `help:"File that keeps a sent transaction until the API has answered. The default is the key file's name with .journal." type:"path"`
}

const (
	// lookupTimeout bounds the look-up after a lost answer.
	lookupTimeout = 10 * time.Second
	// journalTimeout bounds the wait for another process with the same journal.
	journalTimeout = 3 * time.Minute
)

// submit signs the order, keeps it in the journal and sends it. What the journal
// holds unanswered of the same order is sent again instead, the same bytes.
func (f signFlags) submit(a *app, order client.Order) (err error) {
	api, wallet, err := f.open()
	if err != nil {
		return err
	}
	path := f.Journal
	if path == "" {
		path = f.Key + ".journal"
	}
	ctx, cancel := context.WithTimeout(a.Ctx, journalTimeout)
	defer cancel()
	journal, err := openJournal(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	out := outbox{app: a, api: api, journal: journal}

	want := sentOrder{Domain: wallet.Domain(), Owner: wallet.Address().Owner, Order: describeOrder(wallet, order)}
	for _, old := range journal.unanswered(want) {
		if !f.Again && f.Nonce != nil && old.Transaction.Nonce != settle.Nonce(*f.Nonce) {
			return fmt.Errorf("the same command was sent at %s with nonce %d as transaction %s, and is unanswered: "+
				"run it without --nonce to send that again, or with --again for a second one", old.At.Format(time.RFC3339), old.Transaction.Nonce, old.ID)
		}
		receipt, err := out.again(old)
		if err != nil {
			return err // its answer is known, or the next run sends it once more
		}
		if !f.Again {
			a.Log.Warn("this is the transaction whose answer was lost, no second one; run the command once more for another",
				"id", old.ID, "first_sent", old.At, "status", receipt.Status)
			return a.PrintJSON(receipt)
		}
	}
	signed, err := api.Prepare(a.Ctx, wallet, order, (*settle.Nonce)(f.Nonce))
	if err != nil {
		return err
	}
	for _, e := range journal.entries {
		if e.Domain == want.Domain && e.Transaction.From == signed.Transaction.From && e.Transaction.Nonce == signed.Transaction.Nonce && e.ID != signed.ID {
			a.Log.Warn("another transaction with this nonce is unanswered: only one of them can be executed", "nonce", e.Transaction.Nonce, "other", e.ID)
		}
	}
	receipt, err := out.first(sentEntry{sentOrder: want, At: time.Now().UTC(), Signed: signed})
	if err != nil {
		return err
	}
	if w := receipt.Warning; w != nil {
		a.Log.Warn(w.Detail, "code", w.Code, "id", receipt.ID)
	}
	return a.PrintJSON(receipt)
}

// outbox sends what the journal holds.
type outbox struct {
	app     *app
	api     *client.Client
	journal *sendJournal
}

// first keeps e in the journal, then sends it.
func (o outbox) first(e sentEntry) (wire.Receipt, error) {
	if err := o.journal.add(e); err != nil {
		return wire.Receipt{}, fmt.Errorf("nothing was sent: %w", err)
	}
	return o.send(e)
}

// again looks e up, and sends its bytes again unless it is stored.
func (o outbox) again(e sentEntry) (wire.Receipt, error) {
	if receipt, found, err := o.lookUp(e); found == known {
		return receipt, err
	}
	return o.send(e)
}

// send sends e and takes it from the journal once it is known to be stored, or
// refused and not stored: a refusal alone may be the answer to a second copy.
func (o outbox) send(e sentEntry) (wire.Receipt, error) {
	o.app.Log.Info("sending", "id", e.ID, "nonce", e.Transaction.Nonce, "journal", o.journal.path)
	receipt, err := o.api.SubmitSigned(o.app.Ctx, e.Signed)
	if err == nil {
		return receipt, o.journal.remove(e)
	}
	var unanswered *client.UnansweredError
	refused := !errors.As(err, &unanswered)
	receipt, found, lookUpErr := o.lookUp(e)
	switch {
	case found == known:
		return receipt, lookUpErr
	case client.CodeOf(err) == settle.CodeBackPressure:
		return receipt, fmt.Errorf("not stored, and kept in %s: run the same command again: %w", o.journal.path, err)
	case found == absent && refused:
		return receipt, errors.Join(err, o.journal.remove(e))
	}
	if unanswered != nil {
		err = unanswered.Err
	}
	return receipt, fmt.Errorf("transaction %s may be stored: run the same command again: it sends the same bytes, kept in %s, "+
		"which pay once, whether they were stored or not: %w", e.ID, o.journal.path, err)
}

// lookedUp is what is known of a transaction.
type lookedUp int

const (
	unknown lookedUp = iota // the API did not answer
	absent                  // the API does not have it
	known                   // the API has it
)

// lookUp asks whether e is stored; an error with known says that it was rejected.
// The look-up goes on past an interrupt: it is what the user needs to know then.
func (o outbox) lookUp(e sentEntry) (wire.Receipt, lookedUp, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.app.Ctx), lookupTimeout)
	defer cancel()
	tx, err := o.api.Transaction(ctx, e.ID)
	if client.CodeOf(err) == settle.CodeNotFound {
		return wire.Receipt{}, absent, nil
	}
	if err != nil || tx.ID != e.ID {
		return wire.Receipt{}, unknown, nil //nolint:nilerr // the caller tells of the submission's error
	}
	receipt := wire.Receipt{ID: tx.ID, Status: tx.Status, Existing: true}
	if err := o.journal.remove(e); err != nil {
		return receipt, known, err
	}
	if tx.Rejection != nil {
		return receipt, known, fmt.Errorf("transaction %s was stored and then rejected, it pays nothing: %s: %s", e.ID, tx.Rejection.Code, tx.Rejection.Detail)
	}
	return receipt, known, nil
}

type walletSendCmd struct {
	signFlags
	addressFlags
	tokenFlags
	amountFlags
}

// Run sends and prints the receipt.
func (c walletSendCmd) Run(a *app) error {
	to, err := c.address()
	if err != nil {
		return err
	}
	amount, err := c.amount()
	if err != nil {
		return err
	}
	return c.submit(a, client.Transfer{Receiver: to, Token: c.token(), Amount: amount})
}

type walletOpenCmd struct {
	signFlags
	addressFlags
	tokenFlags
	amountFlags
}

// Run opens the account and prints the receipt; the transaction names the index
// once it is executed.
func (c walletOpenCmd) Run(a *app) error {
	account, err := c.address()
	if err != nil {
		return err
	}
	amount, err := c.amount()
	if err != nil {
		return err
	}
	return c.submit(a, client.Open{Account: account, Token: c.token(), Amount: amount})
}

type walletExitCmd struct {
	signFlags
	tokenFlags
	amountFlags
}

// Run exits and prints the receipt.
func (c walletExitCmd) Run(a *app) error {
	amount, err := c.amount()
	if err != nil {
		return err
	}
	return c.submit(a, client.Exit{Token: c.token(), Amount: amount})
}

type walletExitAllCmd struct {
	signFlags
	tokenFlags
}

// Run exits and prints the receipt.
func (c walletExitAllCmd) Run(a *app) error {
	return c.submit(a, client.ExitAll{Token: c.token()})
}
