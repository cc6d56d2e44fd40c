package l1_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// proxied puts a faulty node in front of the chain: its calls meet faults.
func (h *harness) proxied(options ...l1.Option) (*faultnode.Proxy, *l1.Conn) {
	h.t.Helper()
	proxy, err := faultnode.New(h.chain.URL())
	require.NoError(h.t, err)
	h.t.Cleanup(proxy.Close)
	conn, err := l1.Dial(h.t.Context(), proxy.URL(), h.chain.ChainID(), options...)
	require.NoError(h.t, err)
	h.t.Cleanup(conn.Close)
	h.node = &faulty{Conn: conn, h: h}
	return proxy, conn
}

// on applies a fault to one method, and to those of its calls whose parameters contain text.
func on(method, text string, fault faultnode.Fault) faultnode.Rule {
	return func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == method && strings.Contains(string(c.Params), text) {
			return fault
		}
		return none
	}
}

// fields rewrites fields of an object; nil removes one.
func fields(change map[string]any) faultnode.Fault {
	return faultnode.Rewrite(func(result json.RawMessage) json.RawMessage {
		var object map[string]json.RawMessage
		if json.Unmarshal(result, &object) != nil || object == nil {
			return result
		}
		for name, value := range change {
			if value == nil {
				delete(object, name)
				continue
			}
			encoded, err := json.Marshal(value)
			if err != nil {
				return result
			}
			object[name] = encoded
		}
		changed, err := json.Marshal(object)
		if err != nil {
			return result
		}
		return changed
	})
}

// logged has the submitter's log written to the returned buffer.
func (h *harness) logged() *bytes.Buffer {
	var log bytes.Buffer
	h.log = slog.New(slog.NewTextHandler(&log, nil))
	return &log
}

// settleOne settles the next batch.
func (h *harness) settleOne(s *l1.Submitter) {
	h.t.Helper()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
}

// A header with what our client does not know is that of the block all the same: its
// hash is the node's, and cannot be computed from the fields that we know.
func TestHeadersOfOtherForksAreNoReorgs(t *testing.T) {
	h := newHarness(t)
	proxy, _ := h.proxied()
	proxy.Set(on("eth_getBlockByNumber", "", fields(map[string]any{"extraData": "0x1234", "slotNumber": "0x7", "difficulty": nil, "logsBloom": nil})))
	h.prove(2, 2)
	s := h.submitter()
	h.settleOne(s)
	h.settleOne(s)
	h.step(s, l1.Idle)
	h.chain.Finalize()
	h.step(s, l1.Idle)
	require.Equal(t, []settle.BatchStatus{settle.BatchFinal, settle.BatchFinal}, h.rows.statuses())
	h.requireOnChain(2)
}

// A node that contradicts itself about a block's hash undoes nothing while receipt and
// root stand; that it cannot be verified is said once.
func TestContradictingHashesAreNoReorg(t *testing.T) {
	h := newHarness(t)
	proxy, _ := h.proxied()
	log := h.logged()
	h.prove(2, 2)
	s := h.submitter()
	h.settleOne(s)
	proxy.Set(on("eth_getBlockByNumber", "0x", fields(map[string]any{"hash": common.Hash{9}})))
	h.chain.Commit()
	h.settleOne(s)
	h.step(s, l1.Idle)
	h.step(s, l1.Idle)
	require.Equal(t, []store.SettlementStatus{store.SettlementMined, store.SettlementMined}, h.rows.rowStatuses())
	require.Equal(t, 1, strings.Count(log.String(), "cannot verify"), "once: %s", log)
	require.NotContains(t, log.String(), "msg=reorg")
	h.chain.Finalize()
	h.step(s, l1.Idle)
	require.Equal(t, []settle.BatchStatus{settle.BatchFinal, settle.BatchFinal}, h.rows.statuses(), "the contract at the finalized block knows them")
}

// Reorgs in a row make settling pause, each further one longer.
func TestReorgsInARowPauseSettling(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	reorg := func() {
		t.Helper()
		require.NoError(t, h.chain.Reorg(1))
		h.chain.DropPending()
	}
	h.settleOne(s)
	reorg()
	h.step(s, l1.Sent) // the first is settled again at once
	h.chain.Commit()
	h.step(s, l1.Recorded)
	reorg()
	_, err := s.Step(t.Context())
	if err == nil { // the step that saw it
		_, err = s.Step(t.Context())
	}
	require.ErrorContains(t, err, "settling pauses")
	h.now = h.now.Add(time.Second)
	_, err = s.Step(t.Context())
	require.NoError(t, err)
}

