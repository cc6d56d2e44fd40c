package l1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
)

// FeePolicy says what a transaction outside the pipeline may pay, and when it pays more.
type FeePolicy struct {
	MaxFee     settle.Amount // cap in wei per gas; 0: 200 gwei
	StuckAfter time.Duration // after a node has taken it, until it is replaced at higher fees; 0: 2 minutes
	Logger     *slog.Logger  // hears of higher fees; nil discards
	Now        func() time.Time
}

func (p *FeePolicy) setDefaults() {
	if p.MaxFee.IsZero() {
		p.MaxFee = settle.NewAmount(defaultMaxFee)
	}
	if p.StuckAfter == 0 {
		p.StuckAfter = 2 * time.Minute
	}
	if p.Logger == nil {
		p.Logger = slog.New(slog.DiscardHandler)
	}
	if p.Now == nil {
		p.Now = time.Now
	}
}

// showEvery is after how many looks for a receipt a transaction is sent again, in case
// that the nodes have forgotten it.
const showEvery = 50

// lostAfter is how many sends may find the nonce used while there is no receipt: a node
// can know the one before the other.
const lostAfter = 10

var (
	errReverted  = errors.New("reverted on L1")
	errNonceLost = errors.New("the nonce is used")
)

// delivery is one call on its way to L1. Its versions have sender, nonce and call in
// common, so that one of them can be mined at most: each may be, and is looked for.
type delivery struct {
	*wallet
	versions []*types.Transaction                            // by the order in which they were made; the last is the one to send
	keep     func(context.Context, *types.Transaction) error // stores a version before it is sent; nil: nowhere

	taken  *types.Transaction // the last version that a node has taken in this process
	since  time.Time          // from when the last version is with a node
	refuse bool               // the last version is not taken, and not for want of an answer
	used   int                // sends that found the nonce used
	capped bool               // it was said that the cap leaves no room
}

// sendAndWait delivers a transaction of which there is no other version yet.
func (w *wallet) sendAndWait(ctx context.Context, tx *types.Transaction, poll time.Duration) (*types.Receipt, error) {
	return (&delivery{wallet: w, versions: []*types.Transaction{tx}}).wait(ctx, poll)
}

// wait sends the last version and looks for a receipt every poll; an error when it was
// refused or reverted. After an answer that leaves open whether the node has taken it (it
// is known already, none came) the chain decides: the same bytes are sent again, and the
// receipt is looked for until ctx ends. What a node has taken, and is not mined in time,
// is replaced at higher fees.
func (d *delivery) wait(ctx context.Context, poll time.Duration) (*types.Receipt, error) {
	for look := 0; ; look++ {
		if receipt, err := d.advance(ctx, look); receipt != nil || err != nil {
			return receipt, err
		}
		receipt, err := d.receipt(ctx)
		var head uint64
		if err == nil {
			head, err = d.node.BlockNumber(ctx)
		}
		switch {
		case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
			// A node can know a receipt before calls see the state after it.
			if head >= receipt.BlockNumber.Uint64() {
				return receipt, nil
			}
		case err == nil:
			return nil, fmt.Errorf("%w: transaction %s in block %d", errReverted, receipt.TxHash, receipt.BlockNumber)
		case errors.Is(err, ethereum.NotFound) && d.used >= lostAfter:
			return nil, fmt.Errorf("%w: nonce %d of %s went to another transaction than %s", errNonceLost, d.last().Nonce(), d.address, d.last().Hash())
		case errors.Is(err, ErrNodeAnswer):
			return nil, fmt.Errorf("ask for the receipt of %s: %w", d.last().Hash(), err)
		}
		if ctx.Err() != nil || outage.Pause(ctx, poll) != nil {
			return nil, fmt.Errorf("transaction %s was sent and has no receipt yet; it may be mined: %w", d.last().Hash(), ctx.Err())
		}
	}
}

func (d *delivery) last() *types.Transaction { return d.versions[len(d.versions)-1] }

