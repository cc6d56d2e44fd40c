package store

import (
	"time"

	"github.com/zksettle/settle"
)

// SettlementStatus is the state of one L1 transaction that settles a batch.
type SettlementStatus string

// Statuses of a settlement (docs/state-machines.md). At most one of a batch is
// prepared, sent, mined or final.
const (
	SettlementPrepared SettlementStatus = "prepared" // stored, perhaps sent
	SettlementSent     SettlementStatus = "sent"     // a node has taken it
	SettlementMined    SettlementStatus = "mined"    // its receipt says success
	SettlementFinal    SettlementStatus = "final"    // its block is finalized
	SettlementReplaced SettlementStatus = "replaced" // another with the same nonce took its place
	SettlementFailed   SettlementStatus = "failed"   // reverted, refused or dropped
	SettlementReorged  SettlementStatus = "reorged"  // its block left the chain
)

// NewSettlement is a signed L1 transaction, stored before it is sent.
type NewSettlement struct {
	Batch    settle.BatchNumber
	RawTx    []byte      // signed, in wire form
	TxHash   settle.Hash // of RawTx
	Sender   settle.Address
	Nonce    uint64
	GasLimit uint64
	MaxFee   settle.Amount // wei per gas
	MaxTip   settle.Amount // wei per gas
}

// Settlement is a stored settlement.
type Settlement struct {
	NewSettlement
	ID         int64
	Attempt    int // from 1, per batch
	Status     SettlementStatus
	PreparedAt time.Time
	SentAt     *time.Time
	Receipt    *Receipt // set from mined on
	Failure    string   // of failed and reorged ones
}

// Receipt is what a successful settlement's receipt says.
type Receipt struct {
	BlockNumber       uint64
	BlockHash         settle.Hash
	GasUsed           uint64
	EffectiveGasPrice settle.Amount // wei per gas
}

// SettlementWork is the next batch to settle with all that its calldata needs.
type SettlementWork struct {
	Batch    Batch
	Words    []settle.Element // D
	Proof    settle.ProofEnvelope
	Live     *Settlement // prepared or sent already: send this again, or replace it
	Attempts int         // settlements made so far, whatever became of them
}
