package l1

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Block is what we need of a block.
type Block struct {
	Number     uint64
	Hash       common.Hash
	ParentHash common.Hash // zero if the node does not say it
	Time       uint64      // in seconds since 1970
	BaseFee    *big.Int    // in wei per gas; nil if the node does not say it
}

// Transaction is what we need of a transaction, whatever its type.
type Transaction struct {
	Hash      common.Hash
	From      common.Address // zero if the node does not say it
	To        *common.Address
	Nonce     uint64
	Gas       uint64   // limit
	GasFeeCap *big.Int // wei per gas, or the gas price of a transaction without a cap; nil if the node does not say it
	GasTipCap *big.Int // wei per gas; nil likewise
	Input     []byte
	Answer    []byte // JSON, as the node gave it
}

// quantity is a number as nodes write it: hexadecimal, some with leading zeros.
type quantity big.Int

// UnmarshalJSON reads it; null is left out by encoding/json for pointers.
func (q *quantity) UnmarshalJSON(b []byte) error {
	text, base := strings.Trim(string(b), `"`), 10
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		text, base = digits, 16
	}
	v, ok := new(big.Int).SetString(text, base)
	if !ok || v.Sign() < 0 || v.BitLen() > 256 {
		return fmt.Errorf("%w: %.80s is no number of 256 bits", ErrNodeAnswer, b)
	}
	*q = quantity(*v)
	return nil
}

func (q *quantity) uint64(what string) (uint64, error) {
	if q == nil {
		return 0, fmt.Errorf("%w: no %s", ErrNodeAnswer, what)
	}
	if v := (*big.Int)(q); v.IsUint64() {
		return v.Uint64(), nil
	}
	return 0, fmt.Errorf("%w: %s %s", ErrNodeAnswer, what, (*big.Int)(q))
}

// optional reads a field that we can do without: nil when it is absent or unreadable.
func optional[T any](field json.RawMessage) *T {
	var v *T
	if len(field) == 0 || json.Unmarshal(field, &v) != nil {
		return nil
	}
	return v
}

func optionalUint64(field json.RawMessage) uint64 {
	if q := optional[quantity](field); q != nil && (*big.Int)(q).IsUint64() {
		return (*big.Int)(q).Uint64()
	}
	return 0
}

func optionalBig(field json.RawMessage) *big.Int { return (*big.Int)(optional[quantity](field)) }

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// object asks for an object; ethereum.NotFound for null.
func (c *Conn) object(ctx context.Context, method string, arguments ...any) (json.RawMessage, error) {
	return ask(ctx, c, method, func(ctx context.Context) (json.RawMessage, error) {
		var raw json.RawMessage
		if err := c.rpc.CallContext(ctx, &raw, method, arguments...); err != nil {
			return nil, err
		}
		if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
			return nil, ethereum.NotFound
		}
		return raw, nil
	})
}

func unreadable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrNodeAnswer, what, err)
}

// Block implements Node.
func (c *Conn) Block(ctx context.Context, number rpc.BlockNumber) (Block, error) {
	raw, err := c.object(ctx, "eth_getBlockByNumber", number, false)
	if err != nil {
		return Block{}, err
	}
	var answer struct {
		Number     *quantity       `json:"number"`
		Hash       *common.Hash    `json:"hash"`
		ParentHash json.RawMessage `json:"parentHash"`
		Time       json.RawMessage `json:"timestamp"`
		BaseFee    json.RawMessage `json:"baseFeePerGas"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return Block{}, unreadable("block "+number.String(), err)
	}
	b := Block{
		ParentHash: valueOr(optional[common.Hash](answer.ParentHash), common.Hash{}),
		Time:       optionalUint64(answer.Time), BaseFee: optionalBig(answer.BaseFee),
	}
	if b.Number, err = answer.Number.uint64("number of block " + number.String()); err != nil {
		return Block{}, err
	}
	if answer.Hash == nil {
		return Block{}, fmt.Errorf("%w: block %d has no hash", ErrNodeAnswer, b.Number)
	}
	b.Hash = *answer.Hash
	if number >= 0 && b.Number != uint64(number) {
		return Block{}, fmt.Errorf("%w: block %d, asked for %d", ErrNodeAnswer, b.Number, number)
	}
	return b, nil
}

// Transaction implements Node.
func (c *Conn) Transaction(ctx context.Context, hash common.Hash) (Transaction, error) {
	raw, err := c.object(ctx, "eth_getTransactionByHash", hash)
	if err != nil {
		return Transaction{}, err
	}
	var answer struct {
		Hash      *common.Hash    `json:"hash"`
		To        *common.Address `json:"to"`
		Input     *hexutil.Bytes  `json:"input"`
		Data      *hexutil.Bytes  `json:"data"` // some nodes' name for input
		From      json.RawMessage `json:"from"`
		Nonce     json.RawMessage `json:"nonce"`
		Gas       json.RawMessage `json:"gas"`
		GasPrice  json.RawMessage `json:"gasPrice"`
		GasFeeCap json.RawMessage `json:"maxFeePerGas"`
		GasTipCap json.RawMessage `json:"maxPriorityFeePerGas"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return Transaction{}, unreadable("transaction "+hash.String(), err)
	}
	if answer.Hash == nil || *answer.Hash != hash {
		return Transaction{}, fmt.Errorf("%w: transaction %v, asked for %s", ErrNodeAnswer, answer.Hash, hash)
	}
	if answer.Input == nil {
		answer.Input = answer.Data
	}
	if answer.Input == nil {
		return Transaction{}, fmt.Errorf("%w: transaction %s has no input", ErrNodeAnswer, hash)
	}
	t := Transaction{
		Hash: hash, To: answer.To, Input: *answer.Input, Answer: raw,
		From:  valueOr(optional[common.Address](answer.From), common.Address{}),
		Nonce: optionalUint64(answer.Nonce), Gas: optionalUint64(answer.Gas),
		GasFeeCap: optionalBig(answer.GasFeeCap), GasTipCap: optionalBig(answer.GasTipCap),
	}
	if t.GasFeeCap == nil {
		t.GasFeeCap = optionalBig(answer.GasPrice)
	}
	return t, nil
}

