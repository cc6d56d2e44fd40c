// Package l1 is our side of Ethereum: it deploys the contracts, reads them, and
// settles proven batches in order. The submitter stores each signed transaction
// before it sends it and takes the chain's word for what became of it.
package l1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// Node is what we need of an Ethereum node; *ethclient.Client is one.
type Node interface {
	ChainID(ctx context.Context) (*big.Int, error)
	BlockNumber(ctx context.Context) (uint64, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error)
	CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error)
	NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error)
	CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error)
	EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error)
	SuggestGasTipCap(ctx context.Context) (*big.Int, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	TransactionByHash(ctx context.Context, hash common.Hash) (tx *types.Transaction, pending bool, err error)
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
	FilterLogs(ctx context.Context, q ethereum.FilterQuery) ([]types.Log, error)
}

var _ Node = (*ethclient.Client)(nil)

// ErrWrongChain reports a node of another chain than the one expected.
var ErrWrongChain = errors.New("wrong chain")

// ErrNodeAnswer reports an answer that no node of L1 gives to what was asked.
var ErrNodeAnswer = errors.New("the L1 node's answer makes no sense")

// receiptOf returns the receipt of a mined transaction: ethereum.NotFound if there is
// none, ErrNodeAnswer if it is of another one or of no block.
func receiptOf(ctx context.Context, node Node, hash common.Hash) (*types.Receipt, error) {
	receipt, err := node.TransactionReceipt(ctx, hash)
	if err != nil {
		return nil, err
	}
	if receipt.TxHash != hash || receipt.BlockNumber == nil || !receipt.BlockNumber.IsUint64() || slices.Contains(receipt.Logs, nil) {
		return nil, fmt.Errorf("%w: receipt of %s in block %v, asked for %s", ErrNodeAnswer, receipt.TxHash, receipt.BlockNumber, hash)
	}
	return receipt, nil
}

// Dial connects to the node at rawURL (http, https, ws, wss) and checks that it
// serves chain chainID; 0 takes any.
func Dial(ctx context.Context, rawURL string, chainID uint64) (*ethclient.Client, error) {
	client, err := ethclient.DialContext(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("connect to the L1 node (L1_URL): %w", withoutURL(err))
	}
	if _, err := CheckChain(ctx, client, chainID); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// CheckChain returns the node's chain id, and ErrWrongChain with the remedy when
// it is not want. 0 takes any that fits 64 bits.
func CheckChain(ctx context.Context, node Node, want uint64) (uint64, error) {
	id, err := node.ChainID(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask the L1 node (L1_URL) for its chain id: %w", withoutURL(err))
	}
	if !id.IsUint64() {
		return 0, fmt.Errorf("%w: id %s does not fit 64 bits", ErrWrongChain, id)
	}
	if got := id.Uint64(); want != 0 && got != want {
		return 0, fmt.Errorf("%w: the L1 node serves chain %d, expected %d; point L1_URL to a node of chain %d, "+
			"or use the database that belongs to chain %d", ErrWrongChain, got, want, want, got)
	}
	return id.Uint64(), nil
}

// IsUnavailable reports whether err says that the node could not be reached, was
// overloaded or broke off: the same call may succeed later, and nothing is lost.
func IsUnavailable(err error) bool {
	var status rpc.HTTPError
	if errors.As(err, &status) {
		return status.StatusCode >= http.StatusInternalServerError || status.StatusCode == http.StatusTooManyRequests
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, rpc.ErrClientQuit) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNodeBehind)
}

// ErrNodeBehind reports a node that has not yet seen what we know to have been
// on the chain: one that is syncing, or the slow one behind a load balancer.
var ErrNodeBehind = errors.New("the L1 node is behind")

// withoutURL drops the address from err: it may hold an access token.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// BaseFee returns the base fee of the head, in wei per gas.
func BaseFee(ctx context.Context, node Node) (uint64, error) {
	head, err := node.HeaderByNumber(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	if head.BaseFee == nil || !head.BaseFee.IsUint64() {
		return 0, fmt.Errorf("the head of L1 has the base fee %v", head.BaseFee)
	}
	return head.BaseFee.Uint64(), nil
}
