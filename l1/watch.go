package l1

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// watch compares mined settlements with the chain: those whose block has left it
// return to proven, with all after them; those that the finalized block covers
// become final.
func (s *Submitter) watch(ctx context.Context) error {
	mined, err := s.rows.MinedSettlements(ctx)
	if err != nil {
		return fmt.Errorf("settlements to watch: %w", err)
	}
	if len(mined) == 0 {
		return nil
	}
	head, err := s.wallet.node.Block(ctx, rpc.LatestBlockNumber)
	if err != nil {
		return fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	if s.watched == head.Hash {
		return nil
	}
	finalized, err := s.finalized(ctx)
	if err != nil {
		return err
	}
	var upTo settle.BatchNumber
	for _, row := range mined {
		canonical, err := s.canonical(ctx, row, head.Number)
		if err != nil {
			return err
		}
		if !canonical {
			return s.revert(ctx, row)
		}
		if row.Receipt.BlockNumber <= finalized {
			upTo = row.Last
		}
	}
	if upTo > 0 {
		if _, err := s.rows.FinalizeSettlements(ctx, s.cfg.Epoch, upTo); err != nil {
			return fmt.Errorf("store final settlements: %w", err)
		}
		s.log.InfoContext(ctx, "final", "batch", upTo)
	}
	s.watched = head.Hash
	return nil
}

// canonical reports whether the block that a settlement was mined in is on the
// chain. A node that has not come so far says nothing about it: ErrNodeBehind.
// Only another block in its place is a reorg.
func (s *Submitter) canonical(ctx context.Context, row store.Settlement, head uint64) (bool, error) {
	number := row.Receipt.BlockNumber
	if head < number {
		return false, fmt.Errorf("%w: its head is block %d, batch %d was settled in block %d", ErrNodeBehind, head, row.Batch, number)
	}
	block, err := s.wallet.node.Block(ctx, rpc.BlockNumber(number))
	if errors.Is(err, ethereum.NotFound) {
		return false, fmt.Errorf("%w: it lacks block %d", ErrNodeBehind, number)
	}
	if err != nil {
		return false, fmt.Errorf("ask L1 for block %d: %w", number, withoutURL(err))
	}
	return settle.Hash(block.Hash) == row.Receipt.BlockHash, nil
}

func (s *Submitter) revert(ctx context.Context, row store.Settlement) error {
	reason := fmt.Sprintf("block %d with hash %s left the chain", row.Receipt.BlockNumber, row.Receipt.BlockHash)
	batches, err := s.rows.RevertSettlements(ctx, s.cfg.Epoch, row.Batch, reason)
	if err != nil {
		return fmt.Errorf("store reorg from batch %d: %w", row.Batch, err)
	}
	s.log.WarnContext(ctx, "reorg", "batches", batches, "reason", reason)
	return nil
}

// finalized returns the number of the finalized block; 0 on a chain without one.
func (s *Submitter) finalized(ctx context.Context) (uint64, error) {
	block, err := s.wallet.node.Block(ctx, rpc.FinalizedBlockNumber)
	if errors.Is(err, ethereum.NotFound) || contains(err, "finalized block not found") {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ask L1 for its finalized block: %w", withoutURL(err))
	}
	return block.Number, nil
}

// record stores a successful receipt.
func (s *Submitter) record(ctx context.Context, receipt *types.Receipt) error {
	if receipt.EffectiveGasPrice == nil {
		return fmt.Errorf("receipt of %s has no gas price", receipt.TxHash)
	}
	price, err := settle.AmountFromBig(receipt.EffectiveGasPrice)
	if err != nil {
		return fmt.Errorf("gas price of %s: %w", receipt.TxHash, err)
	}
	r := store.Receipt{
		BlockNumber: receipt.BlockNumber.Uint64(), BlockHash: settle.Hash(receipt.BlockHash),
		GasUsed: receipt.GasUsed, EffectiveGasPrice: price,
	}
	if err := s.rows.RecordMined(ctx, s.cfg.Epoch, settle.Hash(receipt.TxHash), r); err != nil {
		return fmt.Errorf("store receipt of %s: %w", receipt.TxHash, err)
	}
	s.watched = common.Hash{} // the receipt may be of a block that has left the chain since
	return nil
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
	}
	if _, err := s.rows.PrepareSettlement(ctx, s.cfg.Epoch, row); err != nil {
		return fmt.Errorf("store: %w", err)
	}
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
	for fee, stored := range map[*big.Int]*settle.Amount{tx.GasFeeCap: &row.MaxFee, tx.GasTipCap: &row.MaxTip} {
		if fee == nil {
			continue
		}
		amount, err := settle.AmountFromBig(fee)
		if err != nil {
			return row, fmt.Errorf("%w: a fee of %s wei per gas", ErrNodeAnswer, fee)
		}
		*stored = amount
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
