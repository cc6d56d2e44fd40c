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

// ProofOutcome says what StoreProof did.
type ProofOutcome struct {
	Stored bool // false: a proof for the key was there already and stays
	Late   bool // the lease was no longer current; who holds the job now was left alone
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

// lostDetail is what is recorded of a worker that fell silent: killed, out of memory or paused.
const lostDetail = "lease expired: the worker is gone"

// Lost reports whether the failure is that of a worker that fell silent.
func (f ProofFailure) Lost() bool { return f.Class == FailInfrastructure && f.Detail == lostDetail }
