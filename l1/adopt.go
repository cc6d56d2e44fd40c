package l1

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Adopt returns the record of a finished deployment that was lost, read from L1 and
// compared with cfg as CheckDeployment does. from is where its search begins, at or
// before its block. A rollup that has settled batches is refused (ErrDeployment): its
// database is to be restored, not begun anew.
func Adopt(ctx context.Context, node Node, rollup settle.Address, from uint64, cfg DeployConfig) (Deployment, error) {
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return Deployment{}, err
	}
	if err := cfg.checkKeys(); err != nil {
		return Deployment{}, err
	}
	c := NewClient(node, rollup)
	settled, err := c.BatchNumber(ctx)
	if err != nil {
		return Deployment{}, err
	}
	if settled > 0 {
		return Deployment{}, fmt.Errorf("%w: the rollup %s has settled %d batches: restore its database (docs/runbook.md)", ErrDeployment, rollup, settled)
	}
	out := Deployment{
		ChainID: chainID, Rollup: rollup, Domain: Domain(chainID, rollup),
		GenesisRoot: cfg.GenesisRoot, GenesisHash: cfg.GenesisHash, UnsafeDevKeys: cfg.UnsafeDevKeys,
	}
	for _, k := range cfg.Keys {
		entry, err := c.FindKey(ctx, k.Circuit, k.Shape, k.Hash)
		if err != nil {
			return Deployment{}, err
		}
		out.Verifiers = append(out.Verifiers, entry)
	}
	if err := CheckDeployment(ctx, node, out); err != nil {
		return Deployment{}, err
	}
	if out.Block, err = c.firstEvent(ctx, from); err != nil {
		return Deployment{}, err
	}
	block, err := node.Block(ctx, rpc.BlockNumber(out.Block))
	if err != nil {
		return Deployment{}, fmt.Errorf("ask L1 for block %d: %w", out.Block, withoutURL(err))
	}
	out.BlockHash = settle.Hash(block.Hash)
	return out, nil
}

// firstEvent returns the block of the contract's first registration, which is that of
// its deployment if it has verifiers from the beginning.
func (c *Client) firstEvent(ctx context.Context, from uint64) (block uint64, err error) {
	last, err := c.node.BlockNumber(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	found := errors.New("found")
	event := c.contract.GetABI().Events[bindings.RollupVerifierRegisteredEventName].ID
	err = c.eachLog(ctx, from, last, "the deployment", []common.Hash{event}, func(l *types.Log) error {
		block = l.BlockNumber
		return found
	})
	if errors.Is(err, found) {
		return block, nil
	}
	if err == nil {
		err = fmt.Errorf("%w: no event of %s from block %d on: begin at or before its block", ErrDeployment, c.Address(), from)
	}
	return 0, err
}
