package devchain

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
)

// Trace executes a mined transaction once more on the state that it found, with
// hooks, and changes nothing. An error when the block is gone, or when the
// transaction did not use the gas of its receipt.
func (c *Chain) Trace(ctx context.Context, receipt *types.Receipt, hooks *tracing.Hooks) error {
	blocks := c.backend.BlockChain()
	block := blocks.GetBlockByHash(receipt.BlockHash)
	if block == nil {
		return fmt.Errorf("trace transaction %s: the chain has no block %s", receipt.TxHash, receipt.BlockHash)
	}
	tx, environment, state, release, err := c.backend.APIBackend.StateAtTransaction(ctx, block, int(receipt.TransactionIndex))
	if err != nil {
		return fmt.Errorf("trace transaction %s: state before it: %w", receipt.TxHash, err)
	}
	defer release()
	message, err := core.TransactionToMessage(tx, types.MakeSigner(blocks.Config(), block.Number(), block.Time()), block.BaseFee())
	if err != nil {
		return fmt.Errorf("trace transaction %s: %w", receipt.TxHash, err)
	}
	evm := vm.NewEVM(environment, state, blocks.Config(), vm.Config{Tracer: hooks})
	defer evm.Release()
	state.SetTxContext(tx.Hash(), int(receipt.TransactionIndex), uint32(receipt.TransactionIndex)+1)
	result, err := core.ApplyMessage(evm, message, core.NewGasPool(message.GasLimit))
	if err != nil {
		return fmt.Errorf("trace transaction %s: %w", receipt.TxHash, err)
	}
	if result.UsedGas != receipt.GasUsed {
		return fmt.Errorf("trace transaction %s: it used %d gas, its receipt says %d", receipt.TxHash, result.UsedGas, receipt.GasUsed)
	}
	return nil
}
