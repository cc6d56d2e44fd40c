package store

import (
	"time"

	"github.com/zksettle/settle"
)

// SettlementStatus is the state of one L1 transaction that settles a batch, or
// several of them.
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
	Batch    settle.BatchNumber // the first
	Last     settle.BatchNumber // the last; 0: Batch
	RawTx    []byte             // signed, in wire form
	TxHash   settle.Hash        // of RawTx
	Sender   settle.Address
	Nonce    uint64
	GasLimit uint64
	MaxFee   settle.Amount // wei per gas
	MaxTip   settle.Amount // wei per gas
}

// batches are the numbers from Batch to Last.
func (n NewSettlement) batches() []settle.BatchNumber {
	out := make([]settle.BatchNumber, 0, n.Last-n.Batch+1)
	for b := n.Batch; b <= n.Last; b++ {
		out = append(out, b)
	}
	return out
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

// Settled is a settlement with the words D of each of its batches, in order.
type Settled struct {
	Settlement
	Words [][]settle.Element
}

// Receipt is what a successful settlement's receipt says.
type Receipt struct {
	BlockNumber       uint64
	BlockHash         settle.Hash
	GasUsed           uint64
	EffectiveGasPrice settle.Amount // wei per gas
}

// SettlementWork is the next batch to settle with all that its calldata needs. Parts
// are those of a group: the batch itself and the ones after it that the same proof
// settles; none for a batch that settles by its own proof.
type SettlementWork struct {
	Batch    Batch
	Words    []settle.Element // D
	Proof    settle.ProofEnvelope
	Parts    []SettlementPart
	Live     *Settlement // prepared or sent already: send this again, or replace it
	Attempts int         // settlements made so far, whatever became of them
}

// Last is the number of the last batch that the work settles.
func (w SettlementWork) Last() settle.BatchNumber {
	switch {
	case w.Live != nil:
		return w.Live.Last
	case len(w.Parts) > 0:
		return w.Parts[len(w.Parts)-1].Number
	}
	return w.Batch.Number
}
