package store

import (
	"time"

	"github.com/zksettle/settle"
)

// Job is a proof job as the queue holds it, with what is known of its batch.
type Job struct {
	ID          int64
	Batch       settle.BatchNumber // the first
	Last        settle.BatchNumber // Batch, or the last of a group
	Circuit     string
	Shape       string
	KeyHash     settle.KeyHash
	State       string // River's: available, pending, scheduled, retryable, running, completed, cancelled, discarded
	Attempt     int    // times begun
	CreatedAt   time.Time
	ScheduledAt time.Time  // not to be begun before
	AttemptedAt *time.Time // begun last
	FinalizedAt *time.Time // completed, cancelled or discarded

	BatchStatus settle.BatchStatus
	Proven      bool // the job's proof is stored, or nobody needs it any more
	// Holder and HeartbeatAt are of the lease while somebody has it.
	Holder      *string
	HeartbeatAt *time.Time
	// MemoryAbove is the memory of the worker on which it ran out, for workers with
	// more until MemoryUntil.
	MemoryAbove *int64
	MemoryUntil *time.Time

	Failures  int // of all attempts
	LastClass *FailureClass
	LastError *string
	LastAt    *time.Time
}

// DeadLetter reports whether nobody will try the job again by itself although its
// proof is missing.
func (j Job) DeadLetter() bool {
	return !j.Proven && (j.State == "discarded" || j.State == "cancelled")
}

// JobFilter selects jobs; zero fields select all.
type JobFilter struct {
	Job         int64
	Batch       settle.BatchNumber
	DeadLetters bool
	States      []string
	Limit       int // 0: no bound
}

// Blockage is the first unproven batch when nobody will try to prove it: settlement,
// which goes in order, waits for a person.
type Blockage struct {
	Batch  settle.BatchNumber
	Job    *int64 // nil: there is no job at all
	State  *string
	Behind int64 // batches after it that are proven and wait
	Class  *FailureClass
	Detail *string
}

// Overtaking measures head-of-line delay: how long a batch that was put back in the
// queue waited, and behind how many others. Times are the database's.
type Overtaking struct {
	Batch   settle.BatchNumber
	PutBack time.Time // after its last failure
	Begun   time.Time // again
	By      int       // proofs of later batches that were begun in between
}
