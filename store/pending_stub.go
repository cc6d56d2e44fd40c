package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/zksettle/settle"
)

var errBody = errors.New("body follows in the next commit")

// AcquireWriter takes role for holder (host and process, for people) or fails with
// ErrWriterHeld, naming the holder. It bumps the role's epoch, which fences every
// earlier holder. The lock is per schema.
func (s *Store) AcquireWriter(ctx context.Context, role Role, holder string) (*Writer, error) {
	return nil, errBody
}

// Release gives the role back.
func (w *Writer) Release(ctx context.Context) error { return errBody }

// Topic is what a notification is about.
type Topic string

// Topics of notifications.
const (
	TopicTransactions Topic = "transactions" // newly accepted ones
	TopicBatches      Topic = "batches"      // a batch changed its status
)

// Listener waits for notifications of this schema.
type Listener struct{}

// Listen opens a connection of its own that hears of topics.
func (s *Store) Listen(ctx context.Context, topics ...Topic) (*Listener, error) { return nil, errBody }

// Next waits for a notification. Notifications are hints and can be lost: poll as well.
func (l *Listener) Next(ctx context.Context) (Topic, error) { return "", errBody }

// Close closes the listener's connection.
func (l *Listener) Close(ctx context.Context) error { return errBody }

// IsUnavailable reports whether err says that Postgres could not be reached or
// broke off (refused, reset, shut down, starting up, out of connections, timed
// out): the same call may succeed later.
func IsUnavailable(err error) bool { return false }

// InitGenesis writes the rollup's identity, genesis accounts (with their entries
// of batch 0 in the history) and fee accounts in one transaction. The same genesis
// again changes nothing and returns false; another one is ErrGenesisMismatch.
func (s *Store) InitGenesis(ctx context.Context, g Genesis) (created bool, err error) {
	return false, errBody
}

// Rollup returns the rollup's identity, or ErrNotFound before genesis.
func (s *Store) Rollup(ctx context.Context) (Rollup, error) { return Rollup{}, errBody }

// FeeAccounts lists fee accounts by token.
func (s *Store) FeeAccounts(ctx context.Context) ([]FeeAccount, error) { return nil, errBody }

// SetMinFee changes the smallest fee taken for token; ErrNotFound if it has no fee account.
func (s *Store) SetMinFee(ctx context.Context, token settle.TokenID, fee settle.Amount) error {
	return errBody
}

// Account returns the account with its executed state, or ErrNotFound.
func (s *Store) Account(ctx context.Context, i settle.AccountIndex) (Account, error) {
	return Account{}, errBody
}

// Accounts returns those of the accounts that exist. Owner, token and L1 of an
// account never change, so a caller may keep them.
func (s *Store) Accounts(ctx context.Context, is []settle.AccountIndex) (map[settle.AccountIndex]Account, error) {
	return nil, errBody
}

// AccountsByOwner lists the accounts of the payment address (owner, l1) by index,
// beginning after index after (-1: from the start), at most limit.
func (s *Store) AccountsByOwner(ctx context.Context, owner settle.Element, l1 settle.Address, after int64, limit int) ([]Account, error) {
	return nil, errBody
}

// AccountHistory lists the changes of an account, newest first, of batches below
// before (0: no bound), at most limit.
func (s *Store) AccountHistory(ctx context.Context, i settle.AccountIndex, before settle.BatchNumber, limit int) ([]AccountHistory, error) {
	return nil, errBody
}

// EachAccount calls f for every account by index, streaming, and stops at its error.
func (s *Store) EachAccount(ctx context.Context, f func(Account) error) error { return errBody }

// Admit decides on verified submissions in order, in one transaction that locks
// their senders, and stores the good ones as accepted. It returns one Admission
// per item; the error is for failures of ours, and then nothing was stored.
//
// It refuses with unknown_account, wrong_token, stale_nonce, nonce_too_far,
// nonce_conflict and insufficient_balance (executed balance less accepted pending
// debits). The same id again returns the stored status; a rejected one is accepted
// anew.
func (s *Store) Admit(ctx context.Context, items []Submission) ([]Admission, error) {
	return nil, errBody
}

