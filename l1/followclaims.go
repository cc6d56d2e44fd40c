package l1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Claims is where a ClaimFollower keeps what it reads; *store.Store is one.
type Claims interface {
	// ClaimsFollowed returns how far claims were read.
	ClaimsFollowed(ctx context.Context) (store.ClaimsFollowed, error)
	// ReplaceClaims stores what a search found in the place of what was stored of these blocks; store.ErrFenced after the role was lost,
	// store.ErrClaimsChanged when what is stored has changed since the search began.
	ReplaceClaims(ctx context.Context, epoch store.Epoch, r store.ClaimsRead) (store.ClaimsFollowed, error)
}

var _ Claims = (*store.Store)(nil)

// ClaimFollowerConfig configures a ClaimFollower.
type ClaimFollowerConfig struct {
	Rollup      settle.Address
	DeployBlock uint64        // where the log begins
	Epoch       store.Epoch   // of the submitter role, held by this process
	Every       time.Duration // between looks; 0: 15 s
	MaxBackoff  time.Duration // between looks that fail, each after a pause twice as long; 0: 5 minutes
	Depth       uint64        // blocks below the head that count as final where the node says no finalized block; 0: 256
	Part        uint64        // most final blocks that are read before what they held is stored; 0: 10,000
	Logger      *slog.Logger  // nil: slog.Default()
}

func (c *ClaimFollowerConfig) setDefaults() {
	if c.Every == 0 {
		c.Every = 15 * time.Second
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = 5 * time.Minute
	}
	if c.Depth == 0 {
		c.Depth = 256
	}
	if c.Part == 0 {
		c.Part = 10_000
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// ClaimFollower reads from the contract's log which exits were claimed. Blocks up to the
// finalized one are read once; those above it again at each look that finds a new head,
// so that a reorg needs no attention. Nothing but answers of the API depends on it: what
// fails is said once and tried again.
type ClaimFollower struct {
	cfg    ClaimFollowerConfig
	node   Node
	rows   Claims
	client *Client
	told   *outage.Teller
	seen   common.Hash // head up to which everything is stored
	stored int64       // revision of what was stored then
}

// NewClaimFollower returns a follower of the contract's claims. It is of one goroutine.
func NewClaimFollower(node Node, rows Claims, cfg ClaimFollowerConfig) *ClaimFollower {
	cfg.setDefaults()
	return &ClaimFollower{
		cfg: cfg, node: node, rows: rows, client: NewClient(node, cfg.Rollup),
		told: outage.New(cfg.Logger, "claims of exits on L1 are not followed; settling goes on, and the API says what was known", "claims of exits on L1 are followed again"),
	}
}

// Run follows claims until ctx ends, or the role is lost (store.ErrFenced).
func (f *ClaimFollower) Run(ctx context.Context) error {
	pause := f.cfg.Every
	for {
		err := f.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrFenced):
			return err
		case errors.Is(err, store.ErrClaimsChanged): // a reorg was seen meanwhile
			pause = f.cfg.Every
		case err != nil:
			f.told.Failed(ctx, slog.LevelWarn, err)
			pause = min(2*pause, max(f.cfg.MaxBackoff, f.cfg.Every))
		default:
			f.told.Worked(ctx)
			pause = f.cfg.Every
		}
		if outage.Pause(ctx, pause) != nil {
			return nil
		}
	}
}

// Look reads the log from behind the last final block to the head, and stores what it
// holds in the place of what was stored of these blocks: final ones in parts, the rest,
// which a reorg may replace, at once.
func (f *ClaimFollower) Look(ctx context.Context) error {
	since, err := f.rows.ClaimsFollowed(ctx)
	if err != nil {
		return err
	}
	head, err := f.node.Block(ctx, rpc.LatestBlockNumber)
	if err != nil {
		return fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	if f.seen == head.Hash && f.stored == since.Revision || head.Number <= since.Final || head.Number < f.cfg.DeployBlock {
		return nil // nothing is new, or the node is behind
	}
	final, err := f.final(ctx, head.Number)
	if err != nil {
		return err
	}
	for {
		first := max(since.Final+1, f.cfg.DeployBlock)
		read := store.ClaimsRead{Since: since, To: head.Number, AtHead: true, Final: final}
		if first <= final && final-first >= f.cfg.Part {
			read.To, read.AtHead = first+f.cfg.Part-1, false
		}
		if read.Claims, err = f.client.claimsIn(ctx, first, read.To); err != nil {
			return err
		}
		if since, err = f.rows.ReplaceClaims(ctx, f.cfg.Epoch, read); err != nil {
			return err
		}
		if read.AtHead {
			f.seen, f.stored = head.Hash, since.Revision
			return nil
		}
	}
}

// final returns the block up to which claims stay: the finalized one. Where the node says
// none, one that lies deeper than reorgs go; 0 while there is none so deep.
func (f *ClaimFollower) final(ctx context.Context, head uint64) (uint64, error) {
	block, err := f.node.Block(ctx, rpc.FinalizedBlockNumber)
	switch {
	case err == nil && block.Number > 0:
		return min(block.Number, head), nil
	case err != nil && !errors.Is(err, ethereum.NotFound) && (IsUnavailable(err) || ctx.Err() != nil):
		return 0, fmt.Errorf("ask L1 for its finalized block: %w", withoutURL(err))
	case head > f.cfg.Depth:
		return head - f.cfg.Depth, nil
	}
	return 0, nil
}

// claimsIn returns the claims in the blocks first to last.
func (c *Client) claimsIn(ctx context.Context, first, last uint64) (claims []store.ExitClaim, err error) {
	name := bindings.RollupExitClaimed{}.ContractEventName()
	event, ok := c.contract.GetABI().Events[name]
	if !ok {
		return nil, fmt.Errorf("the rollup's ABI has no event %s", name)
	}
	err = c.eachLog(ctx, first, last, "claims", []common.Hash{event.ID}, func(log *types.Log) error {
		claim, err := c.contract.UnpackExitClaimedEvent(log)
		if err != nil {
			return fmt.Errorf("read the event of a claim in block %d: %w", log.BlockNumber, err)
		}
		if log.BlockNumber < first || log.BlockNumber > last {
			return fmt.Errorf("%w: an event of block %d, asked for blocks %d to %d", ErrNodeAnswer, log.BlockNumber, first, last)
		}
		claims = append(claims, store.ExitClaim{
			Batch: settle.BatchNumber(claim.Batch), Index: claim.Index, Block: log.BlockNumber, TxHash: settle.Hash(log.TxHash),
		})
		return nil
	})
	return claims, err
}
