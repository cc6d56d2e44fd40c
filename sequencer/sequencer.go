package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/store"
)

// Store is what the sequencer needs of package store.
type Store interface {
	Listen(ctx context.Context, topics ...store.Topic) (*store.Listener, error)
	Rollup(ctx context.Context) (store.Rollup, error)
	FeeAccounts(ctx context.Context) ([]store.FeeAccount, error)
	EachAccount(ctx context.Context, f func(store.Account) error) error
	AccountsAstray(ctx context.Context, limit int) ([]settle.AccountIndex, error)
	LastBatch(ctx context.Context) (store.Batch, error)
	Backlog(ctx context.Context) (store.Backlog, error)
	AcceptedTransactions(ctx context.Context, after int64, limit int) ([]store.Transaction, error)
	SealBatch(ctx context.Context, epoch store.Epoch, b store.SealedBatch) error
	RejectTransactions(ctx context.Context, epoch store.Epoch, rs []store.Rejection) error
}

var _ Store = (*store.Store)(nil)

// Config is everything that a Sequencer is made of. Zero durations and sizes
// get the defaults named beside them.
type Config struct {
	Store    Store
	Hasher   *poseidon.Hasher
	Policy   Policy
	Logger   *slog.Logger
	Observer Observer // NopObserver

	NonceGapTimeout time.Duration // how long a transaction may wait behind a nonce gap; 5 minutes
	MaxWaiting      int           // transactions held in memory behind nonce gaps; 20,000
	PageSize        int           // rows read at a time; 2,000
	PollInterval    time.Duration // between passes over everything accepted; 1 second
}

// Sequencer executes accepted transactions and seals batches. Run does the
// work; the other methods may be called from any goroutine.
type Sequencer struct {
	cfg   Config
	log   *slog.Logger
	flush atomic.Bool
	wake  chan struct{}

	// What failed seals have taught; it outlives a reload.
	limit      int                    // batches are no larger than this; 0: no limit
	poison     map[settle.Hash]string // transactions that make a batch unsealable, and why
	rowsDiffer bool                   // the store found other leaf digests than those that we replace
}

// New checks the configuration.
func New(cfg Config) (*Sequencer, error) {
	if cfg.Store == nil || cfg.Hasher == nil || cfg.Logger == nil {
		return nil, errors.New("sequencer: Store, Hasher and Logger are required")
	}
	if err := cfg.Policy.Validate(); err != nil {
		return nil, fmt.Errorf("sealing policy: %w", err)
	}
	if cfg.Observer == nil {
		cfg.Observer = NopObserver{}
	}
	cfg.NonceGapTimeout = orDefault(cfg.NonceGapTimeout, 5*time.Minute)
	cfg.MaxWaiting = orDefault(cfg.MaxWaiting, 20_000)
	cfg.PageSize = orDefault(cfg.PageSize, 2_000)
	cfg.PollInterval = orDefault(cfg.PollInterval, time.Second)
	return &Sequencer{
		cfg: cfg, log: cfg.Logger.With("role", string(store.RoleSequencer)),
		wake: make(chan struct{}, 1), poison: map[settle.Hash]string{},
	}, nil
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Flush seals what is accepted now without waiting for age. It returns at once.
func (s *Sequencer) Flush() {
	s.flush.Store(true)
	s.poke()
}

func (s *Sequencer) poke() {
	select {
	case s.wake <- struct{}{}:
	default: // a wake-up is already due
	}
}

// Serve works in a tenure of the sequencer's role until ctx ends or something fails, and
// returns the error. In the next tenure it begins anew from the stored state; of an
// earlier one it keeps what failed seals have taught. ErrNoGenesis, ErrKeyMismatch and
// ErrStateMismatch need a person; store.ErrFenced means that another epoch has begun;
// anything else may pass.
func (s *Sequencer) Serve(ctx context.Context, in leader.Tenure) error {
	t := &tenure{Sequencer: s, Tenure: in}
	return t.serve(ctx)
}
