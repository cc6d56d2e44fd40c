package l1_test

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

func TestSettlesInOrderUntilFinal(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 4)
	s := h.submitter()
	for n := settle.BatchNumber(1); n <= 3; n++ {
		h.step(s, l1.Sent)
		h.step(s, l1.Waiting)
		h.chain.Commit()
		h.step(s, l1.Recorded)
		h.requireOnChain(n)
	}
	h.step(s, l1.Idle)
	require.Equal(t, []settle.BatchStatus{settle.BatchSettled, settle.BatchSettled, settle.BatchSettled}, h.rows.statuses())
	h.chain.Finalize()
	h.step(s, l1.Idle)
	require.Equal(t, []settle.BatchStatus{settle.BatchFinal, settle.BatchFinal, settle.BatchFinal}, h.rows.statuses())
	row := h.rows.rows[2]
	block, err := h.client.Block(t.Context(), rpc.BlockNumber(row.Receipt.BlockNumber))
	require.NoError(t, err)
	require.Equal(t, settle.Hash(block.Hash), row.Receipt.BlockHash)
	require.NotZero(t, row.Receipt.GasUsed)
	require.False(t, row.Receipt.EffectiveGasPrice.IsZero())
}

// TestGasOfASettlement: the whole transaction, with the data of 24 transfers in
// 18 words. Keys of a ceremony save a pair, as their γ is the commitment's base.
func TestGasOfASettlement(t *testing.T) {
	setup, err := toycircuit.Setup()
	require.NoError(t, err)
	ceremony, err := toycircuit.Ceremony()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		prover *toycircuit.Prover
		most   uint64
	}{"setup": {setup, 357_000}, "ceremony": {ceremony, 323_600}} {
		t.Run(name, func(t *testing.T) {
			h := newHarnessFor(t, c.prover)
			h.prove(2, 24)
			s := h.submitter()
			for range 2 {
				h.step(s, l1.Sent)
				h.chain.Commit()
				h.step(s, l1.Recorded)
			}
			require.Len(t, h.rows.batches[0].work.Words, 18)
			gas := h.rows.rows[1].Receipt.GasUsed
			t.Logf("%d gas", gas)
			require.LessOrEqual(t, gas, c.most)
		})
	}
}

