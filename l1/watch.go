package l1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// watch compares mined settlements with the chain: those whose block has left it
// return to proven, with all after them; those that the finalized block covers
// become final. What the node does not say of it is warned of once: settling needs
// none of it, as the contract alone decides which batch comes next.
func (s *Submitter) watch(ctx context.Context) error {
	if wait := s.reorgs.until.Sub(s.cfg.Now()); wait > 0 {
		return fmt.Errorf("%w: settling pauses for %s", errReorgs, wait.Round(time.Millisecond))
	}
	mined, err := s.rows.MinedSettlements(ctx)
	if err != nil {
		return fmt.Errorf("settlements to watch: %w", err)
	}
	if len(mined) == 0 {
		return nil
	}
	head, err := s.wallet.node.Block(ctx, rpc.LatestBlockNumber)
	if err != nil {
		return s.unknown(ctx, "its head", "settling goes on, and no reorg is seen", err)
	}
	if s.watched == head.Hash {
		return nil
	}
	finalized := s.finalized(ctx)
	var upTo settle.BatchNumber
	watched := head.Hash
	covered := true // so far; they become final in order
	for _, row := range mined {
		standing, err := s.canonical(ctx, row, head.Number)
		if err != nil {
			return s.unknown(ctx, "whether a settlement's block is on the chain", "settling goes on, and no reorg is seen", err)
		}
		if standing == left {
			return s.revert(ctx, row)
		}
		if standing == doubted {
			watched = common.Hash{} // looked at again, though the head be the same
		}
		if covered = covered && row.Receipt.BlockNumber <= finalized && s.final(ctx, row, standing, finalized); covered {
			upTo = row.Last
		}
	}
	if upTo > 0 {
		if _, err := s.rows.FinalizeSettlements(ctx, s.cfg.Epoch, upTo); err != nil {
			return fmt.Errorf("store final settlements: %w", err)
		}
		s.reorgs = reorgs{}
		s.log.InfoContext(ctx, "final", "batch", upTo)
	}
	s.watched = watched
	return nil
}

// unknown takes note of what the node does not say. Only a node that cannot be
// reached, or is behind, ends the step.
func (s *Submitter) unknown(ctx context.Context, what, consequence string, err error) error {
	if IsUnavailable(err) || ctx.Err() != nil {
		return fmt.Errorf("ask L1 for %s: %w", what, withoutURL(err))
	}
	s.told.Failed(ctx, slog.LevelWarn, "L1 does not say "+what, withoutURL(err), "consequence", consequence)
	return nil
}

// standing is what the chain says about the block that a settlement was mined in.
type standing int

const (
	stands  standing = iota
	left             // another block is in its place
	doubted          // the node contradicts itself: the block has another hash, and receipt and contract know the settlement
)

// canonical reports whether the block that a settlement was mined in is on the
// chain. A node that has not come so far says nothing about it: ErrNodeBehind.
// Only another block in its place is a reorg, and only if the settlement is gone
// with it: a node may give a block one hash here and another there.
func (s *Submitter) canonical(ctx context.Context, row store.Settlement, head uint64) (standing, error) {
	number := row.Receipt.BlockNumber
	if head < number {
		return stands, fmt.Errorf("%w: its head is block %d, batch %d was settled in block %d", ErrNodeBehind, head, row.Batch, number)
	}
	block, err := s.wallet.node.Block(ctx, rpc.BlockNumber(number))
	if errors.Is(err, ethereum.NotFound) {
		return stands, fmt.Errorf("%w: it lacks block %d", ErrNodeBehind, number)
	}
	if err != nil {
		return stands, fmt.Errorf("ask L1 for block %d: %w", number, withoutURL(err))
	}
	if settle.Hash(block.Hash) == row.Receipt.BlockHash {
		return stands, nil
	}
	stillThere, err := s.stillSettled(ctx, row)
	if err != nil || !stillThere {
		return left, err
	}
	s.told.Failed(ctx, slog.LevelWarn, "cannot verify that a settlement's block is on the chain", errContradicts, "batch", row.Batch, "block", number,
		"consequence", "the settlement counts, as its receipt and the root on L1 stand", "hash", block.Hash, "receipt_says", row.Receipt.BlockHash)
	return doubted, nil
}