// No call waits for ever; the error says which was not answered, and counts as
// unavailable.
func TestEveryCallHasADeadline(t *testing.T) {
	h := newHarness(t)
	proxy, conn := h.proxied(l1.WithTimeout(20 * time.Millisecond))
	tx := types.NewTx(&types.DynamicFeeTx{Gas: 21_000})
	calls := map[string]func(context.Context) error{
		"eth_chainId":             func(ctx context.Context) error { _, err := conn.ChainID(ctx); return err },
		"eth_blockNumber":         func(ctx context.Context) error { _, err := conn.BlockNumber(ctx); return err },
		"eth_getBlockByNumber":    func(ctx context.Context) error { _, err := conn.Block(ctx, 1); return err },
		"eth_getBalance":          func(ctx context.Context) error { _, err := conn.BalanceAt(ctx, common.Address{}, nil); return err },
		"eth_getCode":             func(ctx context.Context) error { _, err := conn.CodeAt(ctx, common.Address{}, nil); return err },
		"eth_getTransactionCount": func(ctx context.Context) error { _, err := conn.NonceAt(ctx, common.Address{}, nil); return err },
		"eth_call": func(ctx context.Context) error {
			_, err := l1.NewClient(conn, h.deployment.Rollup).Root(ctx)
			return err
		},
		"eth_getTransactionByHash":  func(ctx context.Context) error { _, err := conn.Transaction(ctx, tx.Hash()); return err },
		"eth_getTransactionReceipt": func(ctx context.Context) error { _, err := conn.TransactionReceipt(ctx, tx.Hash()); return err },
		"eth_sendRawTransaction":    func(ctx context.Context) error { return conn.SendTransaction(ctx, tx) },
		"eth_getLogs": func(ctx context.Context) (err error) {
			for _, err = range conn.Logs(ctx, l1.LogSearch{Last: 9}) {
			}
			return err
		},
	}
	for method, call := range calls {
		proxy.Set(on(method, "", faultnode.Hang()))
		err := call(t.Context())
		require.ErrorIs(t, err, l1.ErrNoAnswer, method)
		require.ErrorContains(t, err, method+" within 20ms")
		require.True(t, l1.IsUnavailable(err), method)
	}
	proxy.Set(on("eth_chainId", "", faultnode.Hang()))
	_, err := l1.Dial(t.Context(), proxy.URL(), 0, l1.WithTimeout(20*time.Millisecond))
	require.ErrorIs(t, err, l1.ErrNoAnswer)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = conn.ChainID(ended)
	require.NotErrorIs(t, err, l1.ErrNoAnswer, "the caller went, the node may answer")
}

// One call that is never answered costs one step.
func TestAHangingCallDoesNotStopSettling(t *testing.T) {
	h := newHarness(t)
	proxy, _ := h.proxied(l1.WithTimeout(50 * time.Millisecond))
	h.prove(1, 2)
	s := h.submitter()
	hung := proxy.Calls("eth_getTransactionCount")
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getTransactionCount" && c.N == hung+1 {
			return faultnode.Hang()
		}
		return none
	})
	_, err := s.Step(t.Context())
	require.ErrorIs(t, err, l1.ErrNoAnswer)
	h.settleOne(s)
	h.requireOnChain(1)
}

