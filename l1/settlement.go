package l1

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

func calldataProof(env settle.ProofEnvelope) ([]byte, error) {
	proof, err := verifier.Calldata(env.Proof)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrWorthless, err.Error()) // no refusal of bad input: the proof is ours
	}
	return proof, nil
}

// first makes, stores and sends a transaction for the last of works, which has none.
// One that is first in line is simulated, so that a batch which cannot settle costs no
// gas: the *RevertError says why. Behind others it waits if it cannot be known to
// succeed once they have.
func (s *Submitter) first(ctx context.Context, works []store.SettlementWork, seen sight) (Action, error) {
	if len(works) > 1 {
		return s.behind(ctx, works)
	}
	work := &works[0]
	data, err := s.calldata(ctx, *work)
	if err != nil {
		return s.refused(ctx, *work, err)
	}
	gas, err := s.wallet.node.EstimateGas(ctx, ethereum.CallMsg{From: s.wallet.address, To: s.rollup(), Data: data})
	if err != nil {
		return s.refused(ctx, *work, fmt.Errorf("simulate on L1: %w", callError(err)))
	}
	s.observe(*work, data, gas)
	return s.make(ctx, work, seen.nonces[s.wallet.address], data, gas+gas/5)
}

// make signs, stores and sends a transaction for a batch that has none.
func (s *Submitter) make(ctx context.Context, work *store.SettlementWork, nonce uint64, data []byte, gas uint64) (Action, error) {
	f, err := s.wallet.suggest(ctx)
	if err != nil {
		return "", err
	}
	if f, err = s.outbid(ctx, nonce, f); err != nil {
		return "", err
	}
	tx, err := s.wallet.sign(s.rollup(), data, nonce, gas, f)
	if err != nil {
		return "", err
	}
	if tx, err = s.unused(ctx, tx); err != nil {
		return "", err
	}
	return Sent, s.prepareAndSend(ctx, work, tx)
}

// outbid raises fees above those of whatever a node may still hold at the nonce: what
// was given up, taken back or undone by a reorg. Where the cap leaves no room the node
// says whether they will do.
func (s *Submitter) outbid(ctx context.Context, nonce uint64, f fees) (fees, error) {
	most, tip, found, err := s.rows.SettlementFees(ctx, s.Address(), nonce)
	if err != nil || !found {
		return f, err
	}
	raised, err := s.wallet.bumped(fees{max: most.Big(), tip: tip.Big()}, f)
	if errors.Is(err, ErrFeeCap) {
		return f, nil
	}
	return raised, err
}

// withoutGroup gives a group up whose proof the contract would never take, so that
// its batches settle directly; any other failure is returned as it is.
func (s *Submitter) withoutGroup(ctx context.Context, work store.SettlementWork, cause error) (Action, error) {
	if len(work.Parts) == 0 || !unusable(cause) {
		return "", cause
	}
	if err := s.rows.GiveUpGroup(ctx, s.cfg.Epoch, work.Batch.Number, cause.Error()); err != nil {
		return "", fmt.Errorf("give the group up: %w", err)
	}
	s.log.ErrorContext(ctx, "a group is given up", "batch", work.Batch.Number, "last", work.Last(),
		"consequence", "its batches settle each by its own proof", "reason", cause)
	return Failed, nil
}

// unusable reports whether err says that a group, and not the state of the chain, is
// what stands in the way.
func unusable(err error) bool {
	if errors.Is(err, ErrGroup) || errors.Is(err, ErrUnregistered) || errors.Is(err, ErrKeyMismatch) {
		return true
	}
	revert, ok := AsRevert(err)
	return ok && slices.Contains([]string{"UnknownVerifier", "VerifierChanged"}, revert.Name)
}

// unused raises the fees of tx, or its gas limit where the cap leaves no room,
// until its hash is none that is stored: after a reorg or a failure the same
// transaction may come out, byte for byte.
func (s *Submitter) unused(ctx context.Context, tx *types.Transaction) (*types.Transaction, error) {
	for {
		_, err := s.rows.SettlementByHash(ctx, settle.Hash(tx.Hash()))
		if errors.Is(err, store.ErrNotFound) {
			return tx, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look for settlement %s: %w", tx.Hash(), err)
		}
		gas := tx.Gas()
		f, err := s.wallet.bumped(feesOf(tx), feesOf(tx))
		if errors.Is(err, ErrFeeCap) {
			f, gas, err = feesOf(tx), gas+1, nil
		}
		if err != nil {
			return nil, err
		}
		if tx, err = s.wallet.sign(tx.To(), tx.Data(), tx.Nonce(), gas, f); err != nil {
			return nil, err
		}
	}
}

