package store

import (
	"time"

	"github.com/zksettle/settle"
)

// GroupStatus is the state of a group (docs/state-machines.md).
type GroupStatus string

// Statuses of a group. A batch belongs to one group at most, for ever.
const (
	GroupPlanned GroupStatus = "planned" // its proof is to be made
	GroupProven  GroupStatus = "proven"  // one proof settles all its batches
	GroupDirect  GroupStatus = "direct"  // each of its batches settles by its own proof
)

// MaxGroup bounds the batches of a group, and those that one transaction settles.
const MaxGroup = 64

// NewGroup is a group to be folded: two batches or more.
type NewGroup struct {
	First, Last settle.BatchNumber
	Shape       string         // of the aggregate circuit
	KeyHash     settle.KeyHash // of the aggregate circuit
	Reason      string         // why now
}

// Group is a stored group. Shape and KeyHash are empty for a single batch.
type Group struct {
	NewGroup
	Status     GroupStatus
	PlannedAt  time.Time
	ProvenAt   *time.Time
	DeadLetter bool // planned, and nobody tries to fold it any more
}

// ProofKey names the group's proof.
func (g Group) ProofKey() ProofKey {
	return ProofKey{Batch: g.First, Circuit: settle.CircuitAggregate, KeyHash: g.KeyHash}
}

// GroupInput is a group with the proofs that it folds, by batch.
type GroupInput struct {
	Group
	Proofs []settle.ProofEnvelope
	// Inputs are what the data of each batch give. A proof with others is worth nothing.
	Inputs [][3]settle.Element
}

// QueuedBatch is an unsettled batch as the planner of groups sees it.
type QueuedBatch struct {
	Number     settle.BatchNumber
	Status     settle.BatchStatus // sealed, proven or settling
	KeyHash    settle.KeyHash
	ProvenAt   *time.Time
	Exits      int  // exits and L1 operations
	Words      int  // of D
	DeadLetter bool // sealed, and nobody tries to prove it any more
}

// GroupQueue is what the planner of groups decides about.
type GroupQueue struct {
	Now     time.Time     // the database's
	Batches []QueuedBatch // by number, up to the first unproven one
	Groups  []Group       // that hold any unsettled batch, by number
}

// SettlementPart is one of several batches that a group's proof settles.
type SettlementPart struct {
	Number     settle.BatchNumber
	NewRoot    settle.Element
	Commitment settle.Element // c
	Words      []settle.Element
}
