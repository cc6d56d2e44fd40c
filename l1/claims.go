package l1

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

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
	From    uint64        // block where the search for an earlier claim ends, going back; that of the batch's settlement, or before
	Poll    time.Duration // between looks for the receipt; 0: 200 ms
	Fees    FeePolicy
	Logger  *slog.Logger // hears why the transaction of an earlier claim is not found; nil: nobody
}

// Claimed is the record of a claim. Of an earlier one, what the node does not tell is
// zero: all of it, or the gas.
type Claimed struct {
	Already   bool // it was made before: by a run whose answer was lost, or by somebody else for the same owner
	TxHash    settle.Hash
	Block     uint64
	BlockHash settle.Hash
	GasUsed   uint64 // by the whole transaction
}

// ClaimExit claims an exit for its owner and waits until that is mined. Any
// account may pay for it; key must not be used by anybody else meanwhile. An exit that
// is claimed already is a success that says so, whoever claimed it: all goes to the
// exit's owner in any case. What the contract refuses is not sent: a *RevertError named
// NoExits, ExitNotProven or ExitIndexOutOfRange; or ExitAlreadyClaimed where the claim
// does not prove the exit that was claimed. A claim pays nothing yet: the contract marks
// it and holds no money.
func ClaimExit(ctx context.Context, node Node, key *ecdsa.PrivateKey, cfg ClaimConfig, claim Claim) (Claimed, error) {
	if cfg.Poll == 0 {
		cfg.Poll = 200 * time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return Claimed{}, err
	}
	contract := NewClient(node, cfg.Rollup)
	root, err := contract.ExitsRoot(ctx, claim.Batch) // an address without a contract would take any call
	if err != nil {
		return Claimed{}, err
	}
	receipt, err := claim.send(ctx, newWallet(node, key, chainID).withPolicy(cfg.Fees), cfg)
	if err == nil {
		return claimedBy(receipt), nil
	}
	err = fmt.Errorf("claim exit %d of batch %d: %w", claim.Index, claim.Batch, err)
	if publicdata.VerifyExit(root, claim.Batch, claim.Index, claim.Exit, claim.Path) != nil {
		return Claimed{}, err // the mark, if there is one, is of another exit than this claim says
	}
	if revert, ok := AsRevert(err); !ok || revert.Name != "ExitAlreadyClaimed" {
		// One that was sent and did not come first is refused in other words.
		marked, askErr := contract.ExitClaimed(ctx, claim.Batch, claim.Index)
		if askErr != nil || !marked {
			return Claimed{}, err
		}
	}
	return contract.claimedBefore(ctx, cfg, claim)
}

func (c Claim) send(ctx context.Context, w *wallet, cfg ClaimConfig) (*types.Receipt, error) {
	to := common.Address(cfg.Rollup)
	tx, err := w.buildNext(ctx, &to, c.calldata())
	if err != nil {
		return nil, err
	}
	return w.sendAndWait(ctx, tx, cfg.Poll)
}

func claimedBy(receipt *types.Receipt) Claimed {
	return Claimed{
		TxHash: settle.Hash(receipt.TxHash), Block: receipt.BlockNumber.Uint64(),
		BlockHash: settle.Hash(receipt.BlockHash), GasUsed: receipt.GasUsed,
	}
}

// claimedBefore is the record of a claim that the contract has marked, as far as the node
// tells it: that it stands is known in any case.
func (c *Client) claimedBefore(ctx context.Context, cfg ClaimConfig, claim Claim) (Claimed, error) {
	unknown := func(what string, err error) {
		cfg.Logger.WarnContext(ctx, "the exit is claimed, and L1 does not say "+what, "batch", claim.Batch, "index", claim.Index, "reason", err)
	}
	done := Claimed{Already: true}
	event, err := c.ClaimedBy(ctx, claim.Batch, claim.Index, cfg.From)
	if ctx.Err() != nil {
		return Claimed{}, fmt.Errorf("exit %d of batch %d is claimed; which transaction did was not found out: %w", claim.Index, claim.Batch, ctx.Err())
	}
	if err != nil {
		unknown("by which transaction", err)
		return done, nil
	}
	done.TxHash, done.Block, done.BlockHash = settle.Hash(event.TxHash), event.BlockNumber, settle.Hash(event.BlockHash)
	receipt, err := receiptOf(ctx, c.node, event.TxHash)
	if err != nil {
		unknown("how much gas it took", err)
		return done, nil
	}
	done.GasUsed = receipt.GasUsed
	return done, nil
}

func (c Claim) calldata() []byte {
	path := make([][32]byte, len(c.Path))
	for i := range c.Path {
		path[i] = c.Path[i]
	}
	x := c.Exit
	return bindings.NewRollup().PackClaim(uint32(c.Batch), c.Index, common.Address(x.L1), uint32(x.Token), x.Amount.Big(), path)
}