func feesOf(tx *types.Transaction) fees { return fees{max: tx.GasFeeCap(), tip: tx.GasTipCap()} }

// prepareAndSend stores tx, which becomes the work's live one, and then sends it. If it
// is cut off in between, the stored transaction is sent by the next step or the next
// process.
func (s *Submitter) prepareAndSend(ctx context.Context, work *store.SettlementWork, tx *types.Transaction) error {
	row, err := newSettlement(work.Batch.Number, work.Last(), s.wallet.address, tx)
	if err != nil {
		return err
	}
	stored, err := s.rows.PrepareSettlement(ctx, s.cfg.Epoch, row)
	if err != nil {
		return fmt.Errorf("store settlement: %w", err)
	}
	s.cfg.Observer.Prepared()
	work.Live = &stored
	return s.send(ctx, work.Live, tx)
}

func newSettlement(first, last settle.BatchNumber, sender common.Address, tx *types.Transaction) (store.NewSettlement, error) {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return store.NewSettlement{}, fmt.Errorf("encode L1 transaction: %w", err)
	}
	most, err := settle.AmountFromBig(tx.GasFeeCap())
	if err != nil {
		return store.NewSettlement{}, fmt.Errorf("fee of L1 transaction: %w", err)
	}
	tip, err := settle.AmountFromBig(tx.GasTipCap())
	if err != nil {
		return store.NewSettlement{}, fmt.Errorf("tip of L1 transaction: %w", err)
	}
	return store.NewSettlement{
		Batch: first, Last: last, RawTx: raw, TxHash: settle.Hash(tx.Hash()), Sender: settle.Address(sender),
		Nonce: tx.Nonce(), GasLimit: tx.Gas(), MaxFee: most, MaxTip: tip,
	}, nil
}

// send gives tx, of the live settlement, to the node. A node that has it already counts
// as taken; a used nonce is left to the next step, which asks the chain who used it.
func (s *Submitter) send(ctx context.Context, live *store.Settlement, tx *types.Transaction) error {
	err := s.wallet.node.SendTransaction(ctx, tx)
	if isNonceUsed(err) {
		return nil
	}
	if err != nil && !isKnown(err) {
		return s.refusedBy(ctx, live, fmt.Errorf("send settlement: %w", callError(err)))
	}
	now := s.cfg.Now()
	if _, known := s.taken[live.TxHash]; !known {
		s.taken[live.TxHash] = now
	}
	s.shown[live.TxHash] = now
	if err := s.rows.MarkSent(ctx, s.cfg.Epoch, live.TxHash); err != nil {
		return fmt.Errorf("mark settlement sent: %w", err)
	}
	live.Status = store.SettlementSent
	return nil
}

// showAgain is how often a node is shown again what it has taken and cannot be mined yet.
// The first in line is shown at every step, in case that the node has lost it.
const showAgain = 15 * time.Second

// again sends the live transaction once more: the very same bytes, as it may be in
// flight. Its fees rise only when a node has it, it is the first in line and stuck, or
// when a node says that they are too low. One that was refused for any other reason (no
// ether, a rate limit, a full pool, a cap of the node's) is not slow: it keeps its bytes.
func (s *Submitter) again(ctx context.Context, work *store.SettlementWork, first bool) (Action, error) {
	live := work.Live
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(live.RawTx); err != nil {
		return "", fmt.Errorf("stored settlement %s: %w", live.TxHash, err)
	}
	before, ours := live.Status, live.Sender == s.Address()
	if !first && before == store.SettlementSent && s.cfg.Now().Sub(s.shown[live.TxHash]) < showAgain {
		return Waiting, nil
	}
	stuck := first && s.stuck(live)
	if stuck && !ours {
		return s.giveUp(ctx, *work)
	}
	err := s.send(ctx, live, tx)
	switch {
	case isUnderpriced(err) && ours:
		return s.replace(ctx, work, tx, err)
	case isGasLimit(err) && before == store.SettlementPrepared:
		return Failed, s.fail(ctx, *work, fmt.Sprintf("no node takes it: %v", err))
	case err != nil:
		return "", err
	case before != store.SettlementSent:
		return Resent, nil
	case stuck:
		return s.replace(ctx, work, tx, nil)
	}
	return Waiting, nil
}