func TestRunSettlesEverything(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := h.submitter()
	go func() { done <- s.Run(ctx, nil) }()
	require.Eventually(t, func() bool {
		h.chain.Commit()
		n, err := h.reader().BatchNumber(ctx)
		return err == nil && n == 3
	}, 30*time.Second, 5*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

func TestCutOffBetweenStoringAndSending(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	h.node.onSend = func() error { return syscall.ECONNREFUSED }
	_, err := h.submitter().Step(t.Context())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.True(t, l1.IsUnavailable(err))
	require.Equal(t, []store.SettlementStatus{store.SettlementPrepared}, h.rows.rowStatuses())

	h.node.onSend = nil
	restarted := h.submitter()
	h.step(restarted, l1.Resent)
	h.chain.Commit()
	h.step(restarted, l1.Recorded)
	h.requireOnChain(1)
	require.Len(t, h.node.sent, 2)
	require.Equal(t, h.node.sent[0].Hash(), h.node.sent[1].Hash(), "the very same transaction")
}

func TestCutOffBetweenSendingAndMarking(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	lost := errors.New("connection lost")
	h.rows.fail = func(method string) error {
		if method == "MarkSent" {
			return lost
		}
		return nil
	}
	_, err := h.submitter().Step(t.Context())
	require.ErrorIs(t, err, lost)
	h.rows.fail = nil
	restarted := h.submitter()
	h.step(restarted, l1.Resent) // the node knows it already
	h.chain.Commit()
	h.step(restarted, l1.Recorded)
	require.Equal(t, []store.SettlementStatus{store.SettlementMined}, h.rows.rowStatuses())
}

func TestCutOffAfterMining(t *testing.T) {
	h := newHarness(t)
	h.prove(2, 2)
	h.step(h.submitter(), l1.Sent)
	h.chain.Commit()
	restarted := h.submitter()
	h.step(restarted, l1.Recorded)
	h.step(restarted, l1.Sent)
	h.chain.Commit()
	h.step(restarted, l1.Recorded)
	require.Len(t, h.rows.rows, 2)
	h.requireOnChain(2)
}

func TestStuckTransactionIsReplacedOnItsNonce(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.now = h.now.Add(2 * time.Minute)
	h.step(s, l1.Replaced)
	first, second := h.node.sent[0], h.node.sent[len(h.node.sent)-1]
	require.Equal(t, first.Nonce(), second.Nonce())
	require.Equal(t, first.Data(), second.Data())
	require.Positive(t, second.GasFeeCap().Cmp(first.GasFeeCap()))
	require.Positive(t, second.GasTipCap().Cmp(first.GasTipCap()))
	require.Equal(t, []store.SettlementStatus{store.SettlementReplaced, store.SettlementSent}, h.rows.rowStatuses())
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Equal(t, []store.SettlementStatus{store.SettlementReplaced, store.SettlementMined}, h.rows.rowStatuses())
}

// TestReplacedTransactionMayWin: the replacement never reaches the nodes.
func TestReplacedTransactionMayWin(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.now = h.now.Add(2 * time.Minute)
	h.node.onSend = func() error { return nil }
	h.step(s, l1.Replaced)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Equal(t, []store.SettlementStatus{store.SettlementMined, store.SettlementReplaced}, h.rows.rowStatuses())
	h.requireOnChain(1)
}

func TestFeeCapKeepsTheOldTransaction(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	cfg := h.config()
	head, err := h.client.Block(t.Context(), rpc.LatestBlockNumber)
	require.NoError(t, err)
	cfg.MaxFee, err = settle.AmountFromBig(new(big.Int).Add(head.BaseFee, big.NewInt(1_000)))
	require.NoError(t, err)
	s, err := l1.NewSubmitter(t.Context(), h.node, h.rows, cfg)
	require.NoError(t, err)
	h.step(s, l1.Sent)
	require.Equal(t, cfg.MaxFee.Big(), h.node.sent[0].GasFeeCap())
	h.now = h.now.Add(2 * time.Minute)
	h.step(s, l1.Waiting)
	require.Len(t, h.rows.rows, 1)

	cfg.MaxFee = settle.NewAmount(1)
	h = newHarness(t)
	h.prove(1, 2)
	cfg.Rollup = h.deployment.Rollup
	s, err = l1.NewSubmitter(t.Context(), h.node, h.rows, cfg)
	require.NoError(t, err)
	_, err = s.Step(t.Context())
	require.ErrorIs(t, err, l1.ErrFeeCap)
	require.Empty(t, h.rows.rows)
}

// TestAnotherOperatorSettles: our pending transaction is reverted on L1, and the
// batch is settled all the same.
func TestAnotherOperatorSettles(t *testing.T) {
	h := newHarness(t)
	h.prove(2, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.sendAs(2, 0, h.node.sent[0].To(), h.node.sent[0].Data())
	h.chain.Commit()
	h.requireOnChain(1)
	h.step(s, l1.Recorded)
	require.Equal(t, []store.SettlementStatus{store.SettlementFailed, store.SettlementMined}, h.rows.rowStatuses())
	require.Equal(t, address(h.chain.Keys()[2]), h.rows.rows[1].Sender)
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.requireOnChain(2)
}

// TestNonceTakenByAnother: somebody used the operator's key.
func TestNonceTakenByAnother(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.sendAs(1, h.node.sent[0].Nonce(), &common.Address{1}, nil)
	h.chain.Commit()
	h.step(s, l1.Failed)
	require.Contains(t, h.rows.rows[0].Failure, "used by another transaction")
	require.Equal(t, []settle.BatchStatus{settle.BatchProven}, h.rows.statuses())
	h.step(s, l1.Sent)
	require.Equal(t, h.node.sent[0].Nonce()+1, h.node.sent[len(h.node.sent)-1].Nonce())
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.requireOnChain(1)
}

// TestRevertedSettlementSaysWhy: the operator is removed in the block that our
// transaction lands in. The reason is stored, and nothing more is sent.
func TestRevertedSettlementSaysWhy(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	governor, to := bindings.NewRollup(), common.Address(h.deployment.Rollup)
	nonce, err := h.client.NonceAt(t.Context(), common.Address(address(h.chain.Keys()[0])), nil)
	require.NoError(t, err)
	operator := common.Address(address(h.operator))
	h.sendAs(0, nonce, &to, governor.PackProposeOperator(operator, false))
	h.chain.Commit()
	h.step(s, l1.Sent)
	h.sendAs(0, nonce+1, &to, governor.PackActivateOperator(operator, false))
	h.chain.Commit()
	h.step(s, l1.Failed)
	require.Equal(t, []store.SettlementStatus{store.SettlementFailed}, h.rows.rowStatuses())
	require.Contains(t, h.rows.rows[0].Failure, "NotOperator(sender=")
	require.Equal(t, []settle.BatchStatus{settle.BatchProven}, h.rows.statuses())

	_, err = s.Step(t.Context())
	var revert *l1.RevertError
	require.ErrorAs(t, err, &revert)
	require.Equal(t, "NotOperator", revert.Name)
	require.Len(t, h.node.sent, 1)
}

// sendAs sends a transaction of dev account i that outbids ours.
func (h *harness) sendAs(i int, nonce uint64, to *common.Address, data []byte) {
	h.t.Helper()
	id := new(big.Int).SetUint64(h.chain.ChainID())
	tx, err := types.SignNewTx(h.chain.Keys()[i], types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, Gas: 1_000_000, To: to, Data: data,
		GasFeeCap: big.NewInt(100_000_000_000), GasTipCap: big.NewInt(50_000_000_000),
	})
	require.NoError(h.t, err)
	require.NoError(h.t, h.client.SendTransaction(h.t.Context(), tx))
}

func TestReorgReturnsBatchesToProven(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.submitter()
	for range 2 {
		h.step(s, l1.Sent)
		h.chain.Commit()
		h.step(s, l1.Recorded)
	}
	require.NoError(t, h.chain.Reorg(2))
	h.requireOnChain(0)
	h.step(s, l1.Sent) // finds the reorg, and begins again
	require.Equal(t, []settle.BatchStatus{settle.BatchSettling, settle.BatchProven, settle.BatchProven}, h.rows.statuses())
	require.Equal(t, store.SettlementReorged, h.rows.rows[0].Status)
	require.Equal(t, store.SettlementReorged, h.rows.rows[1].Status)
	require.Equal(t, h.rows.rows[0].Nonce, h.rows.rows[2].Nonce, "the nonce is free again")
	for range 3 {
		h.chain.Commit()
		h.step(s, l1.Recorded)
		if _, err := s.Step(t.Context()); err != nil {
			require.NoError(t, err)
		}
	}
	h.requireOnChain(3)
	require.Equal(t, []settle.BatchStatus{settle.BatchSettled, settle.BatchSettled, settle.BatchSettled}, h.rows.statuses())
}

// TestReorgThatMinesItAgain: the same transaction comes back in another block.
func TestReorgThatMinesItAgain(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	before := *h.rows.rows[0].Receipt
	require.NoError(t, h.chain.Reorg(1))
	require.NoError(t, h.client.SendTransaction(t.Context(), h.node.sent[0]))
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Len(t, h.rows.rows, 1)
	require.NotEqual(t, before.BlockHash, h.rows.rows[0].Receipt.BlockHash)
	h.step(s, l1.Idle)
}

// TestNodeBehindIsNoReorg: a node that lacks the block says nothing about it.
func TestNodeBehindIsNoReorg(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.node.behind = 1
	_, err := s.Step(t.Context())
	require.ErrorIs(t, err, l1.ErrNodeBehind)
	require.True(t, l1.IsUnavailable(err))
	require.Equal(t, []settle.BatchStatus{settle.BatchSettled}, h.rows.statuses())
}

// TestNodeDownLosesNothing: however long the node is away, it is asked again soon.
func TestNodeDownLosesNothing(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	tries := make(chan struct{}, 40)
	ctx, cancel := context.WithCancel(t.Context())
	config := h.config()
	config.MaxOutage, config.MaxBackoff = 2*time.Millisecond, 24*time.Hour
	said := make(chan struct{}, 40)
	config.Logger = slog.New(warnings{said})
	s, err := l1.NewSubmitter(ctx, h.node, h.rows, config)
	require.NoError(t, err)
	h.node.mu.Lock()
	h.node.down, h.node.asked = syscall.ECONNREFUSED, tries
	h.node.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, nil) }()
	for range 40 { // doubling the pause each time would take 34 years
		<-tries
	}
	require.Empty(t, h.rows.rows)
	require.Len(t, said, 1, "an outage is said once")
	h.node.mu.Lock()
	h.node.down = nil
	h.node.mu.Unlock()
	require.Eventually(t, func() bool {
		h.chain.Commit()
		n, err := h.reader().BatchNumber(ctx)
		return err == nil && n == 1
	}, 30*time.Second, 5*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

// warnings passes on that something was logged as a warning.
type warnings struct{ heard chan<- struct{} }

func (w warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler               { return w }
func (w warnings) WithGroup(string) slog.Handler                    { return w }

func (w warnings) Handle(context.Context, slog.Record) error {
	select {
	case w.heard <- struct{}{}:
	default: // that many are enough
	}
	return nil
}

func TestFencedSubmitterStops(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.rows.epoch++
	require.ErrorIs(t, s.Run(t.Context(), nil), store.ErrFenced)
	require.Empty(t, h.node.sent)
}
