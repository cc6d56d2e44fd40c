// Package leader keeps a process in a role that one process holds at a time: it takes
// the role, works in it, and takes it again when it is lost or the work breaks off.
package leader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/store"
)

// Pauses are the times between two tries to take a role; what is zero is as in
// DefaultPauses.
type Pauses struct {
	// First follows a failed tenure that made progress, and twice as much each further
	// failure, up to Most.
	First, Most time.Duration
	// Standby is between two looks at a role that another process holds.
	Standby time.Duration
}

// DefaultPauses are those of every role.
func DefaultPauses() Pauses {
	return Pauses{First: 100 * time.Millisecond, Most: 10 * time.Second, Standby: time.Second}
}

// heldPatience is how long a role may look held at the start: Postgres frees the lock of
// a process that just ended a moment later.
const heldPatience = 3 * time.Second

// ErrRoleLost reports that the connection which holds the role is gone.
var ErrRoleLost = errors.New("the connection that holds the role is gone")

// Writer is a role that this process holds.
type Writer interface {
	Epoch() store.Epoch
	Lost() <-chan struct{}             // closed when the role is lost or released
	Release(ctx context.Context) error // also when ctx has ended
}

// Acquire takes a role, or fails with store.ErrWriterHeld.
type Acquire func(ctx context.Context, role store.Role, holder string) (Writer, error)

// From takes roles of a database; s is a *store.Store, or is made of one.
func From(s interface {
	AcquireWriter(ctx context.Context, role store.Role, holder string) (*store.Writer, error)
}) Acquire {
	return func(ctx context.Context, role store.Role, holder string) (Writer, error) {
		w, err := s.AcquireWriter(ctx, role, holder)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
}

// Config says which role is kept, and how.
type Config struct {
	Acquire Acquire
	Role    store.Role
	Log     *slog.Logger
	// Fatal reports whether an error of the work can never heal; nil: none is. Everything
	// else is waited for: an outage, a limit, an answer that nobody has seen before.
	Fatal func(error) bool
	// Standby waits while another process holds the role. Without it that is an error, but
	// after a first tenure: then another process has taken over, and this one stands by.
	Standby bool
	// Standing hears whether the role is at work (nil) or why it is not, at each change.
	Standing func(reason error)
	Pauses   Pauses
	// Failed hears of each tenure that broke off.
	Failed func(error)
}

// Tenure is a period of holding the role.
type Tenure struct {
	Epoch store.Epoch
	// Working says that the work goes on from here: what was to be checked or loaded is.
	Working func()
	// Progressed says that a step of the work is done.
	Progressed func()
}

// errStandby is why a role that another process holds is not at work.
var errStandby = errors.New("standing by")

// Run serves in the role until ctx ends, and returns its error. The context of serve ends
// when the role is lost. Only what Fatal knows ends Run, and before the first tenure
// another process that has the role.
func Run(ctx context.Context, cfg Config, serve func(context.Context, Tenure) error) error {
	k := newKeeper(cfg)
	for {
		err := k.once(ctx, serve)
		switch held := errors.Is(err, store.ErrWriterHeld); {
		case ctx.Err() != nil:
			return ctx.Err()
		case held && (k.had || cfg.Standby):
			k.standBy(ctx, err)
		case held:
			if err := k.refused(err); err != nil {
				return err
			}
		case cfg.Fatal != nil && cfg.Fatal(err):
			return err
		default:
			k.failed(ctx, err)
		}
		if err := outage.Pause(ctx, k.pause); err != nil {
			return err
		}
	}
}

// keeper is the memory of Run. It is of one goroutine, but for what serve calls.
type keeper struct {
	cfg       Config
	broke     *outage.Teller // tenures that broke off
	stood     bool           // standing by was said
	had       bool           // there was a tenure
	heldSince time.Time      // zero unless the last try found the role held
	progress  atomic.Bool    // of this tenure
	pause     time.Duration
	next      time.Duration // pause after the next failure
}

func newKeeper(cfg Config) *keeper {
	if cfg.Standing == nil {
		cfg.Standing = func(error) {}
	}
	if cfg.Failed == nil {
		cfg.Failed = func(error) {}
	}
	pauses := DefaultPauses()
	cfg.Pauses.First = cmp.Or(cfg.Pauses.First, pauses.First)
	cfg.Pauses.Most = cmp.Or(cfg.Pauses.Most, pauses.Most)
	cfg.Pauses.Standby = cmp.Or(cfg.Pauses.Standby, pauses.Standby)
	cfg.Log = cfg.Log.With("role", string(cfg.Role))
	return &keeper{
		cfg: cfg, next: cfg.Pauses.First,
		broke: outage.New(cfg.Log, "the work of the role broke off; the role is taken again", "the role is at work again"),
	}
}

// once takes the role and serves in it until that ends, the role is lost, or ctx ends.
func (k *keeper) once(ctx context.Context, serve func(context.Context, Tenure) error) (err error) {
	writer, err := k.cfg.Acquire(ctx, k.cfg.Role, Holder())
	if err != nil {
		return err
	}
	k.had, k.stood, k.heldSince = true, false, time.Time{}
	k.progress.Store(false)
	defer func() { err = errors.Join(err, writer.Release(context.WithoutCancel(ctx))) }()
	tenure, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-writer.Lost():
			cancel(ErrRoleLost)
		case <-tenure.Done():
		}
	}()
	err = serve(tenure, Tenure{Epoch: writer.Epoch(), Working: func() {
		k.broke.Worked(ctx)
		k.cfg.Standing(nil)
	}, Progressed: func() { k.progress.Store(true) }})
	switch {
	case errors.Is(context.Cause(tenure), ErrRoleLost) && ctx.Err() == nil:
		return ErrRoleLost
	case err == nil && ctx.Err() == nil:
		return errors.New("it ended by itself")
	}
	return err
}

// standBy waits for the end of another holder.
func (k *keeper) standBy(ctx context.Context, err error) {
	if !k.stood {
		k.cfg.Log.InfoContext(ctx, "standing by", "reason", err)
		k.stood = true
	}
	k.cfg.Standing(fmt.Errorf("%w: %w", errStandby, err))
	k.pause = k.cfg.Pauses.Standby
}

// refused is what becomes of a role that was held at the start: an error when it has been
// for a while.
func (k *keeper) refused(err error) error {
	if k.heldSince.IsZero() {
		k.heldSince = time.Now()
	}
	if time.Since(k.heldSince) > heldPatience {
		return fmt.Errorf("another %s holds this database: %w; or give this one another database", k.cfg.Role, err)
	}
	k.cfg.Standing(err)
	k.pause = k.cfg.Pauses.First
	return nil
}

func (k *keeper) failed(ctx context.Context, err error) {
	k.heldSince = time.Time{}
	if k.progress.Swap(false) {
		k.next = k.cfg.Pauses.First
	}
	k.pause, k.next = k.next, min(2*k.next, k.cfg.Pauses.Most)
	k.broke.Failed(ctx, slog.LevelWarn, err)
	k.cfg.Standing(err)
	k.cfg.Failed(err)
}

// Holder is how this process calls itself, for people: host and process id.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}