// Backlog counts the work that back-pressure is decided on. It is cheap: both
// counts come from partial indexes that hold only unfinished work.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) { return Backlog{}, errBody }

// Transaction returns a transaction with its batch and settlement, or ErrNotFound.
func (s *Store) Transaction(ctx context.Context, id settle.Hash) (TransactionDetail, error) {
	return TransactionDetail{}, errBody
}

// BatchTransactions lists the transactions of a batch by position.
func (s *Store) BatchTransactions(ctx context.Context, n settle.BatchNumber) ([]Transaction, error) {
	return nil, errBody
}

// AcceptedTransactions lists accepted transactions by sequence, beginning after
// sequence after (0: from the start), at most limit. Sequences are drawn before
// commit, so a later commit can carry a lower one than was already seen: a cursor
// serves to page within one pass, and each pass begins at 0.
func (s *Store) AcceptedTransactions(ctx context.Context, after int64, limit int) ([]Transaction, error) {
	return nil, errBody
}

// SealBatch writes a batch with its words, witness input, account changes and new
// account states, sets its transactions executed, and calls insertJob (River's
// InsertTx), all in one transaction under the sequencer's epoch. The batch must
// follow the last one in number and root.
func (s *Store) SealBatch(ctx context.Context, epoch Epoch, b SealedBatch, insertJob func(context.Context, pgx.Tx) error) error {
	return errBody
}

// RejectTransactions sets accepted transactions rejected, under the sequencer's
// epoch; all or none. ErrIllegalTransition if one of them is not accepted.
func (s *Store) RejectTransactions(ctx context.Context, epoch Epoch, rs []Rejection) error {
	return errBody
}

// Batch returns a batch with proofs and settlement, or ErrNotFound.
func (s *Store) Batch(ctx context.Context, n settle.BatchNumber) (BatchDetail, error) {
	return BatchDetail{}, errBody
}

// Batches lists batches, newest first, below before (0: no bound), at most limit.
func (s *Store) Batches(ctx context.Context, before settle.BatchNumber, limit int) ([]Batch, error) {
	return nil, errBody
}

// LastBatch returns the last sealed batch, or ErrNotFound when there is only genesis.
func (s *Store) LastBatch(ctx context.Context) (Batch, error) { return Batch{}, errBody }

// BatchWords returns D of a batch.
func (s *Store) BatchWords(ctx context.Context, n settle.BatchNumber) ([]settle.Element, error) {
	return nil, errBody
}

// WitnessInput returns the witness input of a batch after checking its hash:
// ErrCorrupt if it does not match, ErrNotFound if there is none.
func (s *Store) WitnessInput(ctx context.Context, n settle.BatchNumber) (WitnessInput, error) {
	return WitnessInput{}, errBody
}

// Status returns the summary.
func (s *Store) Status(ctx context.Context) (Status, error) { return Status{}, errBody }

// AcquireLease takes the lease under a new epoch. ErrLeaseHeld while another one
// lives, ErrProofExists when there is nothing left to do.
func (s *Store) AcquireLease(ctx context.Context, r LeaseRequest) (Lease, error) {
	return Lease{}, errBody
}

// Heartbeat extends the lease by ttl from now. ErrLeaseLost when its epoch has
// moved on, it was released, or it has expired; ErrProofExists when somebody else's
// late proof came in: stop proving.
func (s *Store) Heartbeat(ctx context.Context, l Lease, ttl time.Duration) (Lease, error) {
	return Lease{}, errBody
}

// ReleaseLease gives the lease back; nothing happens if it has moved on.
func (s *Store) ReleaseLease(ctx context.Context, l Lease) error { return errBody }

// ExpiredLeases lists unreleased leases without a proof whose heartbeat is overdue.
func (s *Store) ExpiredLeases(ctx context.Context) ([]Lease, error) { return nil, errBody }

