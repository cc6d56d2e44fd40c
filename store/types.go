package store

import (
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
)

// Rollup is the identity of the rollup that a database belongs to: one row,
// written once with genesis.
type Rollup struct {
	Domain      settle.Element // chain id·2^160 + address
	ChainID     uint64         // below 2^63
	Address     settle.Address // of the Rollup contract
	DeployBlock uint64         // L1 block of the deployment: where log scans begin
	GenesisRoot settle.Element
	GenesisHash settle.Hash // SHA-256 of the genesis file
	UnsafeDev   bool        // keys come from a development setup
	Verifiers   []Verifier
}

// Verifier is a verifier contract in the rollup's registry.
type Verifier struct {
	Circuit string // settle.CircuitTransition, …
	Shape   string
	KeyHash settle.KeyHash
	Address settle.Address
}

// Account is one leaf of the state tree with its digest.
type Account struct {
	Index   settle.AccountIndex
	Owner   settle.Element // x-coordinate of the owner's key; zero iff the slot is empty
	Token   settle.TokenID
	Nonce   settle.Nonce
	Balance settle.Amount
	L1      settle.Address // where exits go
	Leaf    settle.Element // digest of the leaf, so that a restart hashes inner nodes only
}

// AccountChange is what one batch did to one account. Before and After carry the
// same index; Before is an empty leaf for an account that the batch opened.
type AccountChange struct {
	Before, After Account
}

// AccountHistory is one entry of an account's history. Batch 0 is genesis.
type AccountHistory struct {
	Batch settle.BatchNumber
	AccountChange
}

// FeeAccount names the account that receives the fees of a token, and the
// smallest fee that the operator takes (configuration: not part of the state).
type FeeAccount struct {
	Token  settle.TokenID
	Index  settle.AccountIndex
	MinFee settle.Amount
}

// Genesis is everything that a new database starts with.
type Genesis struct {
	Rollup      Rollup
	Accounts    []Account // indices from 0 without gaps
	FeeAccounts []FeeAccount
}

// Placement says where in the sequence of batches a transaction was executed.
type Placement struct {
	Batch    settle.BatchNumber
	Position int // from 0
}

// Transaction is a stored transaction.
type Transaction struct {
	admission.Checked
	Damage        error // not nil: the row holds what admission lets in nowhere; the fields that cannot be read are 0
	Sequence      int64 // order of admission; a transaction submitted again gets a new one
	ReceivedAt    time.Time
	Status        settle.TxStatus
	Placement     *Placement           // nil while accepted or rejected
	AssignedIndex *settle.AccountIndex // the opened account, for settle.KindOpen once executed
	Rejection     *settle.Refusal      // nil unless rejected
}

// TransactionDetail is a transaction with its batch and its settlement on L1.
type TransactionDetail struct {
	Transaction
	BatchStatus settle.BatchStatus // "" while not in a batch
	Settlement  *Settlement        // nil until one is prepared; the live one, else the last
}

// Backlog is the work that back-pressure is decided on.
type Backlog struct {
	Accepted int64 // transactions accepted and not yet executed
	Unproven int64 // batches sealed and not yet proven
}

// ExecutedTransaction is a transaction in a batch being sealed; its place in the
// slice is its position.
type ExecutedTransaction struct {
	ID            settle.Hash
	AssignedIndex *settle.AccountIndex // for settle.KindOpen
}

// WitnessInput is what a worker needs to prove a batch, as the caller's codec wrote it.
type WitnessInput struct {
	Version int         // of the codec, from 1
	Hash    settle.Hash // SHA-256 of Data
	Data    []byte      // compressed
}

// SealedBatch is a batch about to be written.
type SealedBatch struct {
	Number       settle.BatchNumber
	Shape        string
	KeyHash      settle.KeyHash
	OldRoot      settle.Element
	NewRoot      settle.Element
	Commitment   settle.Element   // c
	Words        []settle.Element // D
	Usage        settle.Usage
	Transactions []ExecutedTransaction // 1 or more, in order
	Changes      []AccountChange       // each touched account once
	Witness      WitnessInput
}

// Rejection says why the sequencer rejects an accepted transaction.
type Rejection struct {
	ID     settle.Hash
	Code   settle.Code
	Detail string
}

// Batch is a stored batch. Its words and witness input are read by their own methods.
type Batch struct {
	Number       settle.BatchNumber
	Status       settle.BatchStatus
	Shape        string
	KeyHash      settle.KeyHash
	OldRoot      settle.Element
	NewRoot      settle.Element
	Commitment   settle.Element // c
	Usage        settle.Usage
	Transactions int
	SealedAt     time.Time
	ProvenAt     *time.Time
	SettledAt    *time.Time
	FinalAt      *time.Time
}

// BatchDetail is a batch with its proofs and settlement.
type BatchDetail struct {
	Batch
	Proofs     []ProofRecord
	Settlement *Settlement // the live one, else the last
	Failures   int         // failed attempts to prove it
}

// Status is the summary that the status endpoint and metrics show.
type Status struct {
	Transactions      TxCounts
	Batches           BatchCounts
	Jobs              JobCounts
	OldestUnprovenAge time.Duration      // by the database's clock; 0 when all are proven
	LastBatch         settle.BatchNumber // executed; 0 is genesis
	LastRoot          settle.Element
	SettledBatch      settle.BatchNumber // settled or final; 0 is genesis
	SettledRoot       settle.Element
	FinalBatch        settle.BatchNumber
}

// TxCounts counts transactions by status.
type TxCounts struct{ Accepted, Executed, Proven, Settled, Final, Rejected int64 }

// BatchCounts counts batches by status.
type BatchCounts struct{ Sealed, Proven, Settling, Settled, Final int64 }

// JobCounts counts unfinished proof jobs and dead letters.
type JobCounts struct {
	Waiting   int64 // available
	Running   int64
	Discarded int64 // dead letters
}