var errContradicts = errors.New("the node gives a block one hash and the receipts in it another")

// stillSettled reports whether the receipt of a settlement names the same block as
// before and the contract has the root that it led to.
func (s *Submitter) stillSettled(ctx context.Context, row store.Settlement) (bool, error) {
	receipt, err := receiptOf(ctx, s.wallet.node, common.Hash(row.TxHash))
	if errors.Is(err, ethereum.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask L1 for the receipt of %s: %w", row.TxHash, withoutURL(err))
	}
	if receipt.Status != types.ReceiptStatusSuccessful || settle.Hash(receipt.BlockHash) != row.Receipt.BlockHash {
		return false, nil
	}
	last, err := s.client.BatchNumber(ctx)
	if err != nil || last != row.Last {
		return last > row.Last, err
	}
	root, err := s.client.Root(ctx)
	if err != nil {
		return false, err
	}
	for _, l := range receipt.Logs {
		event, err := s.contract.UnpackBatchSettledEvent(l)
		if err == nil && l.Address == common.Address(s.cfg.Rollup) && settle.BatchNumber(event.Number) == row.Last {
			return element(event.NewRoot) == root, nil
		}
	}
	return false, nil
}

// final reports whether the finalized block covers a settlement. Of one whose block is
// doubted the contract must have known it then.
func (s *Submitter) final(ctx context.Context, row store.Settlement, standing standing, finalized uint64) bool {
	if standing == stands {
		return true
	}
	last, err := s.client.At(finalized).BatchNumber(ctx)
	return err == nil && last >= row.Last
}

// reorgs slow settling down when the chain, or a node that errs, undoes it again and
// again: the first costs no pause, each further one twice that of the one before.
type reorgs struct {
	last, until time.Time
	pause       time.Duration
}

var errReorgs = errors.New("settlements were undone by reorgs in a row")

// calm is after how long without a reorg the next one counts as the first.
const calm = 10 * time.Minute

func (s *Submitter) countReorg() {
	now := s.cfg.Now()
	if s.reorgs.last.IsZero() || now.Sub(s.reorgs.last) > calm {
		s.reorgs = reorgs{last: now}
		return
	}
	s.reorgs.last = now
	s.reorgs.pause = min(max(2*s.reorgs.pause, s.cfg.Poll), s.cfg.MaxBackoff)
	s.reorgs.until = now.Add(s.reorgs.pause)
}

func (s *Submitter) revert(ctx context.Context, row store.Settlement) error {
	reason := fmt.Sprintf("block %d with hash %s left the chain", row.Receipt.BlockNumber, row.Receipt.BlockHash)
	batches, err := s.rows.RevertSettlements(ctx, s.cfg.Epoch, row.Batch, reason)
	if err != nil {
		return fmt.Errorf("store reorg from batch %d: %w", row.Batch, err)
	}
	s.cfg.Observer.Reorged(len(batches))
	s.countReorg()
	s.log.WarnContext(ctx, "reorg", "batches", batches, "reason", reason, "pause", s.reorgs.pause)
	return nil
}

// finalized returns the number of the finalized block; 0 on a chain without one, or
// while the node does not say it, for whatever reason. It is asked again after a while.
func (s *Submitter) finalized(ctx context.Context) uint64 {
	const unsaid = "L1 does not say its finalized block"
	now := s.cfg.Now()
	if now.Before(s.finality.next) {
		return 0
	}
	block, err := s.wallet.node.Block(ctx, rpc.FinalizedBlockNumber)
	if err == nil || errors.Is(err, ethereum.NotFound) || contains(err, "finalized block not found") {
		s.finality = askAgain{}
		s.told.Worked(ctx, unsaid, "L1 says its finalized block again")
		return block.Number
	}
	s.finality.pause = min(max(2*s.finality.pause, s.cfg.Poll), s.cfg.MaxBackoff)
	s.finality.next = now.Add(s.finality.pause)
	if ctx.Err() == nil {
		s.told.Failed(ctx, slog.LevelWarn, unsaid, withoutURL(err), "consequence", "settling goes on, and nothing becomes final")
	}
	return 0
}

