package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// Store is what this package needs of *store.Store.
type Store interface {
	Listen(ctx context.Context, topics ...store.Topic) (*store.Listener, error)
	WitnessInput(ctx context.Context, n settle.BatchNumber) (store.WitnessInput, error)
	GroupInput(ctx context.Context, first settle.BatchNumber) (store.GroupInput, error)
	ClaimJob(ctx context.Context, c store.Claim) (store.Lease, error)
	DueJobs(ctx context.Context) ([]store.ProofKind, error)
	Heartbeat(ctx context.Context, l store.Lease, ttl time.Duration) error
	StoreProof(ctx context.Context, l store.Lease, p settle.ProofEnvelope, st store.ProofStats) (store.ProofOutcome, error)
	ReleaseJob(ctx context.Context, l store.Lease) error
	FailJob(ctx context.Context, l store.Lease, class store.FailureClass, detail string, fate func([]store.ProofFailure) store.Requeue) error
	ExpiredLeases(ctx context.Context) ([]store.Lease, error)
	ReapJob(ctx context.Context, l store.Lease, fate func([]store.ProofFailure) store.Requeue) (reaped bool, err error)
	RefuseFolded(ctx context.Context, l store.Lease, k store.ProofKey, proof []byte, reason string) error
	ProveAgain(ctx context.Context, fate func(store.ProofJob, []store.ProofFailure) store.Requeue) error
	Blockage(ctx context.Context) (store.Blockage, error)
}

var _ Store = (*store.Store)(nil)

// Prover makes verified proofs of one circuit (*prover.Engine).
type Prover interface {
	Circuit() string
	Prove(ctx context.Context, shape string, trace *state.Trace) (prover.Result, error)
}

// Folder makes verified proofs, in the aggregate circuit, that proofs of consecutive
// batches hold (*prover.Engine).
type Folder interface {
	Fold(ctx context.Context, shape string, proofs []settle.ProofEnvelope) (prover.Result, error)
}

// Verifier says whether a proof holds under the key that it names
// (*verifier.Verifier). It is the worker's own: what makes the proofs is not believed.
type Verifier interface {
	Verify(proof settle.ProofEnvelope) error
}

// Config joins a worker or a reaper.
type Config struct {
	Store   Store
	Logger  *slog.Logger // nil discards
	Metrics *Metrics     // nil: collected and shown nowhere
	Holder  string       // who we are, for people; host and process id
	Policy  Policy
	// ReaperStep hears of each look for dead workers that succeeded; nil: nobody does.
	ReaperStep func()

	// For workers alone.
	Prover      Prover
	Verifier    Verifier                  // of all Keys
	Folder      Folder                    // nil: the worker folds no proofs
	Keys        map[string]settle.KeyHash // by shape: the keys that this worker can prove with
	Concurrency int                       // jobs at a time; 1, as a proof uses all cores
	// Memory is how many bytes this worker may take: its class. A job for which the
	// memory of a worker was too small waits a while for a larger one. 0: unknown.
	Memory uint64
	// Admit is asked before a job is claimed whether there is memory for its shape
	// (prover.Admission); nil admits all. A shape that it refuses is not claimed.
	Admit func(shape string) error
	// WorkerStep hears of each look at the queue that succeeded and, while a proof is
	// made and nobody looks, of each heartbeat. It is called by several goroutines; nil: nobody hears.
	WorkerStep func()
}

func (c Config) withDefaults() (Config, error) {
	if c.Store == nil {
		return c, errors.New("jobs: Store is required")
	}
	c.Policy = c.Policy.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		m, err := NewMetrics(prometheus.NewRegistry())
		if err != nil {
			return c, fmt.Errorf("jobs: metrics: %w", err)
		}
		c.Metrics = m
	}
	if c.Holder == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown host"
		}
		c.Holder = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	if c.WorkerStep == nil {
		c.WorkerStep = func() {}
	}
	if c.ReaperStep == nil {
		c.ReaperStep = func() {}
	}
	if c.Concurrency == 0 {
		c.Concurrency = 1
	}
	return c, nil
}
