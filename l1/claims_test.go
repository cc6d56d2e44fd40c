package l1_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/publicdata"
)

// settleExits settles the next batch, of as many transactions as exits, and
// returns its gas.
func (h *harness) settleExits(s *l1.Submitter, exits []publicdata.Exit) uint64 {
	h.t.Helper()
	d := publicdata.Data{FeeAccounts: []publicdata.FeeAccount{{}}, Exits: exits}
	d.Header.Number = settle.BatchNumber(len(h.rows.batches) + 1)
	old := genesisRoot
	if n := len(h.rows.batches); n > 0 {
		old = h.rows.batches[n-1].work.Batch.NewRoot
	}
	d.Header.OldRoot.SetBytes(old[:])
	d.Header.NewRoot.MustSetRandom()
	d.Header.Domain.SetBytes(h.deployment.Domain[:])
	for range exits {
		d.Transfers = append(d.Transfers, publicdata.Transfer{Kind: settle.KindExit, From: 1<<32 - 1, Amount: 1<<40 - 1, Fee: 1<<16 - 1})
	}
	h.rows.add(h.workOf(d.Words(), len(exits)))
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	receipt, err := h.client.TransactionReceipt(h.t.Context(), h.node.sent[len(h.node.sent)-1].Hash())
	require.NoError(h.t, err)
	return receipt.GasUsed
}

func someExits(n int) []publicdata.Exit {
	random := rand.New(rand.NewPCG(uint64(n), 2026))
	exits := make([]publicdata.Exit, n)
	for i := range exits {
		var e fr.Element
		e.SetUint64(random.Uint64()).Inverse(&e)
		b := e.Bytes()
		exits[i] = publicdata.Exit{
			L1: settle.Address(b[12:]), Token: settle.TokenID(random.Uint32()), Amount: settle.Amount{Hi: random.Uint64(), Lo: random.Uint64()},
		}
	}
	return exits
}

// claim claims by an account that has nothing to do with the exit.
func (h *harness) claim(c l1.Claim) (l1.Claimed, error) {
	h.t.Helper()
	defer h.mine()()
	cfg := l1.ClaimConfig{ChainID: h.chain.ChainID(), Rollup: h.deployment.Rollup, Poll: 2 * time.Millisecond}
	return l1.ClaimExit(h.t.Context(), h.client, h.chain.Keys()[3], cfg, c)
}

func TestExitsAreClaimedOnce(t *testing.T) {
	h := newHarness(t)
	s, c := h.submitter(), h.reader()
	exits := someExits(3)
	h.settleExits(s, exits)
	h.settleExits(s, nil)
	root, err := c.ExitsRoot(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, publicdata.ExitsRoot(1, exits), root)
	for _, batch := range []settle.BatchNumber{0, 2, 3} {
		none, err := c.ExitsRoot(t.Context(), batch)
		require.NoError(t, err)
		require.Zero(t, none)
	}
	refused := func(c l1.Claim, name string) {
		t.Helper()
		_, err := h.claim(c)
		var revert *l1.RevertError
		require.ErrorAs(t, err, &revert)
		require.Equal(t, name, revert.Name, revert.Detail)
	}
	for i := range exits {
		claim, err := l1.NewClaim(1, exits, i)
		require.NoError(t, err)
		before, err := c.ExitClaimed(t.Context(), 1, claim.Index)
		require.NoError(t, err)
		require.False(t, before)

		more, other, far, none := claim, claim, claim, claim
		more.Exit.Amount.Lo++
		refused(more, "ExitNotProven")
		other.Path = append([]settle.Hash{}, other.Path...)
		other.Path[1][0] ^= 1
		refused(other, "ExitNotProven")
		far.Index += 4
		refused(far, "ExitIndexOutOfRange")
		none.Batch = 2
		refused(none, "NoExits")

		done, err := h.claim(claim)
		require.NoError(t, err)
		require.NotZero(t, done.GasUsed)
		after, err := c.ExitClaimed(t.Context(), 1, claim.Index)
		require.NoError(t, err)
		require.True(t, after)
		again, err := h.claim(claim)
		require.NoError(t, err)
		done.Already = true
		require.Equal(t, done, again, "the record of the claim that was made")
		more.Exit.L1[0] ^= 1
		refused(more, "ExitAlreadyClaimed") // this exit was not
	}
	_, err = l1.NewClaim(1, exits, 3)
	require.ErrorIs(t, err, publicdata.ErrNoExit)
}

func TestClaimNeedsTheContract(t *testing.T) {
	h := newHarness(t)
	h.deployment.Rollup[0] ^= 1
	_, err := h.claim(l1.Claim{Batch: 1})
	require.ErrorIs(t, err, l1.ErrNoContract)
}

// TestGasOfExits holds what exits add to the gas of settling, by real transactions
// with the widest fields, against a batch of no transactions: a slot for the root of
// the batch's exits, and about 1,450 for each with its transaction, so at most 3,000
// each from 15 on, a full batch of shape `small` (docs/adr/0008-exits-root-per-batch.md has the table).
func TestGasOfExits(t *testing.T) {
	const noise = 250 // zero bytes in roots, commitment and proof
	h := newHarness(t)
	s := h.submitter()
	h.settleExits(s, nil) // the first batch writes an empty slot
	base := h.settleExits(s, nil)
	for _, row := range []struct{ exits, added int }{
		{1, 24_000},
		{2, 25_400},
		{6, 31_500},
		{15, 44_400},
		{19, 51_000},
		{26, 60_700},
		{86, 147_400},
	} {
		added := int(h.settleExits(s, someExits(row.exits)) - base)
		t.Logf("%d exits: %d gas more, %d each", row.exits, added, added/row.exits)
		assert.InDelta(t, row.added, added, noise, "%d exits", row.exits)
		if row.exits >= 15 {
			assert.LessOrEqual(t, added, 3000*row.exits, "%d exits", row.exits)
		}
	}
}