// askAgain is when to ask again what the node would not say.
type askAgain struct {
	next  time.Time
	pause time.Duration
}

// record stores a successful receipt.
func (s *Submitter) record(ctx context.Context, receipt *types.Receipt) error {
	r := store.Receipt{BlockNumber: receipt.BlockNumber.Uint64(), BlockHash: settle.Hash(receipt.BlockHash), GasUsed: receipt.GasUsed}
	if err := s.complete(ctx, receipt, &r); err != nil {
		return err
	}
	if err := s.rows.RecordMined(ctx, s.cfg.Epoch, settle.Hash(receipt.TxHash), r); err != nil {
		return fmt.Errorf("store receipt of %s: %w", receipt.TxHash, err)
	}
	if row, err := s.rows.SettlementByHash(ctx, settle.Hash(receipt.TxHash)); err == nil { // recorded it is; what is told of it is not worth a second try
		s.cfg.Observer.Mined(&row, r)
	}
	s.watched = common.Hash{} // the receipt may be of a block that has left the chain since
	return nil
}

var errLeavesOut = errors.New("they are computed from block and transaction")

// complete fills in what a receipt leaves out: the block's hash from the block, the
// price by EIP-1559, and else the most that the transaction allowed.
func (s *Submitter) complete(ctx context.Context, receipt *types.Receipt, r *store.Receipt) error {
	price, err := amountOf(receipt.EffectiveGasPrice)
	if err != nil {
		return fmt.Errorf("gas price of %s: %w", receipt.TxHash, err)
	}
	r.EffectiveGasPrice = price
	if receipt.EffectiveGasPrice != nil && r.GasUsed > 0 && r.BlockHash != (settle.Hash{}) {
		return nil
	}
	row, err := s.rows.SettlementByHash(ctx, settle.Hash(receipt.TxHash))
	if err != nil {
		return fmt.Errorf("settlement %s: %w", receipt.TxHash, err)
	}
	block, err := s.wallet.node.Block(ctx, rpc.BlockNumber(r.BlockNumber))
	if r.BlockHash == (settle.Hash{}) {
		if err != nil {
			return fmt.Errorf("ask L1 for block %d, of which the receipt of %s has no hash: %w", r.BlockNumber, receipt.TxHash, withoutURL(err))
		}
		r.BlockHash = settle.Hash(block.Hash)
	}
	if r.GasUsed == 0 {
		r.GasUsed = row.GasLimit
	}
	if receipt.EffectiveGasPrice == nil {
		r.EffectiveGasPrice = row.MaxFee
		if block.BaseFee != nil {
			if paid, err := settle.AmountFromBig(new(big.Int).Add(block.BaseFee, row.MaxTip.Big())); err == nil && paid.Big().Cmp(row.MaxFee.Big()) < 0 {
				r.EffectiveGasPrice = paid
			}
		}
	}
	s.told.Failed(ctx, slog.LevelWarn, "receipts of L1 leave out price, gas or block", errLeavesOut, "transaction", receipt.TxHash)
	return nil
}

func amountOf(wei *big.Int) (settle.Amount, error) {
	if wei == nil {
		return settle.Amount{}, nil
	}
	return settle.AmountFromBig(wei)
}

// recordFromChain stores the settlement of a batch that the chain has: by the
// live transaction, by one that was replaced, given up or undone by a reorg, or
// by one that this database never saw (another operator, a restored backup).
func (s *Submitter) recordFromChain(ctx context.Context, work store.SettlementWork) error {
	if work.Live != nil {
		receipt, err := receiptOf(ctx, s.wallet.node, common.Hash(work.Live.TxHash))
		if err == nil && receipt.Status == types.ReceiptStatusSuccessful {
			return s.record(ctx, receipt)
		}
		if err != nil && !errors.Is(err, ethereum.NotFound) {
			return fmt.Errorf("ask L1 for the receipt of %s: %w", work.Live.TxHash, withoutURL(err))
		}
	}
	found, err := s.client.SettledBy(ctx, work.Batch.Number, s.cfg.DeployBlock)
	if err != nil {
		return err
	}
	receipt, err := receiptOf(ctx, s.wallet.node, found.TxHash)
	if err != nil {
		return fmt.Errorf("ask L1 for the receipt of %s: %w", found.TxHash, withoutURL(err))
	}
	event, err := s.contract.UnpackBatchSettledEvent(&found)
	if err != nil {
		return fmt.Errorf("read event of %s: %w", found.TxHash, err)
	}
	if root := element(event.NewRoot); root != work.Batch.NewRoot {
		return fmt.Errorf("%w: batch %d has root %s on L1 and %s here; this database does not belong to the rollup %s",
			ErrDeployment, work.Batch.Number, root, work.Batch.NewRoot, s.cfg.Rollup)
	}
	_, err = s.rows.SettlementByHash(ctx, settle.Hash(found.TxHash))
	if errors.Is(err, store.ErrNotFound) {
		err = s.adopt(ctx, work, receipt)
	}
	if err != nil {
		return fmt.Errorf("settlement %s: %w", found.TxHash, err)
	}
	return s.record(ctx, receipt)
}