// TransactionReceipt implements Node. A node that leaves out the status says by
// events that the transaction was not reverted.
func (c *Conn) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	raw, err := c.object(ctx, "eth_getTransactionReceipt", hash)
	if err != nil {
		return nil, err
	}
	var answer struct {
		TxHash      *common.Hash    `json:"transactionHash"`
		BlockNumber *quantity       `json:"blockNumber"`
		Logs        []*answeredLog  `json:"logs"`
		Status      json.RawMessage `json:"status"`
		BlockHash   json.RawMessage `json:"blockHash"`
		GasUsed     json.RawMessage `json:"gasUsed"`
		GasPrice    json.RawMessage `json:"effectiveGasPrice"`
		Contract    json.RawMessage `json:"contractAddress"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, unreadable("receipt of "+hash.String(), err)
	}
	if answer.TxHash == nil || *answer.TxHash != hash || answer.BlockNumber == nil {
		return nil, fmt.Errorf("%w: receipt of %v in block %v, asked for %s", ErrNodeAnswer, answer.TxHash, (*big.Int)(answer.BlockNumber), hash)
	}
	number, err := answer.BlockNumber.uint64("block of the receipt")
	if err != nil {
		return nil, err
	}
	r := &types.Receipt{
		TxHash: hash, BlockNumber: new(big.Int).SetUint64(number), BlockHash: valueOr(optional[common.Hash](answer.BlockHash), common.Hash{}),
		GasUsed: optionalUint64(answer.GasUsed), EffectiveGasPrice: optionalBig(answer.GasPrice),
		ContractAddress: valueOr(optional[common.Address](answer.Contract), common.Address{}),
	}
	for _, l := range answer.Logs {
		log, err := l.log()
		if err != nil {
			return nil, fmt.Errorf("receipt of %s: %w", hash, err)
		}
		r.Logs = append(r.Logs, log)
	}
	switch status := optional[quantity](answer.Status); {
	case status != nil && (*big.Int)(status).IsUint64() && (*big.Int)(status).Uint64() <= types.ReceiptStatusSuccessful:
		r.Status = (*big.Int)(status).Uint64()
	case len(r.Logs) > 0:
		r.Status = types.ReceiptStatusSuccessful
	default:
		return nil, fmt.Errorf("%w: receipt of %s with status %.80s", ErrNodeAnswer, hash, answer.Status)
	}
	return r, nil
}

// answeredLog is an event as nodes send it.
type answeredLog struct {
	Address     *common.Address `json:"address"`
	Topics      []common.Hash   `json:"topics"`
	Data        *hexutil.Bytes  `json:"data"`
	TxHash      *common.Hash    `json:"transactionHash"`
	BlockNumber *quantity       `json:"blockNumber"`
	BlockHash   json.RawMessage `json:"blockHash"`
	Index       json.RawMessage `json:"logIndex"`
	Removed     json.RawMessage `json:"removed"`
}

func (a *answeredLog) log() (*types.Log, error) {
	if a == nil || a.Address == nil || a.TxHash == nil {
		return nil, fmt.Errorf("%w: an event without address or transaction", ErrNodeAnswer)
	}
	number, err := a.BlockNumber.uint64("block of an event")
	if err != nil {
		return nil, err
	}
	return &types.Log{
		Address: *a.Address, Topics: a.Topics, Data: valueOr(a.Data, nil), TxHash: *a.TxHash, BlockNumber: number,
		BlockHash: valueOr(optional[common.Hash](a.BlockHash), common.Hash{}), Index: uint(optionalUint64(a.Index)),
		Removed: valueOr(optional[bool](a.Removed), false),
	}, nil
}
