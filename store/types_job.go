package store

import (
	"time"

	"github.com/zksettle/settle"
)

// JobStatus is the state of a job (docs/state-machines.md).
type JobStatus string

// Statuses of a job.
const (
	JobAvailable JobStatus = "available" // waits for a worker, or for its time
	JobRunning   JobStatus = "running"   // a worker holds its lease
	JobCompleted JobStatus = "completed" // its proof is stored
	JobCancelled JobStatus = "cancelled" // nobody needs its proof any more
	JobDiscarded JobStatus = "discarded" // failed too often, or discarded by hand: a dead letter
)

// ProofJob is a proof to make: of one batch, or one that folds those of a group.
type ProofJob struct {
	ID       int64
	ProofKey                    // its batch is the first of a group
	Last     settle.BatchNumber // Batch, or the last of a group
	Shape    string
}

// ProofKind names proofs that are made with the same keys.
type ProofKind struct {
	Circuit string
	Shape   string
	KeyHash settle.KeyHash
}

// Claim asks for a job.
type Claim struct {
	Holder string        // host and process, for people
	TTL    time.Duration // of the lease, until the next heartbeat is due
	Kinds  []ProofKind   // that the worker can make
	Memory uint64        // bytes that it may take; jobs for which so much was too small are left alone. 0: unknown
}

// Lease is a claimed job: the right to make its proof, fenced by its epoch, which only
// grows. Times are the database's.
type Lease struct {
	ProofJob
	Epoch       int64
	Attempt     int // times begun, from 1
	Holder      string
	DueAt       time.Time
	BegunAt     time.Time
	HeartbeatAt time.Time
	ExpiresAt   time.Time
}

// Requeue says what becomes of a job after a failure.
type Requeue struct {
	Delay time.Duration // before the next try
	Dead  bool          // nobody tries it any more
	// MemoryAbove, unless 0, keeps the job for workers with more memory, for this long.
	MemoryAbove uint64
	MemoryFor   time.Duration
}

// Job is a job as an operator sees it, with what is known of its batch.
type Job struct {
	ProofJob
	Status     JobStatus
	Attempt    int // times begun
	CreatedAt  time.Time
	DueAt      time.Time  // not to be begun before
	BegunAt    *time.Time // last
	FinishedAt *time.Time // completed, cancelled or discarded

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
	return !j.Proven && (j.Status == JobDiscarded || j.Status == JobCancelled)
}

// JobFilter selects jobs; zero fields select all.
type JobFilter struct {
	Job         int64
	Batch       settle.BatchNumber
	DeadLetters bool
	Statuses    []string
	Limit       int // 0: no bound
}

// Blockage is the first unproven batch when nobody will try to prove it: settlement,
// which goes in order, waits for a person.
type Blockage struct {
	Batch  settle.BatchNumber
	Job    *int64 // nil: there is no job at all
	Status *JobStatus
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
