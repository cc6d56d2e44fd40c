package l1_test

import (
	"errors"
	"fmt"
	"math/big"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// several returns a submitter with four transactions under way at most.
func (h *harness) several() *l1.Submitter {
	h.t.Helper()
	cfg := h.config()
	cfg.MaxInFlight = 4
	s, err := l1.NewSubmitter(h.t.Context(), h.node, h.rows, cfg)
	require.NoError(h.t, err)
	return s
}

// mineSent makes a block once the node would take the last transaction sent into it: a
// pool that has just seen a block needs a moment.
func (h *harness) mineSent() {
	h.t.Helper()
	last := h.node.sent[len(h.node.sent)-1].Nonce()
	for _, tx := range h.node.sent {
		last = max(last, tx.Nonce())
	}
	h.untilPooled(last)
	h.chain.Commit()
}

// untilPooled waits until the node's pool holds our transactions up to a nonce.
func (h *harness) untilPooled(last uint64) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		next, err := h.client.NonceAt(h.t.Context(), common.Address(address(h.operator)), big.NewInt(rpc.PendingBlockNumber.Int64()))
		return err == nil && next == last+1
	}, 30*time.Second, time.Millisecond)
}

// recordAll makes steps until n batches are settled, and no other steps than that.
func (h *harness) recordAll(s *l1.Submitter, n int) {
	h.t.Helper()
	for range n {
		h.step(s, l1.Recorded)
	}
}

func (h *harness) head() uint64 {
	h.t.Helper()
	head, err := h.client.BlockNumber(h.t.Context())
	require.NoError(h.t, err)
	return head
}

func statuses[T any](n int, status T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = status
	}
	return out
}

// requireSettledOnce: the chain has every batch, by one event each, and the store by one
// mined settlement.
func (h *harness) requireSettledOnce(n settle.BatchNumber) {
	h.t.Helper()
	h.requireOnChain(n)
	require.Equal(h.t, statuses(int(n), settle.BatchSettled), h.rows.statuses()[:n])
	mined := map[settle.BatchNumber]int{}
	for _, r := range h.rows.rows {
		if r.Status == store.SettlementMined {
			mined[r.Batch]++
		}
	}
	require.Len(h.t, mined, int(n))
	for batch, times := range mined {
		require.Equal(h.t, 1, times, "batch %d", batch)
	}
}

// TestSeveralInOneBlock: batches of different sizes, with exits of one transaction's gas
// estimated and the others' bounded, settle in one block in their order.
func TestSeveralInOneBlock(t *testing.T) {
	h := newHarness(t)
	for _, transfers := range []int{2, 40, 1, 9, 3, 120} {
		h.prove(1, transfers)
	}
	s := h.several()
	before := h.head()
	h.step(s, l1.Sent)
	require.Equal(t, []store.SettlementStatus{"sent", "sent", "sent", "sent"}, h.rows.rowStatuses())
	for i, tx := range h.node.sent {
		require.Equal(t, h.node.sent[0].Nonce()+uint64(i), tx.Nonce())
	}
	h.step(s, l1.Waiting)
	require.Len(t, h.node.sent, 5, "those behind are not shown at every step")
	h.mineSent()
	h.recordAll(s, 4)
	h.requireSettledOnce(4)
	for _, r := range h.rows.rows {
		require.Equal(t, before+1, r.Receipt.BlockNumber, "all in one block")
		require.Less(t, r.Receipt.GasUsed, r.GasLimit)
	}
	h.step(s, l1.Sent)
	h.mineSent()
	h.recordAll(s, 2)
	h.requireSettledOnce(6)
	h.step(s, l1.Idle)
}

// TestOneInFlight: the bound of one is what it was before there were several.
func TestOneInFlight(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.submitter()
	for n := range 3 {
		h.step(s, l1.Sent)
		h.step(s, l1.Waiting)
		require.Len(t, h.rows.rows, n+1)
		h.mineSent()
		h.step(s, l1.Recorded)
	}
	h.requireSettledOnce(3)
}

