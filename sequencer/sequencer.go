package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/store"
)

// Store is what the sequencer needs of package store.
type Store interface {
	AcquireWriter(ctx context.Context, role store.Role, holder string) (*store.Writer, error)
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
	Holder   string   // who we are, for people; host and process id

	NonceGapTimeout time.Duration // how long a transaction may wait behind a nonce gap; 5 minutes
	MaxWaiting      int           // transactions held in memory behind nonce gaps; 20,000
	PageSize        int           // rows read at a time; 2,000
	PollInterval    time.Duration // between passes over everything accepted; 1 second
	MinBackoff      time.Duration // before the first reload after a failure; 100 milliseconds
	MaxBackoff      time.Duration // 5 seconds
	AcquireFor      time.Duration // how long the role may be held by another at the start; 3 seconds
	ReacquireFor    time.Duration // how long after we had it and lost it; 30 seconds
}

// ErrHeld: another sequencer works on this database.
var ErrHeld = errors.New("another sequencer holds this database")

// ErrFenced: another sequencer took over while this one was at work.
var ErrFenced = errors.New("another sequencer has taken over; this one has stopped and wrote nothing since")

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
	if cfg.Holder == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown host"
		}
		cfg.Holder = fmt.Sprintf("%s, process %d", host, os.Getpid())
	}
	cfg.NonceGapTimeout = orDefault(cfg.NonceGapTimeout, 5*time.Minute)
	cfg.MaxWaiting = orDefault(cfg.MaxWaiting, 20_000)
	cfg.PageSize = orDefault(cfg.PageSize, 2_000)
	cfg.PollInterval = orDefault(cfg.PollInterval, time.Second)
	cfg.MinBackoff = orDefault(cfg.MinBackoff, 100*time.Millisecond)
	cfg.MaxBackoff = orDefault(cfg.MaxBackoff, 5*time.Second)
	cfg.AcquireFor = orDefault(cfg.AcquireFor, 3*time.Second)
	cfg.ReacquireFor = orDefault(cfg.ReacquireFor, 30*time.Second)
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

// Run works until ctx ends, and then returns nil. A database that is down or
// restarts is waited for. It returns ErrHeld, ErrFenced, ErrNoGenesis,
// ErrKeyMismatch or ErrStateMismatch when a person has to act.
//
// Postgres keeps a lock until it notices that its holder's connection is gone, be
// it a predecessor's that has just stopped or our own that broke. So a role that
// is held is asked for again for a while.
func (s *Sequencer) Run(ctx context.Context) error {
	patience := s.cfg.AcquireFor
	var heldSince time.Time // zero unless the last attempt found the role held
	backoff := s.cfg.MinBackoff
	told := s.failures()
	for {
		t := &tenure{Sequencer: s}
		err := t.serve(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if t.acquired {
			patience = s.cfg.ReacquireFor
		}
		if !errors.Is(err, store.ErrWriterHeld) {
			heldSince = time.Time{}
		} else if heldSince.IsZero() {
			heldSince = time.Now()
		}
		switch {
		case !heldSince.IsZero() && time.Since(heldSince) >= patience:
			return fmt.Errorf("%w: %w; or give this one another database", ErrHeld, err)
		case errors.Is(err, store.ErrFenced):
			return fmt.Errorf("%w: %w", ErrFenced, err)
		case errors.Is(err, ErrNoGenesis), errors.Is(err, ErrKeyMismatch), errors.Is(err, ErrStateMismatch):
			return err
		}
		if t.sealed > 0 {
			backoff = s.cfg.MinBackoff
			told = s.failures()
		}
		told.Failed(ctx, slog.LevelWarn, err)
		s.cfg.Observer.Recovering(err, backoff)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, s.cfg.MaxBackoff)
	}
}

// failures tells each kind of failure once. Its end is said by "state loaded".
func (s *Sequencer) failures() *outage.Teller {
	return outage.New(s.log, "not executing; trying again from the stored state", "")
}
