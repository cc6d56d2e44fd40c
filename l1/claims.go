package l1

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Claim is an exit with what proves it to the contract.
type Claim struct {
	Batch settle.BatchNumber
	Index uint32 // among the exits of the batch, from 0
	Exit  publicdata.Exit
	Path  []settle.Hash // siblings from the leaf up
}

// NewClaim returns the claim of exit i of a batch, of which it takes all exits in
// the order of D; publicdata.ErrNoExit when there is no exit i.
func NewClaim(batch settle.BatchNumber, exits []publicdata.Exit, i int) (Claim, error) {
	path, err := publicdata.ExitPath(batch, exits, i)
	if err != nil {
		return Claim{}, err
	}
	return Claim{Batch: batch, Index: uint32(i), Exit: exits[i], Path: path}, nil
}

// ExitsRoot returns the Merkle root of a batch's exits; zero when the batch has
// none or is not settled.
func (c *Client) ExitsRoot(ctx context.Context, batch settle.BatchNumber) (settle.Hash, error) {
	root, err := read(ctx, c, "exits root", c.contract.PackExitsRoots(uint32(batch)), c.contract.UnpackExitsRoots)
	return settle.Hash(root), err
}

// ExitClaimed reports whether exit i of a batch was claimed; false where there is none.
func (c *Client) ExitClaimed(ctx context.Context, batch settle.BatchNumber, i uint32) (bool, error) {
	return read(ctx, c, "claims", c.contract.PackExitClaimed(uint32(batch), i), c.contract.UnpackExitClaimed)
}

// ClaimConfig says where to claim.
type ClaimConfig struct {
	ChainID uint64 // expected; 0: whatever the node serves
	Rollup  settle.Address
	Poll    time.Duration // between looks for the receipt; 0: 200 ms
	Fees    FeePolicy
}

// Claimed is the record of a claim.
type Claimed struct {
	TxHash    settle.Hash
	Block     uint64
	BlockHash settle.Hash
	GasUsed   uint64
}

// ClaimExit claims an exit for its owner and waits until that is mined. Any
// account may pay for it; key must not be used by anybody else meanwhile. What
// the contract refuses is not sent: a *RevertError named NoExits, ExitNotProven,
// ExitIndexOutOfRange or ExitAlreadyClaimed. A claim pays nothing yet: the
// contract marks it and holds no money.
func ClaimExit(ctx context.Context, node Node, key *ecdsa.PrivateKey, cfg ClaimConfig, claim Claim) (Claimed, error) {
	if cfg.Poll == 0 {
		cfg.Poll = 200 * time.Millisecond
	}
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return Claimed{}, err
	}
	// An address without a contract would take any call.
	if _, err := NewClient(node, cfg.Rollup).ExitsRoot(ctx, claim.Batch); err != nil {
		return Claimed{}, err
	}
	w, to := newWallet(node, key, chainID).withPolicy(cfg.Fees), common.Address(cfg.Rollup)
	tx, err := w.buildNext(ctx, &to, claim.calldata())
	if err != nil {
		return Claimed{}, fmt.Errorf("claim exit %d of batch %d: %w", claim.Index, claim.Batch, err)
	}
	receipt, err := w.sendAndWait(ctx, tx, cfg.Poll)
	if err != nil {
		return Claimed{}, fmt.Errorf("claim exit %d of batch %d: %w", claim.Index, claim.Batch, err)
	}
	return Claimed{
		TxHash: settle.Hash(receipt.TxHash), Block: receipt.BlockNumber.Uint64(),
		BlockHash: settle.Hash(receipt.BlockHash), GasUsed: receipt.GasUsed,
	}, nil
}

func (c Claim) calldata() []byte {
	path := make([][32]byte, len(c.Path))
	for i := range c.Path {
		path[i] = c.Path[i]
	}
	x := c.Exit
	return bindings.NewRollup().PackClaim(uint32(c.Batch), c.Index, common.Address(x.L1), uint32(x.Token), x.Amount.Big(), path)
}