// What a node need not tell never stops settling: finality, tips, base fees, optional
// fields of receipts and headers.
func TestOptionalKnowledgeNeverStopsSettling(t *testing.T) {
	for name, c := range map[string]struct {
		rule faultnode.Rule
		said string
	}{
		"unknown block":     {on("eth_getBlockByNumber", "finalized", faultnode.Error(-39001, "Unknown block")), "does not say its finalized block"},
		"unsupported tag":   {on("eth_getBlockByNumber", "finalized", faultnode.Error(-32602, "unsupported block tag")), "does not say its finalized block"},
		"no finality":       {on("eth_getBlockByNumber", "finalized", faultnode.Status(http.StatusForbidden, "no")), "does not say its finalized block"},
		"hanging finality":  {on("eth_getBlockByNumber", "finalized", faultnode.Hang()), "does not say its finalized block"},
		"no tip":            {on("eth_maxPriorityFeePerGas", "", faultnode.Error(-32601, "the method does not exist")), "does not say what tip"},
		"no fees":           {tipless("eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_gasPrice"), "does not say what tip"},
		"no base fee":       {on("eth_getBlockByNumber", "", fields(map[string]any{"baseFeePerGas": nil})), "does not say the base fee"},
		"no blocks":         {on("eth_getBlockByNumber", "", faultnode.Error(-32000, "pruned")), "does not say its head"},
		"bare receipts":     {on("eth_getTransactionReceipt", "", fields(map[string]any{"effectiveGasPrice": nil, "logsBloom": nil, "cumulativeGasUsed": nil, "gasUsed": nil, "type": nil, "blockHash": nil})), "receipts of L1 leave out"},
		"odd receipts":      {on("eth_getTransactionReceipt", "", fields(map[string]any{"effectiveGasPrice": "many", "type": "0x7e", "l1Fee": 7, "status": "0x01"})), "receipts of L1 leave out"},
		"statusless":        {on("eth_getTransactionReceipt", "", fields(map[string]any{"status": nil})), ""},
		"no logs to search": {on("eth_getLogs", "", faultnode.Error(-32601, "no logs here")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			log := h.logged()
			proxy, _ := h.proxied(l1.WithTimeout(200*time.Millisecond), l1.WithLogger(h.log))
			h.prove(2, 2)
			proxy.Set(c.rule)
			s := h.submitter()
			h.settleOne(s)
			h.settleOne(s)
			h.step(s, l1.Idle)
			h.requireOnChain(2)
			require.Contains(t, log.String(), c.said)
			if c.said != "" {
				require.Equal(t, 1, strings.Count(log.String(), c.said), "once: %s", log)
			}
			for _, row := range h.rows.rows {
				require.NotZero(t, row.Receipt.GasUsed)
				require.False(t, row.Receipt.EffectiveGasPrice.IsZero())
				require.NotZero(t, row.Receipt.BlockHash)
			}
			proxy.Set(nil)
			h.now = h.now.Add(time.Minute) // finality is asked again after a while
			h.chain.Finalize()
			h.step(s, l1.Idle)
			require.Equal(t, []settle.BatchStatus{settle.BatchFinal, settle.BatchFinal}, h.rows.statuses())
		})
	}
}

func tipless(methods ...string) faultnode.Rule {
	return func(c faultnode.Call) (none faultnode.Fault) {
		for _, m := range methods {
			if c.Method == m {
				return faultnode.Error(-32601, "the method does not exist")
			}
		}
		return none
	}
}

// Fees come from what the node has: history, gas price, or a default.
func TestFeesWithoutASuggestion(t *testing.T) {
	h := newHarness(t)
	proxy, conn := h.proxied()
	head, err := conn.Block(t.Context(), -2)
	require.NoError(t, err)
	history := faultnode.Rewrite(func(json.RawMessage) json.RawMessage {
		return json.RawMessage(`{"oldestBlock":"0x1","reward":[["0x5"],["0x0"],["0x9"],["0x07"]]}`)
	})
	price := faultnode.Rewrite(func(json.RawMessage) json.RawMessage {
		b, _ := json.Marshal("0x" + new(big.Int).Add(head.BaseFee, big.NewInt(77)).Text(16))
		return b
	})
	for name, c := range map[string]struct {
		history, price faultnode.Fault
		tip            int64
	}{
		"history": {history, price, 7},
		"price":   {faultnode.Error(-32601, "no"), price, 77},
		"nothing": {faultnode.Error(-32601, "no"), faultnode.Error(-32601, "no"), 1_000_000_000},
	} {
		proxy.Set(func(call faultnode.Call) (none faultnode.Fault) {
			switch call.Method {
			case "eth_maxPriorityFeePerGas":
				return faultnode.Error(-32601, "no")
			case "eth_feeHistory":
				return c.history
			case "eth_gasPrice":
				return c.price
			}
			return none
		})
		hint, err := conn.SuggestFees(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, big.NewInt(c.tip), hint.Tip, name)
		require.Equal(t, head.BaseFee, hint.BaseFee, name)
	}
}

