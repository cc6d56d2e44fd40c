package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is a role that one process holds at a time.
type Role string

// Single-writer roles.
const (
	RoleSequencer Role = "sequencer"
	RoleSubmitter Role = "submitter"
)

// Epoch numbers the holders of a role. Every write of a role carries the epoch
// under which it was acquired and fails with ErrFenced once a newer one exists.
type Epoch int64

// Writer is a held single-writer role: a session advisory lock on a connection of
// its own, and an epoch.
type Writer struct {
	role   Role
	epoch  Epoch
	conn   *pgx.Conn
	cancel context.CancelFunc
	lost   chan struct{}
	done   chan struct{}
	once   sync.Once
	every  time.Duration
}

// Role returns the role held.
func (w *Writer) Role() Role { return w.role }

// Epoch returns the epoch to pass to each write.
func (w *Writer) Epoch() Epoch { return w.epoch }

// Lost is closed when the connection that holds the lock is gone. Another process
// may then take the role; the holder should stop and acquire it anew.
func (w *Writer) Lost() <-chan struct{} { return w.lost }