// adopt stores a transaction of the chain as a settlement of ours, so that its
// receipt can be recorded.
func (s *Submitter) adopt(ctx context.Context, work store.SettlementWork, receipt *types.Receipt) error {
	hash, number := receipt.TxHash, work.Batch.Number
	last, err := s.lastSettled(receipt, number)
	if err != nil {
		return err
	}
	tx, err := s.wallet.node.Transaction(ctx, hash)
	if err != nil {
		return fmt.Errorf("ask L1 for the transaction: %w", withoutURL(err))
	}
	row, err := adopted(number, last, tx)
	if err != nil {
		return err
	}
	if live := work.Live; live != nil && (live.Sender != row.Sender || live.Nonce != row.Nonce) {
		reason := fmt.Sprintf("batch settled by %s of %s", hash, row.Sender)
		if err := s.rows.FailSettlement(ctx, s.cfg.Epoch, live.TxHash, reason); err != nil {
			return fmt.Errorf("give up our own: %w", err)
		}
		s.cfg.Observer.Failed()
	}
	if _, err := s.rows.PrepareSettlement(ctx, s.cfg.Epoch, row); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.cfg.Observer.Prepared()
	return nil
}

// adopted is a settlement by a transaction that we did not make. The transaction is
// mined, so that it is never sent: where its type is one that we do not know, what the
// node said of it takes the place of the signed bytes.
func adopted(first, last settle.BatchNumber, tx Transaction) (store.NewSettlement, error) {
	row := store.NewSettlement{
		Batch: first, Last: last, RawTx: tx.Answer, TxHash: settle.Hash(tx.Hash), Sender: settle.Address(tx.From), Nonce: tx.Nonce, GasLimit: max(tx.Gas, 1),
	}
	signed := new(types.Transaction)
	if err := signed.UnmarshalJSON(tx.Answer); err == nil && signed.Hash() == tx.Hash {
		if row.RawTx, err = signed.MarshalBinary(); err != nil {
			return row, fmt.Errorf("encode L1 transaction: %w", err)
		}
	}
	var err error
	if row.MaxFee, err = amountOf(tx.GasFeeCap); err != nil {
		return row, fmt.Errorf("fee of L1 transaction: %w", err)
	}
	if row.MaxTip, err = amountOf(tx.GasTipCap); err != nil {
		return row, fmt.Errorf("tip of L1 transaction: %w", err)
	}
	return row, nil
}

// lastSettled returns the last batch of the range from first on that a transaction
// settled, by its events.
func (s *Submitter) lastSettled(receipt *types.Receipt, first settle.BatchNumber) (settle.BatchNumber, error) {
	next := first
	for _, l := range receipt.Logs {
		event, err := s.contract.UnpackBatchSettledEvent(l)
		if err != nil || l.Address != common.Address(s.cfg.Rollup) {
			continue // of another kind, or another contract
		}
		if settle.BatchNumber(event.Number) != next {
			return 0, fmt.Errorf("%w: transaction %s settled batch %d where %d comes next", ErrDeployment, receipt.TxHash, event.Number, next)
		}
		next++
	}
	if next == first {
		return 0, fmt.Errorf("%w: transaction %s settled nothing", ErrDeployment, receipt.TxHash)
	}
	return next - 1, nil
}
