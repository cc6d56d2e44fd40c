package l1

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Settlements is what the submitter keeps of its work; *store.Store is one. Every
// write carries the epoch of the submitter role and fails with store.ErrFenced
// once another process has taken it.
type Settlements interface {
	// ToSettle returns at most so many batches or groups that settle next, in order and without gaps, from the first that is not settled
	// up to one that is not proven, or may yet be aggregated: patience is how long that may take. A *store.MissingProofError when a proof is gone.
	ToSettle(ctx context.Context, patience time.Duration, most int) ([]store.SettlementWork, error)
	// SettlementFees returns the highest fees with which a node may hold a transaction of this sender and nonce, if one has taken any.
	SettlementFees(ctx context.Context, sender settle.Address, nonce uint64) (maxFee, maxTip settle.Amount, found bool, err error)
	// PrepareSettlement stores a signed transaction before it is sent; live ones of its batches, of the same sender and nonce, become
	// replaced. Where it replaces none, those of later batches are taken back.
	PrepareSettlement(ctx context.Context, epoch store.Epoch, n store.NewSettlement) (store.Settlement, error)
	// MarkSent records that a node has taken the transaction.
	MarkSent(ctx context.Context, epoch store.Epoch, txHash settle.Hash) error
	// RecordMined records a successful receipt, whatever the settlement's status was.
	RecordMined(ctx context.Context, epoch store.Epoch, txHash settle.Hash, r store.Receipt) error
	// GiveUpGroup has the batches of a group settle each by its own proof.
	GiveUpGroup(ctx context.Context, epoch store.Epoch, first settle.BatchNumber, reason string) error
	// RefuseProof sets a stored proof aside, if it is still this one: its batch is proven again; after an aggregate proof the batches settle directly.
	RefuseProof(ctx context.Context, epoch store.Epoch, k store.ProofKey, proof []byte, reason string) error
	// ProofGone has a batch proven again whose proof is missing; after an aggregate proof the batches settle directly.
	ProofGone(ctx context.Context, epoch store.Epoch, missing *store.MissingProofError) error
	// FailSettlement gives a live settlement up, and those of later batches with it; their batches return to proven.
	FailSettlement(ctx context.Context, epoch store.Epoch, txHash settle.Hash, reason string) error
	// RevertSettlements returns batch from and all later ones to proven after a reorg.
	RevertSettlements(ctx context.Context, epoch store.Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error)
	// FinalizeSettlements makes settled batches up to upTo final.
	FinalizeSettlements(ctx context.Context, epoch store.Epoch, upTo settle.BatchNumber) ([]settle.BatchNumber, error)
	// NoteStandstill says why the submitter makes no progress; an empty reason says that it does again.
	NoteStandstill(ctx context.Context, role store.Role, reason string) error
	// MinedSettlements lists settlements that are mined and not final, by batch.
	MinedSettlements(ctx context.Context) ([]store.Settlement, error)
	// SettlementByHash returns a settlement by the hash of its transaction, or store.ErrNotFound.
	SettlementByHash(ctx context.Context, txHash settle.Hash) (store.Settlement, error)
	// LastSettlement returns the last settlement that is mined and was proven under this key, or store.ErrNotFound.
	LastSettlement(ctx context.Context, circuit, shape string, key settle.KeyHash) (store.Settled, error)
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
	MaxInFlight int           // transactions under way at a time, at consecutive nonces; 0: 4
	Patience    time.Duration // proven batches that may be aggregated wait so long for it, then each settles by its own proof; 0: none waits
	StuckAfter  time.Duration // without a receipt the first transaction under way is replaced at higher fees; 0: 2 minutes
	Poll        time.Duration // between looks at chain and store; 0: 1 second
	MaxOutage   time.Duration // between tries while chain or store cannot be reached, which cost them little; 0: 5 seconds
	MaxBackoff  time.Duration // between tries after any other failure; 0: 30 seconds
	Logger      *slog.Logger  // nil: slog.Default()
	Now         func() time.Time
	Observer    Observer // nil: nobody
	Stepped     func()   // hears of each step of Run that ended without an error; nil: nobody does
}

const (
	defaultMaxFee      = 200_000_000_000 // wei per gas
	defaultMaxInFlight = 4
)

