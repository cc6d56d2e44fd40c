package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is a role that one process holds at a time.
type Role string

// Single-writer roles.
const (
	RoleSequencer  Role = "sequencer"
	RoleSubmitter  Role = "submitter"
	RoleAggregator Role = "aggregator"
)

// Epoch numbers the holders of a role. Every write of a role carries the epoch
// under which it was acquired and fails with ErrFenced once a newer one exists.
type Epoch int64

// Writer is a held single-writer role: a session advisory lock on a connection of
// its own, and an epoch. The lock keeps a second process from starting; the epoch
// fences a first one that was cut off and does not know it yet.
type Writer struct {
	role    Role
	epoch   Epoch
	conn    *pgx.Conn
	stop    context.CancelFunc
	lost    chan struct{} // closed when the connection is gone
	watched chan struct{} // closed when nobody reads from conn any more
	once    sync.Once
}

// Role returns the role held.
func (w *Writer) Role() Role { return w.role }

// Epoch returns the epoch to pass to each write.
func (w *Writer) Epoch() Epoch { return w.epoch }

// Lost is closed when the connection that holds the lock is gone. Another process
// may then take the role; the holder should stop and acquire it anew.
func (w *Writer) Lost() <-chan struct{} { return w.lost }

// AcquireWriter takes role for holder (host and process, for people) or fails with
// ErrWriterHeld, naming the holder. It bumps the role's epoch, which fences every
// earlier holder. The lock is per schema.
func (s *Store) AcquireWriter(ctx context.Context, role Role, holder string) (_ *Writer, err error) {
	conn, err := s.connect(ctx, string(role))
	if err != nil {
		return nil, fmt.Errorf("connect to take the %s role: %w", role, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeConn(ctx, conn))
		}
	}()
	var held bool
	if err := conn.QueryRow(ctx, writerLockSQL, role).Scan(&held); err != nil {
		return nil, fmt.Errorf("lock the %s role: %w", role, err)
	}
	if !held {
		return nil, s.heldBy(ctx, role)
	}
	w := &Writer{role: role, conn: conn, lost: make(chan struct{}), watched: make(chan struct{})}
	if err := conn.QueryRow(ctx, writerBumpSQL, role, holder).Scan(&w.epoch); err != nil {
		return nil, fmt.Errorf("take the %s role: %w", role, err)
	}
	var watch context.Context
	watch, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	go w.watch(watch)
	return w, nil
}

func (s *Store) heldBy(ctx context.Context, role Role) error {
	var holder string
	var since time.Time
	err := s.pool.QueryRow(ctx, writerHolderSQL, role).Scan(&holder, &since)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w: the %s is being started elsewhere", ErrWriterHeld, role)
	} else if err != nil {
		return fmt.Errorf("%w. The holder of the role %s cannot be read: %w", ErrWriterHeld, role, err)
	}
	return fmt.Errorf("%w: the %s runs as %s since %s: stop that one first", ErrWriterHeld, role, holder, since.Format(time.RFC3339))
}

// watch reads from the idle connection, which fails at once when the server closes it
// and after TCP keep-alives when the path to it breaks.
func (w *Writer) watch(ctx context.Context) {
	defer close(w.watched)
	for {
		if _, err := w.conn.WaitForNotification(ctx); err != nil {
			close(w.lost)
			return
		}
	}
}

// Release gives the role back. Lost is closed too. Repeating it changes nothing.
func (w *Writer) Release(ctx context.Context) (err error) {
	w.once.Do(func() {
		w.stop()
		<-w.watched
		w.unlock(ctx)
		err = closeConn(ctx, w.conn)
	})
	return err
}

// unlock frees the lock before the connection is closed: a server notices that a
// moment later, in which the next holder would be refused.
func (w *Writer) unlock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	// A connection that fails here is lost, and the lock with it.
	_, _ = w.conn.Exec(ctx, writerUnlockSQL)
}

// fence locks the role's row against a new holder until tx ends.
func fence(ctx context.Context, tx pgx.Tx, role Role, epoch Epoch) error {
	var current Epoch
	err := tx.QueryRow(ctx, writerFenceSQL, role).Scan(&current)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("epoch of the %s: %w", role, err)
	}
	if current != epoch {
		return fmt.Errorf("%w: the %s is in epoch %d, this write in %d", ErrFenced, role, current, epoch)
	}
	return nil
}

// asWriter runs f in a transaction that only the holder of the role can commit.
func (s *Store) asWriter(ctx context.Context, role Role, epoch Epoch, f func(pgx.Tx) error) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if err := fence(ctx, tx, role, epoch); err != nil {
			return err
		}
		return f(tx)
	})
}

// connect opens a connection outside of the pool.
func (s *Store) connect(ctx context.Context, purpose string) (*pgx.Conn, error) {
	cfg := s.pool.Config().ConnConfig.Copy()
	cfg.RuntimeParams["application_name"] = "settle " + purpose
	return pgx.ConnectConfig(ctx, cfg)
}

// closeConn closes conn even if ctx has ended: a lock must not outlive its holder.
func closeConn(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return conn.Close(ctx)
}