// Whatever becomes of the answer to a sent transaction, the chain decides.
func TestAnAmbiguousSendIsNotAFailedSend(t *testing.T) {
	for name, fault := range map[string]faultnode.Fault{
		"lost answer":   faultnode.LoseAnswer(),
		"already known": faultnode.Error(-32000, "already known"),
		"never arrived": faultnode.Drop(),
		"hanging":       faultnode.Hang(),
		"nonce too low": faultnode.Error(-32000, "nonce too low"),
		"bad gateway":   faultnode.Status(http.StatusBadGateway, "<html>"),
		"limited":       faultnode.Error(-32005, "too many requests"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			proxy, conn := h.proxied(l1.WithTimeout(500 * time.Millisecond))
			proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
				if c.Method == "eth_sendRawTransaction" && c.N%2 == 1 {
					return fault
				}
				return none
			})
			before := h.nonceOf(0)
			stop := h.mine()
			d, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], l1.DeployConfig{
				ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()},
			})
			stop()
			require.NoError(t, err)
			require.NoError(t, l1.CheckDeployment(t.Context(), h.client, d))
			require.Equal(t, before+2, h.nonceOf(0), "one verifier and one rollup")
		})
	}
}

func (h *harness) nonceOf(i int) uint64 {
	h.t.Helper()
	n, err := h.client.NonceAt(h.t.Context(), common.Address(address(h.chain.Keys()[i])), nil)
	require.NoError(h.t, err)
	return n
}

// Want of ether says who lacks how much.
func TestUnfundedSaysAddressAndAmount(t *testing.T) {
	h := newHarness(t)
	proxy, conn := h.proxied()
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		switch c.Method {
		case "eth_sendRawTransaction":
			return faultnode.Error(-32000, "insufficient funds for gas * price + value")
		case "eth_getBalance":
			return faultnode.Rewrite(func(json.RawMessage) json.RawMessage { return json.RawMessage(`"0x3e8"`) })
		}
		return none
	})
	_, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()},
	})
	var unfunded *l1.UnfundedError
	require.ErrorAs(t, err, &unfunded)
	require.Equal(t, address(h.chain.Keys()[0]), unfunded.Address)
	require.Equal(t, big.NewInt(1000), unfunded.Balance)
	require.Positive(t, unfunded.Missing.Sign())
	h.prove(1, 2)
	_, err = h.submitter().Step(t.Context())
	require.ErrorAs(t, err, &unfunded)
	require.Equal(t, address(h.operator), unfunded.Address)

	proxy.Set(on("eth_sendRawTransaction", "", faultnode.Error(-32000, "replacement transaction underpriced")))
	_, err = l1.Deploy(t.Context(), conn, h.chain.Keys()[0], l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()},
	})
	require.ErrorContains(t, err, "is pending already, a settlement")
	require.NotErrorIs(t, err, l1.ErrNoAnswer)
}

// Transactions of types that we do not know, as other chains have them, are read and adopted.
func TestSettlementByAnUnknownTypeOfTransaction(t *testing.T) {
	h := newHistory(t)
	proxy, conn := h.proxied()
	work := h.next()
	h.rows.add(work)
	h.settleOne(h.submitter())
	proxy.Set(on("eth_getTransactionByHash", "", fields(map[string]any{"type": "0x7b", "feeCurrency": common.Address{5}, "v": nil, "chainId": nil})))
	head, err := conn.BlockNumber(t.Context())
	require.NoError(t, err)
	seen := 0
	require.NoError(t, l1.NewClient(conn, h.deployment.Rollup).History(t.Context(), h.deployment.Block, head, func(b l1.Settled) error {
		seen++
		return nil
	}))
	require.Equal(t, 1, seen)

	h.rows = newMemory(h.harness) // a restored copy, which has not seen the settlement
	h.rows.add(work)
	s := h.submitter()
	h.step(s, l1.Recorded)
	require.Equal(t, address(h.operator), h.rows.rows[0].Sender)
	require.NotEmpty(t, h.rows.rows[0].RawTx)
}
