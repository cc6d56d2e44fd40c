package l1

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
// with D decoded from the calldata of its transaction, and stops at f's error. It
// makes no difference by which route a batch was settled.
func (c *Client) History(ctx context.Context, first, last uint64, f func(Settled) error) error {
	event, ok := c.contract.GetABI().Events[bindings.RollupBatchSettled{}.ContractEventName()]
	if !ok {
		return errors.New("the rollup's ABI has no event of settlement")
	}
	var latest call
	return c.eachLog(ctx, first, last, "settlements", []common.Hash{event.ID}, func(log *types.Log) error {
		batch, err := c.settled(ctx, log, &latest)
		if err != nil {
			return err
		}
		return f(batch)
	})
}

// eachLog calls f for each event of the contract in the blocks first to last that is
// one of events, in order; what names them in errors.
func (c *Client) eachLog(ctx context.Context, first, last uint64, what string, events []common.Hash, f func(*types.Log) error) error {
	search := LogSearch{Address: c.address, Topics: [][]common.Hash{events}, First: first, Last: last}
	for l, err := range c.node.Logs(ctx, search) {
		if err != nil {
			return fmt.Errorf("search L1 for %s: %w", what, err)
		}
		if l.Address != c.address || len(l.Topics) == 0 || !slices.Contains(events, l.Topics[0]) {
			return fmt.Errorf("%w: an event of %s with topics %v, asked for %s of %s", ErrNodeAnswer, l.Address, l.Topics, what, c.address)
		}
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

// call is a settling transaction; it has one event for each of its batches.
type call struct {
	hash common.Hash
	data []*publicdata.Data
}

// settled joins an event with the data of its batch. The transaction of the event
// before is not asked for again.
func (c *Client) settled(ctx context.Context, log *types.Log, latest *call) (Settled, error) {
	event, err := c.contract.UnpackBatchSettledEvent(log)
	if err != nil {
		return Settled{}, fmt.Errorf("read the event of a settlement in block %d: %w", log.BlockNumber, err)
	}
	out := Settled{
		Number: settle.BatchNumber(event.Number), Root: element(event.NewRoot), Block: log.BlockNumber, TxHash: settle.Hash(log.TxHash),
	}
	if latest.hash != log.TxHash {
		data, err := c.called(ctx, log.TxHash)
		if err != nil {
			return out, fmt.Errorf("transaction %s, which settled batch %d: %w", log.TxHash, out.Number, err)
		}
		*latest = call{log.TxHash, data}
	}
	i := slices.IndexFunc(latest.data, func(d *publicdata.Data) bool { return d.Header.Number == out.Number })
	if i < 0 {
		return out, fmt.Errorf("%w: transaction %s settled batch %d and does not show it", ErrCalldata, log.TxHash, out.Number)
	}
	out.Data = latest.data[i]
	if settle.Element(out.Data.Header.NewRoot.Bytes()) != out.Root {
		return out, fmt.Errorf("%w: transaction %s shows batch %d with another root than its event", ErrCalldata, log.TxHash, out.Number)
	}
	return out, nil
}

// called returns the data of the batches that a transaction settled.
func (c *Client) called(ctx context.Context, hash common.Hash) ([]*publicdata.Data, error) {
	tx, err := c.node.Transaction(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("ask L1 for it: %w", withoutURL(err))
	}
	if tx.To == nil || *tx.To != c.address {
		return nil, fmt.Errorf("%w: it went through another contract", ErrCalldata)
	}
	data, err := c.settlementData(tx.Input)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCalldata, err)
	}
	return data, nil
}
