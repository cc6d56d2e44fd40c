package store

import (
	"time"

	"github.com/zksettle/settle"
)

// ProofKey names one proof to make: of a batch, in a circuit, under a key.
type ProofKey struct {
	Batch   settle.BatchNumber
	Circuit string
	KeyHash settle.KeyHash
}

// LeaseRequest asks for the exclusive right to make a proof.
type LeaseRequest struct {
	ProofKey
	Holder     string        // host and process, for people
	JobID      int64         // of River's job
	JobAttempt int           // of River's job, from 1
	TTL        time.Duration // until the next heartbeat is due
}

// Lease is the right to make a proof, fenced by its epoch: each take-over has a
// higher one. Times are the database's.
type Lease struct {
	ProofKey
	Epoch       int64
	Holder      string
	JobID       int64
	JobAttempt  int
	AcquiredAt  time.Time
	HeartbeatAt time.Time
	ExpiresAt   time.Time
}

// ProofStats is what making a proof cost.
type ProofStats struct {
	Assign     time.Duration
	Solve      time.Duration
	Prove      time.Duration // the whole of groth16.Prove, solving included
	PeakMemory uint64        // bytes, of the proving process
}

// ProofRecord describes a stored proof.
type ProofRecord struct {
	settle.ProofEnvelope
	Stats    ProofStats
	Worker   string
	Attempt  int
	Epoch    int64
	Late     bool // stored by a worker whose lease had moved on
	StoredAt time.Time
}

// RefusedProof is a proof that was set aside: it was stored and turned out to be worth
// nothing. It is kept for a person to look at.
type RefusedProof struct {
	ID int64
	ProofKey
	Shape     string
	Proof     []byte
	Inputs    [3]settle.Element
	Epoch     int64
	Worker    string // that stored it, by its row
	Attempt   int
	StoredAt  time.Time
	Reason    string
	RefusedBy string // role or worker that found out
	RefusedAt time.Time
}

// AwaitedProof is a batch that is to be proven again, as its proof was set aside.
type AwaitedProof struct {
	ProofKey
	Shape    string
	Job      *int64         // River's completed job of it; nil: it is gone
	Failures []ProofFailure // of the batch, oldest first; each proof that was set aside is one
}

// Requeue says what becomes of the job of a dead worker.
type Requeue struct {
	Delay time.Duration // before the next try
	Dead  bool          // nobody tries it any more
}

// ProofOutcome says what StoreProof did.
type ProofOutcome struct {
	Stored bool // false: a proof for the key was there already and stays
	Late   bool // the lease's epoch was no longer current; the River job was left alone
}

// FailureClass says whose fault a failed attempt is.
type FailureClass string

// Classes of failure.
const (
	FailWitness        FailureClass = "witness"        // the input does not satisfy the circuit
	FailResource       FailureClass = "resource"       // memory, disk or time ran out
	FailInfrastructure FailureClass = "infrastructure" // database, key store, killed process
	FailBug            FailureClass = "bug"            // panic, or a proof that does not verify
)

// ProofFailure is one failed attempt.
type ProofFailure struct {
	ProofKey
	Epoch    int64
	Attempt  int
	Class    FailureClass
	Detail   string
	Worker   string
	FailedAt time.Time // set by the database
}