// TestCutOffWithSeveral ends the process at every write and every send of four
// settlements, also without the node's answer: each time the next process goes on, and
// the very same transactions are mined.
func TestCutOffWithSeveral(t *testing.T) {
	for _, at := range []string{"PrepareSettlement", "MarkSent", "RecordMined", "send", "lost answer"} {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprintf("%s %d", at, n), func(t *testing.T) {
				h := newHarness(t)
				h.prove(4, 2)
				count, cut := 0, false
				fall := func(what string) bool {
					if what != at || cut {
						return false
					}
					count++
					cut = count == n
					return cut
				}
				h.rows.fail = func(method string) error {
					if fall(method) {
						return syscall.ECONNRESET
					}
					return nil
				}
				h.node.onSend = func() error {
					if fall("send") {
						return syscall.ECONNRESET
					}
					tx := h.node.sent[len(h.node.sent)-1]
					err := h.client.SendTransaction(t.Context(), tx)
					if fall("lost answer") {
						return syscall.ECONNRESET
					}
					return err
				}
				s := h.several()
				for range 20 {
					outcome, err := s.Step(t.Context())
					if err != nil {
						s = h.several()
					} else if outcome.Action == l1.Waiting {
						h.chain.Commit()
					}
				}
				require.True(t, cut)
				h.requireSettledOnce(4)
				require.Len(t, h.rows.rows, 4, "nothing was made anew")
			})
		}
	}
}

// TestReorgOfABlockWithThree: all three go back together and settle again, whether or
// not nodes bring the old transactions back.
func TestReorgOfABlockWithThree(t *testing.T) {
	for name, dropped := range map[string]bool{"old ones dropped": true, "old ones come back": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.prove(5, 2)
			s := h.several()
			h.step(s, l1.Sent)
			h.mineSent()
			h.recordAll(s, 3)
			h.requireOnChain(4)
			require.NoError(t, h.chain.Reorg(1))
			if dropped {
				h.chain.DropPending()
			} else {
				for _, tx := range h.node.sent[:4] {
					_ = h.client.SendTransaction(t.Context(), tx) // the pool may have them already
				}
			}
			for range 20 {
				_, err := s.Step(t.Context())
				if err != nil {
					require.ErrorContains(t, err, "underpriced")
				}
				h.chain.Commit()
			}
			h.requireSettledOnce(5)
		})
	}
}

// TestFailureTakesLaterOnesBack: the operator loses its rights in the block with all
// four, so all are reverted. With the rights back they settle, each once.
func TestFailureTakesLaterOnesBack(t *testing.T) {
	h := newHarness(t)
	h.prove(4, 2)
	s := h.several()
	governor, to, operator := bindings.NewRollup(), common.Address(h.deployment.Rollup), common.Address(address(h.operator))
	nonce, err := h.client.NonceAt(t.Context(), common.Address(address(h.chain.Keys()[0])), nil)
	require.NoError(t, err)
	govern := func(calls ...[]byte) {
		for _, data := range calls {
			h.sendAs(0, nonce, &to, data)
			nonce++
		}
	}
	govern(governor.PackProposeOperator(operator, false))
	h.chain.Commit()
	h.step(s, l1.Sent)
	govern(governor.PackActivateOperator(operator, false))
	h.mineSent()
	h.step(s, l1.Failed)
	require.Equal(t, statuses(4, store.SettlementFailed), h.rows.rowStatuses())
	require.Contains(t, h.rows.rows[0].Failure, "NotOperator")
	require.Equal(t, statuses(4, settle.BatchProven), h.rows.statuses())
	_, err = s.Step(t.Context())
	require.ErrorContains(t, err, "NotOperator")
	govern(governor.PackProposeOperator(operator, true))
	h.chain.Commit()
	govern(governor.PackActivateOperator(operator, true))
	h.chain.Commit()
	h.step(s, l1.Sent)
	h.mineSent()
	h.recordAll(s, 4)
	h.requireSettledOnce(4)
}

