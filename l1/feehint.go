package l1

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/rpc"
)

// FeeHint is what a node expects of the next blocks, in wei per gas.
type FeeHint struct {
	BaseFee *big.Int // of the head
	Tip     *big.Int // at least 1
}

// defaultTip is paid where no node says what others pay.
const defaultTip = 1_000_000_000 // 1 gwei

// feeBlocks are so many as the tips of are looked at in the history of fees.
const feeBlocks = 10

// SuggestFees returns base fee and tip. The tip is the node's suggestion, or the
// median of the last blocks, or what its gas price leaves above the base fee, or
// 1 gwei; the base fee that of the head, or the gas price. Nothing of it is needed
// to be exact, so that a node fails only if it tells neither base fee nor price.
func (c *Conn) SuggestFees(ctx context.Context) (FeeHint, error) {
	head, err := c.Block(ctx, rpc.LatestBlockNumber)
	var price *big.Int
	if err != nil || head.BaseFee == nil {
		if err == nil {
			err = fmt.Errorf("block %d has no baseFeePerGas", head.Number)
		}
		c.missing(ctx, "the base fee", "its gas price is taken", err)
		if price, err = ask(ctx, c, "eth_gasPrice", c.eth.SuggestGasPrice); err != nil {
			return FeeHint{}, fmt.Errorf("ask L1 for fees: %w", err)
		}
		head.BaseFee = price
	}
	tip, err := c.tip(ctx, head.BaseFee, price)
	if err != nil {
		return FeeHint{}, err
	}
	if tip.Sign() <= 0 {
		tip = big.NewInt(1)
	}
	return FeeHint{BaseFee: head.BaseFee, Tip: tip}, nil
}

// tip fails only when ctx has ended.
func (c *Conn) tip(ctx context.Context, baseFee, price *big.Int) (*big.Int, error) {
	tip, err := bounded(ctx, c.timeout, "eth_maxPriorityFeePerGas", c.eth.SuggestGasTipCap)
	if err == nil {
		return tip, nil
	}
	instead := "the median of the last blocks is taken"
	tip, historyErr := c.medianTip(ctx)
	if historyErr != nil {
		instead = "what its gas price leaves above the base fee is taken"
		if price == nil {
			price, historyErr = bounded(ctx, c.timeout, "eth_gasPrice", c.eth.SuggestGasPrice)
		} else {
			historyErr = nil
		}
		tip = big.NewInt(defaultTip)
		if historyErr != nil {
			instead = fmt.Sprintf("%d wei are taken", defaultTip)
		} else if over := new(big.Int).Sub(price, baseFee); over.Sign() > 0 {
			tip = over
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c.missing(ctx, "what tip it suggests", instead, err)
	return tip, nil
}

// medianTip is the median of the tips of the last blocks' median transactions.
func (c *Conn) medianTip(ctx context.Context) (*big.Int, error) {
	history, err := bounded(ctx, c.timeout, "eth_feeHistory", func(ctx context.Context) (*feeHistory, error) {
		var h feeHistory
		return &h, c.rpc.CallContext(ctx, &h, "eth_feeHistory", fmt.Sprintf("0x%x", feeBlocks), rpc.LatestBlockNumber, []float64{50})
	})
	if err != nil {
		return nil, err
	}
	return history.median()
}

type feeHistory struct {
	Reward [][]*quantity `json:"reward"`
}

func (h *feeHistory) median() (*big.Int, error) {
	var tips []*big.Int
	for _, block := range h.Reward {
		if len(block) > 0 && block[0] != nil && (*big.Int)(block[0]).Sign() > 0 { // empty blocks have 0
			tips = append(tips, (*big.Int)(block[0]))
		}
	}
	if len(tips) == 0 {
		return nil, fmt.Errorf("%w: a history of fees without tips", ErrNodeAnswer)
	}
	slices.SortFunc(tips, (*big.Int).Cmp)
	return tips[len(tips)/2], nil
}
