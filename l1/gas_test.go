package l1_test

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// TestGasIsLearnedFromWhatIsUnderWay: a new process, whose rollup has settled nothing,
// finds one transaction under way and sends others behind it at once.
func TestGasIsLearnedFromWhatIsUnderWay(t *testing.T) {
	h := newHarness(t)
	for _, transfers := range []int{2, 90, 1, 5} {
		h.prove(1, transfers)
	}
	h.step(h.submitter(), l1.Sent)
	s := h.several()
	h.step(s, l1.Sent)
	require.Equal(t, statuses(4, store.SettlementSent), h.rows.rowStatuses())
	h.mineSent()
	h.recordAll(s, 4)
	h.requireSettledOnce(4)
}

// TestBoundTooLow: what was settled before tells too little, so that what is behind the
// first runs out of gas. From then on each is estimated, and waits for that until it is
// first, whether or not the process that sent them still runs.
func TestBoundTooLow(t *testing.T) {
	for name, restarts := range map[string]bool{"same process": false, "another process": true} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.prove(5, 2)
			s := h.submitter()
			h.settleOne(s)
			h.step(s, l1.Sent)
			h.rows.rows[0].Receipt.GasUsed /= 2
			s = h.several()
			h.step(s, l1.Sent)
			require.Len(t, h.rows.rows, 5)
			h.mineSent()
			if restarts {
				s = h.several()
			}
			h.step(s, l1.Recorded)
			h.step(s, l1.Failed)
			require.Equal(t, []store.SettlementStatus{"mined", "mined", "failed", "failed", "failed"}, h.rows.rowStatuses())
			require.Contains(t, h.rows.rows[2].Failure, "ran out of gas")
			for n := 6; n <= 8; n++ {
				h.step(s, l1.Sent)
				require.Len(t, h.rows.rows, n, "one at a time")
				h.mineSent()
				h.step(s, l1.Recorded)
			}
			h.requireSettledOnce(5)
		})
	}
}

// TestGasLimitThatNoNodeTakes: the transaction is given up and made anew with another
// estimate, whichever way the node refuses its limit.
func TestGasLimitThatNoNodeTakes(t *testing.T) {
	for name, c := range map[string]struct {
		guess func(uint64) uint64
		says  string // the node, in place of the chain's own words
		said  string
	}{
		"more than a block":       {nil, "exceeds block gas limit", "exceeds block gas limit"},
		"more than a transaction": {func(uint64) uint64 { return 1 << 24 }, "", "gas limit too high"},
		"less than its calldata":  {func(uint64) uint64 { return 20_000 }, "", "intrinsic gas too low"},
		"less than the floor":     {func(gas uint64) uint64 { return gas / 3 }, "", "floor data gas"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			if h.prove(1, 2); c.said == "floor data gas" {
				h.rows = newMemory(h)
				h.prove(1, 400)
			}
			s := h.submitter()
			if h.node.guess = c.guess; c.says != "" {
				h.node.onSend = func() error { return errors.New(c.says) }
			}
			_, err := s.Step(t.Context())
			require.ErrorContains(t, err, c.said)
			h.step(s, l1.Failed)
			require.Contains(t, h.rows.rows[0].Failure, "no node takes it")
			require.Contains(t, h.rows.rows[0].Failure, c.said)
			require.Equal(t, []settle.BatchStatus{settle.BatchProven}, h.rows.statuses())
			h.node.guess, h.node.onSend = nil, nil
			h.settleOne(s)
			h.requireOnChain(1)
		})
	}
}

// TestSomebodyElseUsesTheKey: a node holds a foreign transaction at our nonce. That is
// said, nothing is thought to be sent, and ours outbids it within the cap.
func TestSomebodyElseUsesTheKey(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	hint, err := h.client.SuggestFees(t.Context())
	require.NoError(t, err)
	id, twice := new(big.Int).SetUint64(h.chain.ChainID()), func(x *big.Int) *big.Int { return new(big.Int).Lsh(x, 1) }
	theirs, err := types.SignNewTx(h.operator, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: h.nonceOf(1), Gas: 21_000, To: &common.Address{1}, GasTipCap: twice(hint.Tip), GasFeeCap: twice(twice(hint.BaseFee)),
	})
	require.NoError(t, err)
	require.NoError(t, h.client.SendTransaction(t.Context(), theirs))
	_, err = s.Step(t.Context())
	require.ErrorContains(t, err, "another transaction of "+address(h.operator).String()+" with nonce")
	require.ErrorContains(t, err, "somebody else uses the key")
	require.Equal(t, []store.SettlementStatus{store.SettlementPrepared}, h.rows.rowStatuses())
	refused := 1
	for ; err != nil && refused < 60; refused++ {
		_, err = s.Step(t.Context())
	}
	require.NoError(t, err)
	last := h.rows.rows[len(h.rows.rows)-1]
	require.Equal(t, store.SettlementSent, last.Status)
	require.Len(t, h.rows.rows, refused, "each refusal raises its fees once")
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.requireOnChain(1)
}

