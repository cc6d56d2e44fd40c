package l1_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
)

// mining makes a block of each transaction that it is sent.
type mining struct {
	*l1.Conn
	chain *devchain.Chain
}

func (m mining) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	defer m.chain.Commit()
	return m.Conn.SendTransaction(ctx, tx)
}

// claimVia claims by account i of the chain.
func (h *harness) claimVia(ctx context.Context, node l1.Node, i int, c l1.Claim) (l1.Claimed, error) {
	return l1.ClaimExit(ctx, node, h.chain.Keys()[i], l1.ClaimConfig{
		ChainID: h.chain.ChainID(), Rollup: h.deployment.Rollup, From: h.deployment.Block, Poll: 2 * time.Millisecond, Logger: h.log,
	}, c)
}

// claimed claims by account 2, in one block.
func (h *harness) claimed(c l1.Claim) l1.Claimed {
	h.t.Helper()
	done, err := h.claimVia(h.t.Context(), mining{h.client, h.chain}, 2, c)
	require.NoError(h.t, err)
	return done
}

// claimable settles a batch with exits and returns the claims of them.
func (h *harness) claimable(exits int) []l1.Claim {
	h.t.Helper()
	made := someExits(exits)
	h.settleExits(h.submitter(), made)
	claims := make([]l1.Claim, exits)
	for i := range claims {
		var err error
		claims[i], err = l1.NewClaim(settle.BatchNumber(len(h.rows.batches)), made, i)
		require.NoError(h.t, err)
	}
	return claims
}

// sentHash is the hash of the transaction in a call of eth_sendRawTransaction.
func sentHash(t *testing.T, params json.RawMessage) settle.Hash {
	t.Helper()
	var raw []hexutil.Bytes
	require.NoError(t, json.Unmarshal(params, &raw))
	tx := new(types.Transaction)
	require.NoError(t, tx.UnmarshalBinary(raw[0]))
	return settle.Hash(tx.Hash())
}

// The answer to a claim is lost and its process killed; the claim is mined meanwhile. The
// next process finds it, sends nothing, and says so.
func TestALostAnswerIsAClaimThatWasMade(t *testing.T) {
	h := newHarness(t)
	claim := h.claimable(3)[1]
	proxy, conn := h.proxied()
	before := h.nonceOf(3)
	killed, kill := context.WithCancel(t.Context())
	defer kill()
	var first settle.Hash
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		switch {
		case c.Method != "eth_sendRawTransaction":
			return none
		case c.N == 1:
			first = sentHash(t, c.Params)
			return faultnode.LoseAnswer()
		}
		kill() // while it is sent again
		return faultnode.Drop()
	})
	_, err := h.claimVia(killed, conn, 3, claim)
	require.ErrorIs(t, err, context.Canceled)
	proxy.Set(nil)
	h.chain.Commit()

	sent := proxy.Calls("eth_sendRawTransaction")
	again, err := h.claimVia(t.Context(), conn, 3, claim)
	require.NoError(t, err)
	require.True(t, again.Already)
	require.Equal(t, first, again.TxHash)
	receipt, err := conn.TransactionReceipt(t.Context(), [32]byte(first))
	require.NoError(t, err)
	require.Equal(t, l1.Claimed{
		Already: true, TxHash: first, Block: receipt.BlockNumber.Uint64(), BlockHash: settle.Hash(receipt.BlockHash), GasUsed: receipt.GasUsed,
	}, again)
	require.Equal(t, sent, proxy.Calls("eth_sendRawTransaction"))
	require.Equal(t, before+1, h.nonceOf(3))
}

// Somebody else claimed for the owner, before or just before this one: that is the record.
func TestAClaimBySomebodyElseIsOne(t *testing.T) {
	h := newHarness(t)
	claims := h.claimable(4)
	proxy, conn := h.proxied()
	first := h.claimed(claims[0])
	require.False(t, first.Already)
	first.Already = true
	got, err := h.claimVia(t.Context(), conn, 3, claims[0])
	require.NoError(t, err)
	require.Equal(t, first, got)

	// Between simulation and sending; then ours is reverted, or its nonce is used.
	for i, other := range map[int]int{1: 2, 2: 3} {
		var once atomic.Bool
		var won l1.Claimed
		proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
			if c.Method == "eth_sendRawTransaction" && once.CompareAndSwap(false, true) {
				var err error
				won, err = h.claimVia(t.Context(), mining{h.client, h.chain}, other, claims[i])
				require.NoError(t, err)
			}
			return none
		})
		got, err = h.claimVia(t.Context(), mining{conn, h.chain}, 3, claims[i])
		require.NoError(t, err)
		require.Equal(t, won.TxHash, got.TxHash)
		require.Equal(t, won.Block, got.Block)
		require.True(t, got.Already || other == 3, "the same bytes of the same account are the same claim")
	}

	// What is refused for another reason stays refused.
	proxy.Set(on("eth_estimateGas", "", faultnode.Error(-32000, "no gas today")))
	_, err = h.claimVia(t.Context(), conn, 3, claims[3])
	require.ErrorContains(t, err, "no gas today")
}

// That the exit is claimed is known also where the node does not find the transaction.
func TestAClaimIsKnownWithoutItsTransaction(t *testing.T) {
	h := newHarness(t)
	claim := h.claimable(1)[0]
	done := h.claimed(claim)
	log := h.logged()
	proxy, conn := h.proxied()
	proxy.Set(on("eth_getLogs", "", faultnode.Error(-32601, "no logs here")))
	got, err := h.claimVia(t.Context(), conn, 3, claim)
	require.NoError(t, err)
	require.Equal(t, l1.Claimed{Already: true}, got)
	require.Contains(t, log.String(), "does not say by which transaction")

	proxy.Set(on("eth_getTransactionReceipt", "", faultnode.Error(-32000, "pruned")))
	got, err = h.claimVia(t.Context(), conn, 3, claim)
	require.NoError(t, err)
	require.Equal(t, l1.Claimed{Already: true, TxHash: done.TxHash, Block: done.Block, BlockHash: done.BlockHash}, got)
	require.Contains(t, log.String(), "does not say how much gas")

	ended, end := context.WithCancel(t.Context())
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getLogs" {
			end()
			return faultnode.Hang()
		}
		return none
	})
	_, err = h.claimVia(ended, conn, 3, claim)
	require.ErrorIs(t, err, context.Canceled, "whoever is told to stop does")
	require.ErrorContains(t, err, "is claimed")
}
