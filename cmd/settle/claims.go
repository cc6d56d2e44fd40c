package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/publicdata"
)

// errPaysNothing is the answer to a claim that was not asked for in these words.
var errPaysNothing = errors.New("a claim pays nothing, as the rollup has no bridge yet, and uses up the exit's one claim: " +
	"pass --pays-nothing to send it all the same")

type walletClaimsCmd struct {
	nodeFlags
	API    string `name:"api" help:"URL of the REST API." default:"http://127.0.0.1:8080" env:"SETTLE_API"`
	L1     string `name:"l1" help:"L1 address whose exits are listed. The default is that of the key file."`
	Key    string `help:"Key file whose L1 address is used if --l1 is not given." type:"path" env:"SETTLE_WALLET"`
	Rollup string `help:"Address of the rollup contract. With it and L1_URL, roots and claims are also compared with the contract." env:"SETTLE_ROLLUP"`
}

// Run prints the claims. With L1_URL their roots are compared with the contract's, and
// the contract says which are made.
func (c walletClaimsCmd) Run(a *app) error {
	owner, err := c.owner()
	if err != nil {
		return err
	}
	api, err := client.New(c.API)
	if err != nil {
		return err
	}
	listed, err := api.Claims(a.Ctx, owner)
	if err != nil {
		return err
	}
	if listed == nil {
		listed = []wire.Claim{}
	}
	if url := os.Getenv(node.EnvL1); url != "" && c.Rollup != "" {
		if err := c.markClaimed(a, url, listed); err != nil {
			return err
		}
	}
	return a.PrintJSON(listed)
}

func (c walletClaimsCmd) owner() (owner settle.Address, err error) {
	if c.L1 != "" {
		if err := owner.UnmarshalText([]byte(c.L1)); err != nil {
			return owner, fmt.Errorf("--l1: %w", err)
		}
		return owner, nil
	}
	if c.Key == "" {
		return owner, errors.New("whose exits? name an L1 address (--l1) or a key file (--key)")
	}
	_, owner, err = readWallet(c.Key)
	return owner, err
}

// markClaimed asks the contract for each root and mark.
func (c walletClaimsCmd) markClaimed(a *app, url string, listed []wire.Claim) error {
	var address settle.Address
	if err := address.UnmarshalText([]byte(c.Rollup)); err != nil {
		return fmt.Errorf("--rollup: %w", err)
	}
	conn, err := c.dial(a, url, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	contract := l1.NewClient(conn, address)
	for i, x := range listed {
		root, err := contract.ExitsRoot(a.Ctx, x.Batch)
		if err != nil {
			return err
		}
		if root != x.ExitsRoot {
			return fmt.Errorf("the API has exits root %s for batch %d, the rollup %s has %s", x.ExitsRoot, x.Batch, address, root)
		}
		claimed, err := contract.ExitClaimed(a.Ctx, x.Batch, x.Index)
		if err != nil {
			return err
		}
		listed[i].Claimed = &claimed
		if !claimed { // whatever the API knows of another branch
			listed[i].ClaimTx = nil
		}
	}
	return nil
}

type walletClaimCmd struct {
	dataFlags
	l1Flags
	feeFlags
	API         string `name:"api" help:"URL of the REST API." default:"http://127.0.0.1:8080" env:"SETTLE_API"`
	Rollup      string `help:"Address of the rollup contract." required:"" env:"SETTLE_ROLLUP"`
	Batch       uint32 `help:"Number of the batch that contains the exit." required:""`
	Index       uint32 `help:"Index of the exit in its batch. The command wallet claims lists it." required:""`
	PaysNothing bool   `help:"Confirm that you know that the claim pays nothing and cannot be repeated when there is a bridge."`
}

// claimReport is what a claim came to. Of one that was made before, transaction, block
// and gas are absent where the L1 node does not tell them.
type claimReport struct {
	Batch  settle.BatchNumber `json:"batch"`
	Index  uint32             `json:"index"`
	L1     settle.Address     `json:"l1"`
	Token  settle.TokenID     `json:"token"`
	Amount settle.Amount      `json:"amount"`
	TxHash settle.Hash        `json:"tx_hash,omitzero"`
	Block  uint64             `json:"block,omitzero"`
	Gas    uint64             `json:"gas_used,omitzero"`
	Paid   settle.Amount      `json:"paid"` // 0: there is no bridge

	AlreadyClaimed bool `json:"already_claimed"` // by an earlier run, or by somebody else for the same owner
}

// Run claims. Anybody may: the mark is for the exit's own L1 address.
func (c walletClaimCmd) Run(a *app) error {
	var rollup settle.Address
	if err := rollup.UnmarshalText([]byte(c.Rollup)); err != nil {
		return fmt.Errorf("--rollup: %w", err)
	}
	if !c.PaysNothing {
		return errPaysNothing
	}
	fees, err := c.policy(a)
	if err != nil {
		return err
	}
	api, err := client.New(c.API)
	if err != nil {
		return err
	}
	batch := settle.BatchNumber(c.Batch)
	exits, err := api.BatchExits(a.Ctx, batch)
	if err != nil {
		return err
	}
	if int(c.Index) >= len(exits.Claims) {
		return fmt.Errorf("batch %d has %d exits, there is none at place %d", batch, len(exits.Claims), c.Index)
	}
	claim := exits.Claims[c.Index]
	from, err := settlementBlock(a.Ctx, api, batch)
	if err != nil {
		return err
	}
	signer, err := c.signer(a, c.dataFlags)
	if err != nil {
		return err
	}
	conn, err := c.dial(a, signer.URL, c.ChainID)
	if err != nil {
		return err
	}
	defer conn.Close()
	done, err := l1.ClaimExit(a.Ctx, conn, signer.Key, l1.ClaimConfig{ChainID: c.ChainID, Rollup: rollup, From: from, Fees: fees, Logger: a.Log}, l1.Claim{
		Batch: batch, Index: claim.Index, Path: claim.Siblings,
		Exit: publicdata.Exit{L1: claim.L1, Token: claim.Token, Amount: claim.Amount},
	})
	if err != nil {
		return err
	}
	says := "the exit is marked as claimed; nothing was paid, as there is no bridge yet"
	if done.Already {
		says = "the exit had been claimed already, and nothing was sent; nothing was paid, as there is no bridge yet"
	}
	a.Log.Warn(says, "batch", batch, "index", claim.Index)
	return a.PrintJSON(claimReport{
		Batch: batch, Index: claim.Index, L1: claim.L1, Token: claim.Token, Amount: claim.Amount,
		TxHash: done.TxHash, Block: done.Block, Gas: done.GasUsed, AlreadyClaimed: done.Already,
	})
}

// settlementBlock is the block of L1 in which a batch was settled, by the API's word: no claim
// is older. 0 where it does not say it.
func settlementBlock(ctx context.Context, api *client.Client, n settle.BatchNumber) (uint64, error) {
	batch, err := api.Batch(ctx, n)
	if err != nil || batch.Settlement == nil || batch.Settlement.BlockNumber == nil {
		return 0, err
	}
	return *batch.Settlement.BlockNumber, nil
}