// ReapLease ends an expired lease under a new epoch and puts its River job back in
// the queue at once, if the job is still in the lease's attempt. It returns false
// when there was nothing to do: the lease has moved on or come back to life.
func (s *Store) ReapLease(ctx context.Context, l Lease) (requeued bool, err error) {
	return false, errBody
}

// StoreProof stores a proof that the caller has verified. Under the lease's current
// epoch it releases the lease and calls complete (river.JobCompleteTx) in the same
// transaction; a late proof is kept too, once per key, without completing a job
// that is not ours any more. A sealed batch becomes proven if the key is its own.
// ErrProofMismatch if shape, key or commitment c are not the batch's.
func (s *Store) StoreProof(ctx context.Context, l Lease, p settle.ProofEnvelope, st ProofStats, complete func(context.Context, pgx.Tx) error) (ProofOutcome, error) {
	return ProofOutcome{}, errBody
}

// Proof returns a stored proof, or ErrNotFound.
func (s *Store) Proof(ctx context.Context, k ProofKey) (ProofRecord, error) {
	return ProofRecord{}, errBody
}

// RecordFailure stores a failed attempt and releases the lease if it is still ours.
func (s *Store) RecordFailure(ctx context.Context, l Lease, class FailureClass, detail string) error {
	return errBody
}

// ProofFailures lists the failed attempts of a batch, oldest first.
func (s *Store) ProofFailures(ctx context.Context, n settle.BatchNumber) ([]ProofFailure, error) {
	return nil, errBody
}

// NextToSettle returns the first batch that is not settled if it is proven or
// settling; ErrNotFound when there is none or its proof is still being made.
func (s *Store) NextToSettle(ctx context.Context) (SettlementWork, error) {
	return SettlementWork{}, errBody
}

// PrepareSettlement stores a signed L1 transaction before it is sent and sets its
// batch settling. A live settlement of the batch becomes replaced, which needs the
// same sender and nonce; else ErrIllegalTransition.
func (s *Store) PrepareSettlement(ctx context.Context, epoch Epoch, n NewSettlement) (Settlement, error) {
	return Settlement{}, errBody
}

// MarkSent records that a node has taken the transaction. Repeating it changes nothing.
func (s *Store) MarkSent(ctx context.Context, epoch Epoch, txHash settle.Hash) error { return errBody }

// RecordMined records a successful receipt: the settlement becomes mined, its batch
// and transactions settled. The chain has the last word: replaced, failed and
// reorged settlements may be mined too, and a live one is then replaced. The same
// receipt again changes nothing.
func (s *Store) RecordMined(ctx context.Context, epoch Epoch, txHash settle.Hash, r Receipt) error {
	return errBody
}

// FailSettlement records that a prepared or sent transaction was reverted, refused
// or dropped; its batch returns to proven.
func (s *Store) FailSettlement(ctx context.Context, epoch Epoch, txHash settle.Hash, reason string) error {
	return errBody
}

// RevertSettlements undoes, after a reorg, the settlement of batch from and of every
// later one: settled and settling batches return to proven, settled transactions too.
// It returns the numbers of the batches. Final ones are never touched: ErrIllegalTransition.
func (s *Store) RevertSettlements(ctx context.Context, epoch Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error) {
	return nil, errBody
}

// FinalizeSettlements makes final every settled batch up to and including upTo.
// It returns their numbers.
func (s *Store) FinalizeSettlements(ctx context.Context, epoch Epoch, upTo settle.BatchNumber) ([]settle.BatchNumber, error) {
	return nil, errBody
}

// PendingSettlements lists prepared and sent settlements by batch: what a restarted
// submitter sends again and asks receipts for.
func (s *Store) PendingSettlements(ctx context.Context) ([]Settlement, error) { return nil, errBody }

// MinedSettlements lists settlements that are mined and not final, by batch: whose
// block hashes the watcher compares with the chain.
func (s *Store) MinedSettlements(ctx context.Context) ([]Settlement, error) { return nil, errBody }

// SettlementByHash returns a settlement by the hash of its transaction, or ErrNotFound.
func (s *Store) SettlementByHash(ctx context.Context, txHash settle.Hash) (Settlement, error) {
	return Settlement{}, errBody
}
