package l1

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Settlements is what the submitter keeps of its work; *store.Store is one. Every
// write carries the epoch of the submitter role and fails with store.ErrFenced
// once another process has taken it.
type Settlements interface {
	// NextToSettle returns the first batch that is not settled, if it is proven or settling, with those that its proof settles too;
	// store.ErrNotFound when there is none, or it may yet be folded.
	NextToSettle(ctx context.Context) (store.SettlementWork, error)
	// PrepareSettlement stores a signed transaction before it is sent; live ones of its batches, of the same sender and nonce, become replaced.
	PrepareSettlement(ctx context.Context, epoch store.Epoch, n store.NewSettlement) (store.Settlement, error)
	// MarkSent records that a node has taken the transaction.
	MarkSent(ctx context.Context, epoch store.Epoch, txHash settle.Hash) error
	// RecordMined records a successful receipt, whatever the settlement's status was.
	RecordMined(ctx context.Context, epoch store.Epoch, txHash settle.Hash, r store.Receipt) error
	// GiveUpGroup has the batches of a group settle each by its own proof.
	GiveUpGroup(ctx context.Context, epoch store.Epoch, first settle.BatchNumber, reason string) error
	// FailSettlement gives a live settlement up; its batches return to proven.
	FailSettlement(ctx context.Context, epoch store.Epoch, txHash settle.Hash, reason string) error
	// RevertSettlements returns batch from and all later ones to proven after a reorg.
	RevertSettlements(ctx context.Context, epoch store.Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error)
	// FinalizeSettlements makes settled batches up to upTo final.
	FinalizeSettlements(ctx context.Context, epoch store.Epoch, upTo settle.BatchNumber) ([]settle.BatchNumber, error)
	// MinedSettlements lists settlements that are mined and not final, by batch.
	MinedSettlements(ctx context.Context) ([]store.Settlement, error)
	// SettlementByHash returns a settlement by the hash of its transaction, or store.ErrNotFound.
	SettlementByHash(ctx context.Context, txHash settle.Hash) (store.Settlement, error)
}

var _ Settlements = (*store.Store)(nil)

// SubmitterConfig configures a Submitter. The key must be used by nobody else.
type SubmitterConfig struct {
	ChainID     uint64
	Rollup      settle.Address
	DeployBlock uint64 // where searches of the log begin
	Key         *ecdsa.PrivateKey
	Epoch       store.Epoch   // of the submitter role, held by this process
	MaxFee      settle.Amount // cap in wei per gas, against a spiral of replacements; 0: 200 gwei
	StuckAfter  time.Duration // without a receipt a transaction is replaced at higher fees; 0: 2 minutes
	Poll        time.Duration // between looks at chain and store; 0: 1 second
	MaxOutage   time.Duration // between tries while chain or store cannot be reached, which cost them little; 0: 5 seconds
	MaxBackoff  time.Duration // between tries after any other failure; 0: 30 seconds
	Logger      *slog.Logger  // nil: slog.Default()
	Now         func() time.Time
}

const defaultMaxFee = 200_000_000_000 // wei per gas

