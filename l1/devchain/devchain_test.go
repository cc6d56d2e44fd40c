package devchain_test

import (
	"context"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1/devchain"
)

func start(t *testing.T, cfg devchain.Config) (*devchain.Chain, *ethclient.Client) {
	t.Helper()
	chain, err := devchain.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = chain.Close() })
	client, err := ethclient.DialContext(t.Context(), chain.URL())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return chain, client
}

func pay(t *testing.T, chain *devchain.Chain, client *ethclient.Client, nonce uint64) *types.Transaction {
	t.Helper()
	tx, err := types.SignNewTx(chain.Keys()[0], types.LatestSignerForChainID(new(big.Int).SetUint64(chain.ChainID())), &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(chain.ChainID()), Nonce: nonce, Gas: 21_000, To: &common.Address{1}, Value: big.NewInt(1),
		GasFeeCap: big.NewInt(10_000_000_000), GasTipCap: big.NewInt(1_000_000_000),
	})
	require.NoError(t, err)
	require.NoError(t, client.SendTransaction(t.Context(), tx))
	return tx
}

func receipt(t *testing.T, client *ethclient.Client, tx *types.Transaction) *types.Receipt {
	t.Helper()
	var r *types.Receipt
	require.Eventually(t, func() bool {
		var err error
		r, err = client.TransactionReceipt(t.Context(), tx.Hash())
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	return r
}

func TestMinesOnTransaction(t *testing.T) {
	chain, client := start(t, devchain.Config{ChainID: 4242})
	id, err := client.ChainID(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 4242, id.Uint64())
	require.EqualValues(t, 1, receipt(t, client, pay(t, chain, client, 0)).Status)
	require.EqualValues(t, 1, receipt(t, client, pay(t, chain, client, 1)).Status)
}

// Blocks follow a transaction until it is final, and then no more.
func TestTransactionsBecomeFinal(t *testing.T) {
	cfg := devchain.Config{Period: 2 * time.Millisecond, DataDir: t.TempDir()}
	chain, client := start(t, cfg)
	final := func() uint64 {
		header, err := client.HeaderByNumber(t.Context(), big.NewInt(int64(rpc.FinalizedBlockNumber)))
		if err != nil {
			require.ErrorContains(t, err, "finalized block not found")
			return 0
		}
		return header.Number.Uint64()
	}
	become := func(block *big.Int) {
		require.Eventually(t, func() bool { return final() >= block.Uint64() }, 20*time.Second, 5*time.Millisecond)
	}
	for nonce := range uint64(2) {
		become(receipt(t, client, pay(t, chain, client, nonce)).BlockNumber)
	}
	head, err := client.BlockNumber(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2*devchain.FinalityBlocks, head)
	require.Never(t, func() bool {
		now, err := client.BlockNumber(t.Context())
		return err != nil || now != head
	}, 100*time.Millisecond, 10*time.Millisecond, "a chain at rest does not grow")
	client.Close()
	require.NoError(t, chain.Close())

	chain, client = start(t, cfg)
	require.Equal(t, head, final(), "a restarted chain knows what is final")
	become(receipt(t, client, pay(t, chain, client, 2)).BlockNumber)
}

func TestMinesPeriodically(t *testing.T) {
	chain, client := start(t, devchain.Config{Mining: devchain.Periodic, Period: 10 * time.Millisecond})
	require.EqualValues(t, 1, receipt(t, client, pay(t, chain, client, 0)).Status)
}

func TestReorgForgetsTransactions(t *testing.T) {
	chain, client := start(t, devchain.Config{Mining: devchain.Manual})
	chain.Commit()
	tx := pay(t, chain, client, 0)
	hash := chain.Commit()
	require.Equal(t, hash, receipt(t, client, tx).BlockHash)
	chain.Commit()

	require.NoError(t, chain.Reorg(2))
	_, err := client.TransactionReceipt(t.Context(), tx.Hash())
	require.Error(t, err)
	head, err := client.HeaderByNumber(t.Context(), big.NewInt(2))
	require.NoError(t, err)
	require.NotEqual(t, hash, head.Hash())
	nonce, err := client.PendingNonceAt(t.Context(), crypto.PubkeyToAddress(chain.Keys()[0].PublicKey))
	require.NoError(t, err)
	require.Zero(t, nonce)
}

func TestFinalize(t *testing.T) {
	chain, client := start(t, devchain.Config{Mining: devchain.Manual})
	tx := pay(t, chain, client, 0)
	chain.Commit()
	r := receipt(t, client, tx)
	chain.Finalize()
	final, err := client.HeaderByNumber(t.Context(), big.NewInt(-3)) // rpc.FinalizedBlockNumber
	require.NoError(t, err)
	require.GreaterOrEqual(t, final.Number.Uint64(), r.BlockNumber.Uint64())
}

func TestDataDirKeepsTheChain(t *testing.T) {
	cfg := devchain.Config{DataDir: t.TempDir()}
	chain, err := devchain.Start(t.Context(), cfg)
	require.NoError(t, err)
	client, err := ethclient.DialContext(t.Context(), chain.URL())
	require.NoError(t, err)
	tx := pay(t, chain, client, 0)
	block := receipt(t, client, tx).BlockHash
	client.Close()
	require.NoError(t, chain.Close())

	chain, client = start(t, cfg)
	require.Equal(t, block, receipt(t, client, tx).BlockHash)
	receipt(t, client, pay(t, chain, client, 1))
}

func TestPortInUse(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	_, err = devchain.Start(t.Context(), devchain.Config{Port: listener.Addr().(*net.TCPAddr).Port})
	require.ErrorContains(t, err, "address already in use")
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := devchain.Start(ctx, devchain.Config{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestTraceRepeatsATransaction(t *testing.T) {
	chain, client := start(t, devchain.Config{Mining: devchain.Manual})
	first, second := pay(t, chain, client, 0), pay(t, chain, client, 1)
	chain.Commit()
	for _, tx := range []*types.Transaction{first, second} {
		calls, r := 0, receipt(t, client, tx)
		require.NoError(t, chain.Trace(t.Context(), r, &tracing.Hooks{
			OnEnter: func(depth int, _ byte, _, to common.Address, _ []byte, gas uint64, value *big.Int) {
				calls++
				require.Zero(t, depth)
				require.Equal(t, *tx.To(), to)
				require.Equal(t, tx.Gas()-r.GasUsed, gas)
				require.Equal(t, tx.Value(), value)
			},
		}))
		require.Equal(t, 1, calls)
	}
	gone := *receipt(t, client, second)
	gone.BlockHash[0] ^= 1
	require.ErrorContains(t, chain.Trace(t.Context(), &gone, nil), "no block")
	other := *receipt(t, client, second)
	other.GasUsed++
	require.ErrorContains(t, chain.Trace(t.Context(), &other, nil), "its receipt says")
}
