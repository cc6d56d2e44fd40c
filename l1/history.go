package l1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// ErrCalldata reports a settlement whose data cannot be read from L1: the batch
// was settled through another contract, or not by our interface.
var ErrCalldata = errors.New("no data of the batch in the calldata")

// Settled is a batch as L1 has it.
type Settled struct {
	Number settle.BatchNumber
	Root   settle.Element // after it, as the contract stored it
	Block  uint64
	TxHash settle.Hash
	Data   *publicdata.Data
}

// History calls f for every batch settled in the blocks first to last, in order,
// with D decoded from the calldata of its transaction, and stops at f's error.
func (c *Client) History(ctx context.Context, first, last uint64, f func(Settled) error) error {
	event, ok := c.contract.GetABI().Events[bindings.RollupBatchSettled{}.ContractEventName()]
	if !ok {
		return errors.New("the rollup's ABI has no event of settlement")
	}
	for ; first <= last; first += logWindow {
		logs, err := c.node.FilterLogs(ctx, ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(first),
			ToBlock:   new(big.Int).SetUint64(min(last, first+logWindow-1)),
			Addresses: []common.Address{c.address},
			Topics:    [][]common.Hash{{event.ID}},
		})
		if err != nil {
			return fmt.Errorf("search L1 for settlements from block %d: %w", first, withoutURL(err))
		}
		for i := range logs {
			if logs[i].Removed {
				continue
			}
			batch, err := c.settled(ctx, &logs[i])
			if err != nil {
				return err
			}
			if err := f(batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Client) settled(ctx context.Context, log *types.Log) (Settled, error) {
	event, err := c.contract.UnpackBatchSettledEvent(log)
	if err != nil {
		return Settled{}, fmt.Errorf("read the event of a settlement in block %d: %w", log.BlockNumber, err)
	}
	out := Settled{
		Number: settle.BatchNumber(event.Number), Root: element(event.NewRoot), Block: log.BlockNumber, TxHash: settle.Hash(log.TxHash),
	}
	tx, _, err := c.node.TransactionByHash(ctx, log.TxHash)
	if err != nil {
		return out, fmt.Errorf("ask L1 for transaction %s, which settled batch %d: %w", log.TxHash, out.Number, withoutURL(err))
	}
	if tx.To() == nil || *tx.To() != c.address {
		return out, fmt.Errorf("%w: transaction %s settled batch %d through another contract", ErrCalldata, log.TxHash, out.Number)
	}
	if out.Data, err = c.settleData(tx.Data()); err != nil {
		return out, fmt.Errorf("%w: transaction %s, which settled batch %d: %w", ErrCalldata, log.TxHash, out.Number, err)
	}
	if out.Data.Header.Number != out.Number || settle.Element(out.Data.Header.NewRoot.Bytes()) != out.Root {
		return out, fmt.Errorf("%w: transaction %s has batch %d, its event batch %d", ErrCalldata, log.TxHash, out.Data.Header.Number, out.Number)
	}
	return out, nil
}

// settleData decodes D from a call of settle.
func (c *Client) settleData(calldata []byte) (*publicdata.Data, error) {
	method, ok := c.contract.GetABI().Methods["settle"]
	if !ok {
		return nil, errors.New("the rollup's ABI has no method settle")
	}
	if len(calldata) < 4 || !bytes.Equal(calldata[:4], method.ID) {
		return nil, errors.New("it does not call settle")
	}
	arguments := map[string]any{}
	if err := method.Inputs.UnpackIntoMap(arguments, calldata[4:]); err != nil {
		return nil, err
	}
	numbers, ok := arguments["words"].([]*big.Int)
	if !ok {
		return nil, errors.New("the argument words is no list of numbers")
	}
	words := make([]fr.Element, len(numbers))
	for i, n := range numbers {
		if n.Cmp(fr.Modulus()) >= 0 {
			return nil, fmt.Errorf("word %d is not below the modulus", i)
		}
		words[i].SetBigInt(n)
	}
	return publicdata.Parse(words)
}