func (c *SubmitterConfig) setDefaults() {
	if c.MaxFee.IsZero() {
		c.MaxFee = settle.NewAmount(defaultMaxFee)
	}
	if c.StuckAfter == 0 {
		c.StuckAfter = 2 * time.Minute
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.MaxOutage == 0 {
		c.MaxOutage = 5 * time.Second
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Submitter settles proven batches and groups of them strictly in order, one
// transaction in flight at a time. Whatever it knows lies in Settlements and on the chain, so that it
// can be stopped at any point and started elsewhere.
type Submitter struct {
	cfg      SubmitterConfig
	rows     Settlements
	client   *Client
	wallet   *wallet
	contract *bindings.Rollup
	versions map[versionKey]uint32
	log      *slog.Logger
	watched  common.Hash // head at which all mined settlements were compared with the chain
	taken    taken       // the last transaction that a node has taken from this process
}

// taken is a transaction and when a node first took it from us, by our own clock.
type taken struct {
	hash settle.Hash
	when time.Time
}

type versionKey struct {
	shape string
	key   settle.KeyHash
}

// NewSubmitter checks that node serves the chain, that the contract is there and
// that the key may settle.
func NewSubmitter(ctx context.Context, node Node, rows Settlements, cfg SubmitterConfig) (*Submitter, error) {
	cfg.setDefaults()
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return nil, err
	}
	s := &Submitter{
		cfg: cfg, rows: rows, client: NewClient(node, cfg.Rollup), wallet: newWallet(node, cfg.Key, chainID),
		contract: bindings.NewRollup(), versions: make(map[versionKey]uint32), log: cfg.Logger,
	}
	s.wallet.maxFee = cfg.MaxFee.Big()
	domain, err := s.client.Domain(ctx)
	if err != nil {
		return nil, err
	}
	if want := Domain(chainID, cfg.Rollup); domain != want {
		return nil, fmt.Errorf("%w: domain on L1 is %s, expected %s", ErrDeployment, domain, want)
	}
	allowed, err := s.client.IsOperator(ctx, s.Address())
	if err != nil {
		return nil, err
	}
	if !allowed {
		return nil, fmt.Errorf("%w: %s is no operator of the rollup %s; set SETTLE_L1_PRIVATE_KEY to an operator's key, "+
			"or let the governor admit this one", ErrDeployment, s.Address(), cfg.Rollup)
	}
	return s, nil
}

// Address is the account that settles.
func (s *Submitter) Address() settle.Address { return settle.Address(s.wallet.address) }

// Outcome says what a step did.
type Outcome struct {
	Batch  settle.BatchNumber // of the action; 0 when idle
	Action Action
}

// Action is what a step did about the next batch.
type Action string

// Actions of a step.
const (
	Idle     Action = "idle"     // nothing is proven
	Sent     Action = "sent"     // a new transaction
	Resent   Action = "resent"   // the stored transaction, again
	Replaced Action = "replaced" // at higher fees on the same nonce
	Waiting  Action = "waiting"  // no receipt yet
	Recorded Action = "recorded" // mined
	Failed   Action = "failed"   // reverted or impossible; stored, to be tried again
)

// Run settles until ctx ends or the role is lost (store.ErrFenced). Whatever else
// fails is tried again with growing pauses, and said once; wake, if not nil, cuts a
// pause short.
func (s *Submitter) Run(ctx context.Context, wake <-chan struct{}) error {
	pause := s.cfg.Poll
	told := outage.New(s.log, "settling fails; it is tried again", "settling goes on")
	for {
		outcome, err := s.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrFenced):
			return err
		case err != nil:
			away := IsUnavailable(err) || store.IsUnavailable(err)
			told.Failed(ctx, slog.LevelWarn, err, "batch", outcome.Batch, "unavailable", away)
			pause = s.backoff(pause, away)
		case outcome.Action == Failed:
			pause = s.backoff(pause, false)
		default:
			told.Worked(ctx)
			pause = s.cfg.Poll
		}
		if err == nil && outcome.Action == Recorded {
			continue // the next batch may be proven already
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// backoff is the pause after a failure that followed the given one.
func (s *Submitter) backoff(last time.Duration, away bool) time.Duration {
	if away {
		return min(2*last, s.cfg.MaxOutage)
	}
	return min(2*last, s.cfg.MaxBackoff)
}

// Step looks for reorgs and finality, then moves the next batch by one action.
// After an error of chain or store the same step can be made again.
func (s *Submitter) Step(ctx context.Context) (Outcome, error) {
	if err := s.watch(ctx); err != nil {
		return Outcome{}, err
	}
	work, err := s.rows.NextToSettle(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return Outcome{Action: Idle}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("next batch to settle: %w", err)
	}
	action, err := s.advance(ctx, work)
	if err != nil {
		return Outcome{Batch: work.Batch.Number}, fmt.Errorf("settle batch %d: %w", work.Batch.Number, err)
	}
	if action != Waiting {
		s.log.InfoContext(ctx, "settlement", "batch", work.Batch.Number, "last", work.Last(), "action", action)
	}
	return Outcome{work.Batch.Number, action}, nil
}

// advance compares the batch with the chain and acts.
func (s *Submitter) advance(ctx context.Context, work store.SettlementWork) (Action, error) {
	// The order matters: a nonce used before the batch number was read is used by what the batch number shows.
	sender := s.wallet.address
	if work.Live != nil {
		sender = common.Address(work.Live.Sender) // another than ours after a change of the key
	}
	nonce, err := s.wallet.node.NonceAt(ctx, sender, nil)
	if err != nil {
		return "", fmt.Errorf("ask L1 for the nonce: %w", withoutURL(err))
	}
	last, err := s.client.BatchNumber(ctx)
	if err != nil {
		return "", err
	}
	number := work.Batch.Number
	switch {
	case last >= number:
		return Recorded, s.recordFromChain(ctx, work)
	case last+1 != number:
		return "", fmt.Errorf("%w: it has settled batch %d, the store %d", ErrNodeBehind, last, number-1)
	case work.Live == nil:
		return s.first(ctx, work)
	case nonce > work.Live.Nonce:
		return s.spent(ctx, work)
	}
	return s.again(ctx, work)
}

// calldata packs the call of settle for a batch, or of settleAggregate for a group.
func (s *Submitter) calldata(ctx context.Context, work store.SettlementWork) ([]byte, error) {
	if len(work.Parts) > 0 {
		group := Group{Proof: work.Proof}
		for _, part := range work.Parts {
			group.Batches = append(group.Batches, GroupBatch{Commitment: part.Commitment, Words: part.Words})
		}
		return s.client.SettleAggregate(ctx, group)
	}
	key := versionKey{work.Proof.Shape, work.Proof.KeyHash}
	version, ok := s.versions[key]
	if !ok {
		entry, err := s.client.FindKey(ctx, settle.CircuitTransition, work.Proof.Shape, work.Proof.KeyHash)
		if err != nil {
			return nil, err
		}
		version = entry.Version
		s.versions[key] = version
	}
	return Calldata(work.Proof, work.Words, version)
}

func (s *Submitter) rollup() *common.Address {
	address := common.Address(s.cfg.Rollup)
	return &address
}
