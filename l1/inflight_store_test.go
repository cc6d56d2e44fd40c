package l1_test

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// TestSeveralOnPostgres goes with the real store through a block of three, a take-over
// with three under way, a reorg of their block, the loss of the first one's nonce, and
// finality.
func TestSeveralOnPostgres(t *testing.T) {
	h := newHarness(t)
	p := newPostgres(t, h)
	h.now = time.Now()
	root := genesisRoot
	for n := settle.BatchNumber(1); n <= 7; n++ {
		root = p.prove(n, root).Batch.NewRoot
	}
	several := func() (*l1.Submitter, *store.Writer) {
		role := p.acquire(store.RoleSubmitter)
		cfg := h.config()
		cfg.Epoch, cfg.MaxInFlight = role.Epoch(), 3
		s, err := l1.NewSubmitter(t.Context(), h.client, p.store, cfg)
		require.NoError(t, err)
		return s, role
	}
	pending := func(want ...settle.BatchNumber) []store.Settlement {
		t.Helper()
		rows, err := p.store.PendingSettlements(t.Context())
		require.NoError(t, err)
		var got []settle.BatchNumber
		for i, row := range rows {
			got = append(got, row.Batch)
			require.Equal(t, rows[0].Nonce+uint64(i), row.Nonce)
		}
		require.Equal(t, want, got)
		return rows
	}
	// mine makes a block that has what is pending.
	mine := func(last uint64) {
		t.Helper()
		h.untilPooled(last)
		h.chain.Commit()
	}

	s, role := several()
	h.step(s, l1.Sent)
	rows := pending(1, 2, 3)
	require.NoError(t, role.Release(t.Context()))
	s, _ = several() // finds all three
	h.step(s, l1.Waiting)
	require.Equal(t, rows[2].TxHash, pending(1, 2, 3)[2].TxHash)
	mine(rows[2].Nonce)
	h.recordAll(s, 3)
	p.requireStatus(3, settle.BatchSettled)

	require.NoError(t, h.chain.Reorg(1))
	h.chain.DropPending()
	h.step(s, l1.Sent)
	again := pending(1, 2, 3)
	for i := range again {
		require.Equal(t, rows[i].Nonce, again[i].Nonce)
		require.Positive(t, again[i].MaxFee.Cmp(rows[i].MaxFee), "it outbids what a node may still hold")
	}
	mine(again[2].Nonce)
	h.recordAll(s, 3)

	h.step(s, l1.Sent)
	lost := pending(4, 5, 6)
	h.chain.DropPending()
	h.sendAs(1, lost[0].Nonce, &common.Address{1}, nil)
	h.chain.Commit()
	h.step(s, l1.Failed)
	for n := settle.BatchNumber(4); n <= 6; n++ {
		row := p.requireStatus(n, settle.BatchProven)
		require.Equal(t, store.SettlementFailed, row.Status)
		if n > 4 {
			require.Contains(t, row.Failure, "taken back: the settlement of batch 4 failed")
		}
	}
	h.step(s, l1.Sent)
	once := pending(4, 5, 6)
	require.Equal(t, lost[1].Nonce, once[0].Nonce)

	mine(once[2].Nonce)
	h.recordAll(s, 3)
	h.step(s, l1.Sent)
	mine(pending(7)[0].Nonce)
	h.recordAll(s, 1)
	h.step(s, l1.Idle)
	h.chain.Finalize()
	h.step(s, l1.Idle)
	for n := settle.BatchNumber(1); n <= 7; n++ {
		p.requireStatus(n, settle.BatchFinal)
	}
	got, err := h.reader().Root(t.Context())
	require.NoError(t, err)
	require.Equal(t, root, got)
}