// advance sends and raises what is to be sent and raised before a look for the receipt.
// It returns the receipt, or an error, when there is nothing to wait for.
func (d *delivery) advance(ctx context.Context, look int) (*types.Receipt, error) {
	again := look%showEvery == 0
	if d.taken == d.last() && d.policy.Now().Sub(d.since) >= d.policy.StuckAfter {
		d.raise(ctx)
	}
	if !again && (d.taken == d.last() || d.refuse) {
		return nil, nil
	}
	if again && d.taken != nil && d.taken != d.last() {
		_ = d.node.SendTransaction(ctx, d.taken) // the best that a node wanted, which it may have lost
	}
	err := d.node.SendTransaction(ctx, d.last())
	switch {
	case err == nil, isKnown(err):
		if d.taken != d.last() {
			d.taken, d.since, d.refuse = d.last(), d.policy.Now(), false
		}
	case isNonceUsed(err):
		d.used++ // by this very transaction, or by another
	case IsUnavailable(err) || ctx.Err() != nil:
	case d.taken != nil: // what nodes have taken is not theirs to refuse; that its fees are too low is believed
		said := d.refuse
		d.refuse = true
		if isUnderpriced(err) {
			d.raise(ctx)
		} else if !said {
			d.policy.Logger.WarnContext(ctx, "a node refuses a transaction at these fees; it is shown again", "nonce", d.last().Nonce(),
				"max_fee", d.last().GasFeeCap(), "reason", callError(err))
		}
	default:
		if receipt, err := d.receipt(ctx); err == nil && receipt.Status == types.ReceiptStatusSuccessful {
			return receipt, nil
		}
		return nil, fmt.Errorf("send: %w", d.refused(ctx, d.last(), err))
	}
	return nil, nil
}

// raise makes a version at higher fees, to be sent next, if the cap leaves room and it
// can be stored. Else what is under way stays so, and is raised later.
func (d *delivery) raise(ctx context.Context) {
	d.since = d.policy.Now()
	last := d.last()
	if from, err := types.Sender(d.signer, last); err != nil || from != d.address {
		return // an earlier run's, of a key that we do not have
	}
	suggested, err := d.suggest(ctx)
	var f fees
	if err == nil {
		f, err = d.bumped(feesOf(last), suggested)
	}
	var tx *types.Transaction
	if err == nil {
		tx, err = d.sign(last.To(), last.Data(), last.Nonce(), last.Gas(), f)
	}
	if err == nil && d.keep != nil {
		err = d.keep(ctx, tx)
	}
	switch {
	case errors.Is(err, ErrFeeCap) && d.capped, ctx.Err() != nil:
	case err != nil:
		d.capped = errors.Is(err, ErrFeeCap)
		d.policy.Logger.WarnContext(ctx, "a transaction is not mined at its fees, and cannot be raised now", "transaction", last.Hash(), "nonce", last.Nonce(), "reason", err)
	default:
		d.versions, d.refuse = append(d.versions, tx), false
		d.policy.Logger.InfoContext(ctx, "a transaction is sent again at higher fees, as it was not mined", "transaction", tx.Hash(), "replaces", last.Hash(),
			"nonce", tx.Nonce(), "max_fee", tx.GasFeeCap())
	}
}

// receipt returns that of whichever version was mined, or ethereum.NotFound.
func (d *delivery) receipt(ctx context.Context) (*types.Receipt, error) {
	for _, tx := range slices.Backward(d.versions) {
		receipt, err := receiptOf(ctx, d.node, tx.Hash())
		if !errors.Is(err, ethereum.NotFound) {
			return receipt, err
		}
	}
	return nil, ethereum.NotFound
}

// version returns the one with this hash.
func (d *delivery) version(hash common.Hash) *types.Transaction {
	i := slices.IndexFunc(d.versions, func(tx *types.Transaction) bool { return tx.Hash() == hash })
	if i < 0 {
		return d.last()
	}
	return d.versions[i]
}