// TestGroupsInFlight: groups and single batches are under way together, the kinds known
// from what was settled before this process began; they settle in one block, leave the
// chain with it, and are taken back together when the first loses its nonce.
func TestGroupsInFlight(t *testing.T) {
	g := newGroups(t, 11)
	h := g.h
	g.plan(2, 3, nil)
	s, role := g.submitter()
	for range 2 { // 1 alone, 2 and 3 as one
		h.step(s, l1.Sent)
		h.chain.Commit()
		h.step(s, l1.Recorded)
	}
	h.step(s, l1.Sent) // 4 alone
	require.NoError(t, role.Release(t.Context()))
	g.plan(5, 7, nil)
	g.plan(9, 11, nil)

	s = g.several(4)
	h.step(s, l1.Sent)
	rows := g.pending(4, 4, 5, 7, 8, 8, 9, 11)
	h.untilPooled(rows[3].Nonce)
	h.chain.Commit()
	h.recordAll(s, 4)
	g.requireRoot(11)
	block := g.requireStatus(4, settle.BatchSettled).Receipt.BlockNumber
	for n := settle.BatchNumber(5); n <= 11; n++ {
		row := g.requireStatus(n, settle.BatchSettled)
		require.Equal(t, block, row.Receipt.BlockNumber, "all in one block")
		require.Less(t, row.Receipt.GasUsed, row.GasLimit)
	}

	require.NoError(t, h.chain.Reorg(1))
	h.chain.DropPending()
	h.step(s, l1.Sent)
	lost := g.pending(4, 4, 5, 7, 8, 8, 9, 11)
	h.chain.DropPending()
	h.sendAs(1, lost[0].Nonce, &common.Address{1}, nil)
	h.chain.Commit()
	h.step(s, l1.Failed)
	for n := settle.BatchNumber(4); n <= 11; n++ {
		require.Equal(t, store.SettlementFailed, g.requireStatus(n, settle.BatchProven).Status)
	}
	h.step(s, l1.Sent)
	again := g.pending(4, 4, 5, 7, 8, 8, 9, 11)
	h.untilPooled(again[3].Nonce)
	h.chain.Commit()
	h.recordAll(s, 4)
	h.step(s, l1.Idle)
	h.chain.Finalize()
	h.step(s, l1.Idle)
	for n := settle.BatchNumber(1); n <= 11; n++ {
		g.requireStatus(n, settle.BatchFinal)
	}
	g.requireRoot(11)
}

// several returns a submitter with so many transactions under way at most.
func (g *groups) several(most int) *l1.Submitter {
	t := g.h.t
	t.Helper()
	cfg := g.h.config()
	cfg.Epoch, cfg.MaxInFlight, cfg.StuckAfter = g.acquire(store.RoleSubmitter).Epoch(), most, time.Hour
	s, err := l1.NewSubmitter(t.Context(), g.h.client, g.store, cfg)
	require.NoError(t, err)
	return s
}

// pending returns what is under way, which must be of these first and last batches, at
// consecutive nonces.
func (g *groups) pending(want ...settle.BatchNumber) []store.Settlement {
	t := g.h.t
	t.Helper()
	rows, err := g.store.PendingSettlements(t.Context())
	require.NoError(t, err)
	var got []settle.BatchNumber
	for i, row := range rows {
		got = append(got, row.Batch, row.Last)
		require.Equal(t, rows[0].Nonce+uint64(i), row.Nonce)
		require.Equal(t, store.SettlementSent, row.Status)
	}
	require.Equal(t, want, got)
	return rows
}
