package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// Pauses between two tries to take a role, or to start.
const (
	retryFirst = time.Second
	retryMost  = 10 * time.Second
)

// heldPatience is how long a role may look held at start-up: Postgres frees the
// lock of a process that just ended a moment later.
const heldPatience = 3 * time.Second

var errRoleLost = errors.New("the connection that holds the role is gone")

// cannotHeal reports whether err ends a role, as no second try can help: the chain,
// the contract or a root is not the database's, or this operator has lost its rights.
// Everything else may pass: an outage, a limit of the node's, an answer that nobody
// has seen before.
func cannotHeal(err error) bool {
	for _, fatal := range []error{
		l1.ErrWrongChain, l1.ErrNoContract, l1.ErrDeployment, l1.ErrKeyMismatch, l1.ErrUnregistered, errOldCopy, errDiverged,
		sequencer.ErrNoGenesis, sequencer.ErrKeyMismatch, sequencer.ErrStateMismatch,
	} {
		if errors.Is(err, fatal) {
			return true
		}
	}
	return false
}

// served works in a role until it fails or is lost. It calls works once it does, and
// returns whether it had the role.
type served func(ctx context.Context, works func()) (took bool, err error)

// keepRole serves in a role that one process holds at a time until ctx ends, and takes
// it again when it is lost or its work has failed. Only what cannot heal ends it, and
// before the first tenure also another process that has the role.
func (a *app) keepRole(ctx context.Context, name store.Role, serve served) error {
	told := outage.New(a.log.With("role", string(name)), "the work of the role broke off; the role is taken again", "the role is at work again")
	var heldSince time.Time // zero unless the last try found the role held
	hadRole, wait := false, retryFirst
	for {
		took, err := serve(ctx, func() { told.Worked(ctx) })
		hadRole = hadRole || took
		if took {
			wait = retryFirst
		}
		held := errors.Is(err, store.ErrWriterHeld)
		if !held {
			heldSince = time.Time{}
		} else if heldSince.IsZero() {
			heldSince = time.Now()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			err = errors.New("it ended by itself")
		case cannotHeal(err):
			return err
		case errors.Is(err, sequencer.ErrHeld) && !hadRole: // it has waited itself
			return err
		case held && !hadRole:
			if time.Since(heldSince) > heldPatience {
				return fmt.Errorf("another %s holds this database: %w", name, err)
			}
			wait = retryFirst
		}
		if !held || hadRole {
			told.Failed(ctx, slog.LevelWarn, err)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, retryMost)
	}
}

// pause waits for d; the context's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// whileAway repeats try, which asks Postgres or L1, until it succeeds or fails for
// good. What is away at the start is waited for: who is started by a service manager
// would only be started again, and who by hand reads at once what is waited for.
func whileAway[T any](ctx context.Context, log *slog.Logger, try func() (T, error)) (T, error) {
	told := outage.New(log, "the start waits for what does not answer", "the start goes on")
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		v, err := try()
		if err == nil {
			told.Worked(ctx)
			return v, nil
		}
		if ctx.Err() != nil || cannotHeal(err) || !store.IsUnavailable(err) && !l1.MayPass(err) {
			return v, err
		}
		told.Failed(ctx, slog.LevelWarn, err)
		if err := pause(ctx, wait); err != nil {
			return v, err
		}
	}
}

// awaitMigrated is openMigrated for a role.
func (f migrateFlags) awaitMigrated(a *app, flags dataFlags, migrate bool) (*database, error) {
	if os.Getenv(envDatabase) == "" {
		return f.openMigrated(a, flags, migrate)
	}
	return whileAway(a.ctx, a.log, func() (*database, error) { return f.openMigrated(a, flags, migrate) })
}

// awaitChain is openChain for a role.
func (a *app) awaitChain(data dataFlags, flags l1Flags) (*chain, error) {
	if os.Getenv(envL1) == "" {
		return a.openChain(data, flags)
	}
	return whileAway(a.ctx, a.log, func() (*chain, error) { return a.openChain(data, flags) })
}

// holdRole takes a role and works in it while this process holds it; took says that
// it did. A batch that changes its status wakes the work.
func holdRole(ctx context.Context, db *database, name store.Role, log *slog.Logger,
	work func(tenure context.Context, epoch store.Epoch, wake <-chan struct{}) error) (took bool, err error) {
	role, err := db.store.AcquireWriter(ctx, name, holder())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, role.Release(context.WithoutCancel(ctx))) }()
	tenure, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-role.Lost():
			cancel(errRoleLost)
		case <-tenure.Done():
		}
	}()
	wake := make(chan struct{}, 1)
	go listen(tenure, db, log, wake)
	if err := work(tenure, role.Epoch(), wake); err != nil && !errors.Is(context.Cause(tenure), errRoleLost) {
		return true, err
	}
	return true, context.Cause(tenure)
}

// listen pokes wake whenever a batch changes its status. Polling goes on
// without it.
func listen(ctx context.Context, db *database, log *slog.Logger, wake chan<- struct{}) {
	listener, err := db.store.Listen(ctx, store.TopicBatches)
	if err != nil {
		log.Warn("no notifications; the role polls", "error", err)
		return
	}
	defer func() { _ = listener.Close(context.WithoutCancel(ctx)) }()
	for {
		if _, err := listener.Next(ctx); err != nil {
			return
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}
