// Package l1 is our side of Ethereum: it deploys the contracts, reads them, and
// settles proven batches in order. The submitter stores each signed transaction
// before it sends it and takes the chain's word for what became of it.
package l1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Node is what we need of an Ethereum node; *Conn is one.
type Node interface {
	ChainID(ctx context.Context) (*big.Int, error)
	BlockNumber(ctx context.Context) (uint64, error)
	// Block returns a block by number or tag; ethereum.NotFound when the node has none.
	Block(ctx context.Context, number rpc.BlockNumber) (Block, error)
	BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error)
	CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error)
	NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error)
	CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error)
	EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error)
	// SuggestFees returns what the node expects of the next blocks; see Conn.SuggestFees.
	SuggestFees(ctx context.Context) (FeeHint, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	// Transaction returns a transaction; ethereum.NotFound when the node has none.
	Transaction(ctx context.Context, hash common.Hash) (Transaction, error)
	// TransactionReceipt returns what the node says of a mined transaction; optional
	// fields that it leaves out are zero. ethereum.NotFound when it is not mined.
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
	// Logs returns the logs that a search finds, in windows of blocks that the node takes.
	Logs(ctx context.Context, search LogSearch) iter.Seq2[*types.Log, error]
}

var _ Node = (*Conn)(nil)

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
		return status.StatusCode >= http.StatusInternalServerError || status.StatusCode == http.StatusTooManyRequests ||
			status.StatusCode == http.StatusRequestTimeout
	}
	var refusal rpc.Error
	if errors.As(err, &refusal) {
		return refusal.ErrorCode() == codeLimitExceeded || refusal.ErrorCode() == http.StatusTooManyRequests
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, ErrNoAnswer) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, rpc.ErrClientQuit) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNodeBehind)
}

// codeLimitExceeded says that the caller asks too often, or for too much (EIP-1474).
const codeLimitExceeded = -32005

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

// BaseFee returns the base fee of the head, in wei per gas; on a chain or node that
// does not say it, the gas price.
func BaseFee(ctx context.Context, node Node) (uint64, error) {
	hint, err := node.SuggestFees(ctx)
	if err != nil {
		return 0, err
	}
	if !hint.BaseFee.IsUint64() {
		return 0, fmt.Errorf("%w: a base fee of %s wei", ErrNodeAnswer, hint.BaseFee)
	}
	return hint.BaseFee.Uint64(), nil
}