// stuck reports whether the first transaction under way has been with a node, and first
// in line, for long enough. One that no node of ours has taken yet is stuck only if it is
// of another key, which nobody can use any more. The time in the store is of another
// clock: our own is asked once we have seen it taken, or a clock that runs ahead would
// raise the fees at every step.
func (s *Submitter) stuck(live *store.Settlement) bool {
	since, seen := s.taken[live.TxHash]
	switch {
	case !seen && live.SentAt != nil:
		since = *live.SentAt
	case !seen:
		since = live.PreparedAt
	}
	if since.Before(s.turn) {
		since = s.turn
	}
	return s.cfg.Now().Sub(since) >= s.cfg.StuckAfter
}

// giveUp fails a live transaction of an account whose key we do not have (it was
// exchanged): nobody can replace it, and it may never be mined. Should it be
// mined all the same, the chain says so and our own is reverted.
func (s *Submitter) giveUp(ctx context.Context, work store.SettlementWork) (Action, error) {
	reason := fmt.Sprintf("stuck, and its sender %s is not ours (%s)", work.Live.Sender, s.Address())
	return Failed, s.fail(ctx, work, reason)
}

func (s *Submitter) fail(ctx context.Context, work store.SettlementWork, reason string) error {
	if err := s.rows.FailSettlement(ctx, s.cfg.Epoch, work.Live.TxHash, reason); err != nil {
		return fmt.Errorf("store failed settlement: %w", err)
	}
	s.cfg.Observer.Failed()
	s.log.ErrorContext(ctx, "settlement failed", "batch", work.Batch.Number, "transaction", work.Live.TxHash, "reason", reason)
	return nil
}

// replace sends the same call on the same nonce at higher fees. refused is what
// the nodes said to the old one, if anything.
func (s *Submitter) replace(ctx context.Context, work *store.SettlementWork, tx *types.Transaction, refused error) (Action, error) {
	suggested, err := s.wallet.suggest(ctx)
	if err != nil {
		return "", err
	}
	f, err := s.wallet.bumped(feesOf(tx), suggested)
	if errors.Is(err, ErrFeeCap) {
		// Nothing better may be sent: the old one was just sent again.
		s.capped = fmt.Sprintf("batch %d is not mined at its fees, and %v", work.Batch.Number, err)
		return Waiting, refused
	}
	if err != nil {
		return "", err
	}
	higher, err := s.wallet.sign(tx.To(), tx.Data(), tx.Nonce(), tx.Gas(), f)
	if err != nil {
		return "", err
	}
	if higher, err = s.unused(ctx, higher); err != nil {
		return "", err
	}
	return Replaced, s.prepareAndSend(ctx, work, higher)
}

// spent: the nonce of the live transaction is used and the batch is not settled.
// So it was reverted, or the nonce went to another transaction; either way it
// can never be mined again, and a new one is safe.
func (s *Submitter) spent(ctx context.Context, work store.SettlementWork) (Action, error) {
	live := work.Live
	reason := fmt.Sprintf("nonce %d was used by another transaction of %s", live.Nonce, live.Sender)
	receipt, err := receiptOf(ctx, s.wallet.node, common.Hash(live.TxHash))
	switch {
	case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
		// Mined since the batch number was read.
		return Recorded, s.record(ctx, receipt)
	case err == nil && ranOut(receipt.GasUsed, live.GasLimit): // where it did, any contract's reason is wrong
		reason = fmt.Sprintf("reverted in block %d: it ran out of gas (used %d of %d)", receipt.BlockNumber, receipt.GasUsed, live.GasLimit)
		s.distrust(work)
	case err == nil:
		reason = s.whyReverted(ctx, live, receipt)
	case !errors.Is(err, ethereum.NotFound):
		return "", fmt.Errorf("ask L1 for the receipt of %s: %w", live.TxHash, withoutURL(err))
	}
	return Failed, s.fail(ctx, work, reason)
}

// whyReverted repeats the call on the state after its block: the batch is not
// settled there either, and what stood in its way may have come in that block.
func (s *Submitter) whyReverted(ctx context.Context, live *store.Settlement, receipt *types.Receipt) string {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(live.RawTx); err != nil {
		return fmt.Sprintf("reverted in block %d", receipt.BlockNumber)
	}
	call := ethereum.CallMsg{From: common.Address(live.Sender), To: tx.To(), Data: tx.Data(), Gas: tx.Gas()}
	_, err := s.wallet.node.CallContract(ctx, call, receipt.BlockNumber)
	if err == nil {
		return fmt.Sprintf("reverted in block %d, used %d of %d gas", receipt.BlockNumber, receipt.GasUsed, tx.Gas())
	}
	return fmt.Sprintf("reverted in block %d: %v", receipt.BlockNumber, callError(err))
}