func (c *SubmitterConfig) setDefaults() {
	if c.MaxFee.IsZero() {
		c.MaxFee = settle.NewAmount(defaultMaxFee)
	}
	if c.MaxInFlight == 0 {
		c.MaxInFlight = defaultMaxInFlight
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
	if c.Observer == nil {
		c.Observer = NopObserver{}
	}
}

// Submitter settles proven batches and groups of them strictly in order, with a few
// transactions under way at consecutive nonces. Whatever it must know lies in
// Settlements and on the chain, so that it can be stopped at any point and started
// elsewhere.
type Submitter struct {
	cfg      SubmitterConfig
	rows     Settlements
	client   *Client
	wallet   *wallet
	contract *bindings.Rollup
	entries  map[versionKey]Entry
	log      *slog.Logger
	watched  common.Hash               // head at which all mined settlements were compared with the chain
	taken    map[settle.Hash]time.Time // when a node took a transaction under way from this process, by our own clock
	shown    map[settle.Hash]time.Time // when a node was last given it
	turn     time.Time                 // since when the first one under way has had nobody before it; zero: from before this process
	gas      map[gasKind]gasUsed       // what settlements have cost
	asked    map[gasKind]bool          // kinds that the store was asked for
	capped   string                    // why the first in line is not replaced, though stuck
	noted    *string                   // standstill that was noted last, empty for none; nil: perhaps one of another process
	ahead    big.Int                   // the most that those cost, in wei, which are before the one that a step is at
	reorgs   reorgs                    // lately
	finality askAgain                  // while the node does not say it
	told     *outage.Tellers           // of what the node does not say
}

type versionKey struct {
	circuit, shape string
	key            settle.KeyHash
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
		cfg: cfg, rows: rows, client: NewClient(node, cfg.Rollup), wallet: newWallet(node, cfg.Key, chainID).withPolicy(FeePolicy{MaxFee: cfg.MaxFee}),
		contract: bindings.NewRollup(), entries: make(map[versionKey]Entry), log: cfg.Logger, told: outage.NewTellers(cfg.Logger, kindOf),
		taken: make(map[settle.Hash]time.Time), shown: make(map[settle.Hash]time.Time), gas: make(map[gasKind]gasUsed), asked: make(map[gasKind]bool),
	}
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
		if err == nil && s.cfg.Stepped != nil {
			s.cfg.Stepped()
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrFenced):
			return err
		case err != nil:
			away := IsUnavailable(err) || store.IsUnavailable(err)
			level := slog.LevelWarn
			if unfunded := (*UnfundedError)(nil); errors.As(err, &unfunded) {
				level = slog.LevelError // no pause heals it
			}
			told.Failed(ctx, level, err, "batch", outcome.Batch, "unavailable", away)
			s.note(ctx, err.Error())
			pause = s.backoff(pause, away)
		case outcome.Action == Failed:
			pause = s.backoff(pause, false)
		default:
			told.Worked(ctx)
			s.note(ctx, s.capped)
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

// note stores why nothing goes on, where it can: people read it, nothing depends on it.
func (s *Submitter) note(ctx context.Context, reason string) {
	if s.noted != nil && *s.noted == reason {
		return
	}
	if s.rows.NoteStandstill(ctx, store.RoleSubmitter, reason) == nil {
		s.noted = &reason
	}
}

// backoff is the pause after a failure that followed the given one.
func (s *Submitter) backoff(last time.Duration, away bool) time.Duration {
	if away {
		return min(2*last, s.cfg.MaxOutage)
	}
	return min(2*last, s.cfg.MaxBackoff)
}

// Step looks for reorgs and finality, then moves the next batches, in order, each by
// one action: until one is recorded or has failed, after which everything is looked at
// anew, or one must wait for those before it. The outcome is that of the first that did
// not just wait. After an error of chain or store the same step can be made again.
func (s *Submitter) Step(ctx context.Context) (Outcome, error) {
	if err := s.watch(ctx); err != nil {
		return Outcome{}, err
	}
	works, err := s.rows.ToSettle(ctx, s.cfg.Patience, s.cfg.MaxInFlight)
	if missing := (*store.MissingProofError)(nil); errors.As(err, &missing) {
		return s.missing(ctx, missing)
	}
	if err != nil {
		return Outcome{}, err
	}
	for i := range works {
		if works[i].Live == nil {
			s.cfg.Observer.ToSettle(&works[i].Batch)
		}
	}
	if len(works) == 0 {
		return Outcome{Action: Idle}, nil
	}
	s.forget(works)
	seen, err := s.look(ctx, works)
	if err != nil {
		return Outcome{Batch: works[0].Batch.Number}, err
	}
	did := Outcome{works[0].Batch.Number, Waiting}
	s.ahead.SetUint64(0)
	s.capped = ""
	for i := range works {
		number := works[i].Batch.Number
		action, err := s.advance(ctx, works[:i+1], seen)
		if err != nil {
			return Outcome{Batch: number}, fmt.Errorf("settle batch %d: %w", number, err)
		}
		if action != Waiting {
			s.log.InfoContext(ctx, "settlement", "batch", number, "last", works[i].Last(), "action", action)
		}
		if did.Action == Waiting {
			did = Outcome{number, action}
		}
		if action == Recorded || action == Failed || !s.underWay(works[i].Live) {
			break
		}
		s.ahead.Add(&s.ahead, costOf(works[i].Live))
	}
	return did, nil
}

// sight is what the chain says at the beginning of a step.
type sight struct {
	nonces map[common.Address]uint64 // next mined ones: of ours, and of all senders under way
	last   settle.BatchNumber        // settled
}

// look asks the chain. The order matters: a nonce used before the batch number was read
// is used by what the batch number shows.
func (s *Submitter) look(ctx context.Context, works []store.SettlementWork) (sight, error) {
	seen := sight{nonces: map[common.Address]uint64{s.wallet.address: 0}}
	for i := range works {
		if live := works[i].Live; live != nil { // of another sender than ours after a change of the key
			seen.nonces[common.Address(live.Sender)] = 0
		}
	}
	for sender := range seen.nonces {
		nonce, err := s.wallet.node.NonceAt(ctx, sender, nil)
		if err != nil {
			return seen, fmt.Errorf("ask L1 for the nonce: %w", withoutURL(err))
		}
		seen.nonces[sender] = nonce
	}
	var err error
	seen.last, err = s.client.BatchNumber(ctx)
	return seen, err
}

// advance compares the last of works with the chain and acts. Those before it are under
// way, and have been looked at.
func (s *Submitter) advance(ctx context.Context, works []store.SettlementWork, seen sight) (Action, error) {
	work := &works[len(works)-1]
	number := work.Batch.Number
	switch first := works[0].Batch.Number; {
	case seen.last >= number:
		return Recorded, s.recorded(ctx, *work)
	case seen.last+1 != first:
		return "", fmt.Errorf("%w: it has settled batch %d, the store %d", ErrNodeBehind, seen.last, first-1)
	case work.Live == nil:
		return s.first(ctx, works, seen)
	case seen.nonces[common.Address(work.Live.Sender)] > work.Live.Nonce:
		return s.spent(ctx, *work)
	}
	return s.again(ctx, work, len(works) == 1)
}

// recorded stores the settlement of a work that the chain has, and learns from it. The
// next one is first in line from now on.
func (s *Submitter) recorded(ctx context.Context, work store.SettlementWork) error {
	if err := s.recordFromChain(ctx, work); err != nil {
		return err
	}
	s.turn = s.cfg.Now()
	if work.Live == nil {
		return nil
	}
	row, err := s.rows.SettlementByHash(ctx, work.Live.TxHash)
	if err != nil {
		return fmt.Errorf("recorded settlement: %w", err)
	}
	tx := new(types.Transaction)
	if row.Receipt != nil && tx.UnmarshalBinary(row.RawTx) == nil {
		s.observe(work, tx.Data(), row.Receipt.GasUsed)
	}
	return nil
}

// calldata packs the call of settle for a batch, or of settleAggregate for a group.
func (s *Submitter) calldata(ctx context.Context, work store.SettlementWork) ([]byte, error) {
	entry, err := s.entry(ctx, work.Proof)
	if err != nil {
		return nil, err
	}
	if len(work.Parts) > 0 {
		group := Group{Proof: work.Proof}
		for _, part := range work.Parts {
			group.Batches = append(group.Batches, GroupBatch{Commitment: part.Commitment, Words: part.Words})
		}
		return group.Calldata(entry.Version)
	}
	return Calldata(work.Proof, work.Words, entry.Version)
}

// entry returns the registry entry of a proof's key.
func (s *Submitter) entry(ctx context.Context, proof settle.ProofEnvelope) (Entry, error) {
	key := versionKey{proof.Circuit, proof.Shape, proof.KeyHash}
	if entry, ok := s.entries[key]; ok {
		return entry, nil
	}
	entry, err := s.client.FindKey(ctx, proof.Circuit, proof.Shape, proof.KeyHash)
	if err == nil {
		s.entries[key] = entry
	}
	return entry, err
}

func (s *Submitter) rollup() *common.Address {
	address := common.Address(s.cfg.Rollup)
	return &address
}