// TestFirstLosesItsNonce: somebody uses the key. The first is made anew at the nonce of
// the second, which a node still holds, and outbids it.
func TestFirstLosesItsNonce(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.several()
	h.step(s, l1.Sent)
	old := h.node.sent
	h.sendAs(1, old[0].Nonce(), &common.Address{1}, nil)
	h.node.onSend = func() error { return errors.New("txpool is full") } // what is left reaches nobody yet
	h.chain.Commit()
	for range 20 {
		if _, err := s.Step(t.Context()); err != nil {
			require.ErrorContains(t, err, "full")
		}
		h.node.onSend = nil
		h.chain.Commit()
	}
	h.requireSettledOnce(3)
	again := h.node.sent[3]
	require.Equal(t, old[0].Data(), again.Data())
	require.Greater(t, again.Nonce(), old[0].Nonce())
}

// TestStuckFirst: only the first in line is replaced, and those behind keep their bytes.
// When it is mined, the time of the next begins.
func TestStuckFirst(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.several()
	h.step(s, l1.Sent)
	h.now = h.now.Add(2 * time.Minute)
	h.step(s, l1.Replaced)
	require.Equal(t, []store.SettlementStatus{"replaced", "sent", "sent", "sent"}, h.rows.rowStatuses())
	require.Equal(t, h.rows.rows[0].Nonce, h.rows.rows[3].Nonce)
	h.step(s, l1.Waiting)
	h.step(s, l1.Waiting)
	require.Len(t, h.rows.rows, 4)
	h.mineSent()
	h.recordAll(s, 3)
	h.requireSettledOnce(3)
}

// TestTurnOfTheNext: a transaction that has waited behind others for hours is not stuck
// when its turn comes.
func TestTurnOfTheNext(t *testing.T) {
	h := newHarness(t)
	h.prove(2, 2)
	s := h.several()
	first := true
	h.node.onSend = func() error { // only the first reaches the chain
		if tx := h.node.sent[len(h.node.sent)-1]; first {
			first = false
			return h.client.SendTransaction(t.Context(), tx)
		}
		return nil
	}
	h.step(s, l1.Sent)
	h.now = h.now.Add(50 * time.Second)
	h.step(s, l1.Waiting)
	h.chain.Commit()
	h.now = h.now.Add(50 * time.Second)
	h.step(s, l1.Recorded)
	h.step(s, l1.Waiting)
	h.now = h.now.Add(59 * time.Second)
	h.step(s, l1.Waiting)
	h.now = h.now.Add(time.Second)
	h.step(s, l1.Replaced)
}

// TestRefusedFirstHoldsTheOthers: what no node has taken has nothing behind it.
func TestRefusedFirstHoldsTheOthers(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.several()
	h.node.onSend = func() error { return errors.New("txpool is full") }
	for range 3 {
		_, err := s.Step(t.Context())
		require.ErrorContains(t, err, "full")
	}
	require.Len(t, h.rows.rows, 1)
	h.node.onSend = nil
	h.step(s, l1.Resent)
	require.Len(t, h.rows.rows, 3)
}

// TestBadProofBehind: the verifier refuses it, so that it is set aside at no cost; what
// is before it settles.
func TestBadProofBehind(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	swapInputs(t, h, &h.rows.batches[1].work)
	s := h.several()
	h.step(s, l1.Sent)
	require.Len(t, h.rows.rows, 1)
	require.Equal(t, []settle.BatchStatus{settle.BatchSettling, settle.BatchSealed, settle.BatchProven}, h.rows.statuses())
	h.mineSent()
	h.step(s, l1.Recorded)
	h.step(s, l1.Idle)
	h.requireOnChain(1)
}

// TestAnotherOperatorSettlesTheFirst: ours is reverted, and those behind it are valid.
func TestAnotherOperatorSettlesTheFirst(t *testing.T) {
	h := newHarness(t)
	h.prove(3, 2)
	s := h.several()
	h.step(s, l1.Sent)
	h.sendAs(2, 0, h.node.sent[0].To(), h.node.sent[0].Data())
	h.mineSent()
	h.requireOnChain(3)
	h.recordAll(s, 3)
	h.requireSettledOnce(3)
	h.step(s, l1.Idle)
}
