// Package wire holds the JSON types of the REST interface, shared by the server
// (package api) and the client (package api/client). Numbers that can exceed 2^53
// are decimal strings; field elements, addresses and digests are 0x and lower-case
// hexadecimal digits. docs/errors.md lists the codes of problems.
package wire

import (
	"time"

	"github.com/zksettle/settle"
)

// Transaction is a signed L2 transaction as submitted.
type Transaction struct {
	Kind       string              `json:"kind" enum:"transfer,open,exit,exit-all" doc:"Kind of transaction; /v1/status lists under kinds what the rollup takes" example:"transfer"`
	From       settle.AccountIndex `json:"from" doc:"Index of the sender's account" example:"3"`
	To         settle.AccountIndex `json:"to" doc:"Index of the receiver's account; 0 for open, whose index is assigned when it is executed, and for exits" example:"7"`
	Token      settle.TokenID      `json:"token" doc:"Token that sender and receiver hold" example:"0"`
	Amount     settle.Amount       `json:"amount" doc:"Exact amount in smallest units; must equal a 35-bit number times a power of ten below 10^32; 0 for exit-all, which pays the whole balance less the fee" example:"1250000"`
	Fee        settle.Amount       `json:"fee" doc:"Exact fee in smallest units; must equal an 11-bit number times a power of ten below 10^32" example:"100"`
	Nonce      settle.Nonce        `json:"nonce" maximum:"1099511627774" doc:"The sender's nonce; next_nonce of the account" example:"12"`
	ValidUntil settle.BatchNumber  `json:"valid_until,omitempty" required:"false" doc:"Last batch that may contain the transaction; 0 or absent for no limit" example:"0"`
	ToOwner    settle.Element      `json:"to_owner" doc:"Owner of the receiver's account, signed and checked; of the new account for open, 0 for exits"`
	ToL1       settle.Address      `json:"to_l1" doc:"Ethereum address of the receiver's account, signed and checked; of the new account for open, of the sender's own for exits"`
	PublicKey  settle.Element      `json:"public_key" doc:"x-coordinate of the sender's key; the owner of account from"`
	Signature  Signature           `json:"signature" doc:"R.x then s, each 32 bytes big-endian"`
}

// Receipt acknowledges one transaction: it is stored durably.
type Receipt struct {
	ID       settle.Hash     `json:"id" doc:"Transaction id: hash of domain and signed content, without the signature"`
	Status   settle.TxStatus `json:"status" enum:"accepted,executed,proven,settled,final,rejected" doc:"Status of the stored transaction" example:"accepted"`
	Existing bool            `json:"existing" doc:"The same id was stored before; nothing was changed"`
	Warning  *Warning        `json:"warning,omitempty" required:"false" doc:"What the sender may not have meant; the transaction is stored all the same"`
}

// WarningAccountExists is the code of an open for a payment address that has an account
// of the token already.
const WarningAccountExists = "account_exists"

// Warning is about a transaction that was accepted.
type Warning struct {
	Code    string               `json:"code" enum:"account_exists" doc:"Stable code (docs/errors.md)" example:"account_exists"`
	Detail  string               `json:"detail" doc:"What it is, for people" example:"the payment address has account 3 of token 0 already; this opens another one"`
	Account *settle.AccountIndex `json:"account,omitempty" required:"false" doc:"Account that it is about" example:"3"`
}

// Results answers an array: one result per item, in the order of the request.
type Results struct {
	Accepted int      `json:"accepted" doc:"Items newly stored"`
	Existing int      `json:"existing" doc:"Items that were stored before"`
	Refused  int      `json:"refused" doc:"Items with a problem"`
	Results  []Result `json:"results" nullable:"false" doc:"One result per item, in order"`
}

// Result is a Receipt's fields or a Problem.
type Result struct {
	ID       *settle.Hash    `json:"id,omitempty" required:"false" doc:"Transaction id, when the item could be read"`
	Status   settle.TxStatus `json:"status,omitempty" required:"false" enum:"accepted,executed,proven,settled,final,rejected" doc:"Status of the stored transaction; absent when refused"`
	Existing bool            `json:"existing,omitempty" required:"false" doc:"The same id was stored before; nothing was changed"`
	Warning  *Warning        `json:"warning,omitempty" required:"false" doc:"What the sender may not have meant; the transaction is stored all the same"`
	Problem  *Problem        `json:"problem,omitempty" required:"false" doc:"Why the item was refused; nothing of it was stored"`
}

// Problem is an RFC 9457 problem: what was wrong and what was expected.
type Problem struct {
	Type   string      `json:"type" format:"uri" doc:"urn:settle:error: and the code" example:"urn:settle:error:stale_nonce"`
	Title  string      `json:"title" doc:"Meaning of the code" example:"The nonce is used already"`
	Status int         `json:"status" doc:"HTTP status" example:"409"`
	Detail string      `json:"detail" doc:"What was wrong and what was expected" example:"nonce 4 is used, account 3 is at nonce 12"`
	Code   settle.Code `json:"code" doc:"Stable code (docs/errors.md)" example:"stale_nonce"`
	Index  *int        `json:"index,omitempty" required:"false" doc:"Position in the array, for an item of an array"`
}

// TransactionState is a stored transaction with what became of it.
type TransactionState struct {
	Transaction
	ID            settle.Hash          `json:"id" doc:"Transaction id"`
	Status        settle.TxStatus      `json:"status" enum:"accepted,executed,proven,settled,final,rejected" doc:"Status"`
	ReceivedAt    time.Time            `json:"received_at" doc:"When it was stored"`
	Batch         *settle.BatchNumber  `json:"batch,omitempty" required:"false" doc:"Batch that contains it"`
	Position      *int                 `json:"position,omitempty" required:"false" doc:"Position in the batch, from 0"`
	BatchStatus   settle.BatchStatus   `json:"batch_status,omitempty" required:"false" enum:"sealed,proven,settling,settled,final" doc:"Status of that batch"`
	AssignedIndex *settle.AccountIndex `json:"assigned_index,omitempty" required:"false" doc:"Account that an open created, once executed"`
	Rejection     *Rejection           `json:"rejection,omitempty" required:"false" doc:"Why it was rejected"`
	Settlement    *Settlement          `json:"settlement,omitempty" required:"false" doc:"L1 transaction that settles its batch"`
}

// Transactions answers a look-up of several ids.
type Transactions struct {
	Transactions []TransactionState `json:"transactions" nullable:"false" doc:"Those that are stored, in the order asked for"`
	Unknown      []settle.Hash      `json:"unknown" nullable:"false" doc:"Ids of which nothing is stored; a refused transaction never is"`
}

// Rejection says why the sequencer rejected an accepted transaction.
type Rejection struct {
	Code   settle.Code `json:"code" doc:"Stable code (docs/errors.md)"`
	Detail string      `json:"detail" doc:"What was wrong and what was expected"`
}

// Account is the executed state of one account, and what is pending on it.
type Account struct {
	Index         settle.AccountIndex `json:"index" doc:"Position in the state tree" example:"3"`
	Owner         settle.Element      `json:"owner" doc:"x-coordinate of the owner's key"`
	L1            settle.Address      `json:"l1" doc:"Ethereum address that exits are paid to"`
	Token         settle.TokenID      `json:"token" doc:"Token held" example:"0"`
	Balance       settle.Amount       `json:"balance" doc:"Executed balance in smallest units" example:"5000000"`
	Nonce         settle.Nonce        `json:"nonce" doc:"Executed nonce" example:"11"`
	PendingDebits settle.Amount       `json:"pending_debits" doc:"Amounts and fees of accepted, unexecuted transactions; an exit-all counts with its fee, as its amount is not known before" example:"1250100"`
	Pending       int                 `json:"pending" doc:"Number of accepted, unexecuted transactions" example:"1"`
	Available     settle.Amount       `json:"available" doc:"Balance less pending debits; 0 while an exit-all is pending" example:"3749900"`
	NextNonce     settle.Nonce        `json:"next_nonce" doc:"First free nonce: to use in the next transaction" example:"12"`
	Batch         *settle.BatchNumber `json:"batch,omitempty" required:"false" doc:"Batch that left the account so, if one was asked for; pending fields are then 0"`
}

// AccountProof shows that an account stands in the state tree after a batch.
type AccountProof struct {
	Batch       settle.BatchNumber  `json:"batch" doc:"Batch; 0 is genesis" example:"1"`
	BatchStatus settle.BatchStatus  `json:"batch_status" enum:"sealed,proven,settling,settled,final" doc:"Status of the batch; only settled and final roots are on L1" example:"settled"`
	Root        settle.Element      `json:"root" doc:"State root after the batch"`
	Index       settle.AccountIndex `json:"index" doc:"Position in the state tree" example:"3"`
	Owner       settle.Element      `json:"owner" doc:"x-coordinate of the owner's key"`
	L1          settle.Address      `json:"l1" doc:"Ethereum address that exits are paid to"`
	Token       settle.TokenID      `json:"token" doc:"Token held" example:"0"`
	Balance     settle.Amount       `json:"balance" doc:"Balance in smallest units" example:"5000000"`
	Nonce       settle.Nonce        `json:"nonce" doc:"Nonce" example:"11"`
	Siblings    []settle.Element    `json:"siblings" nullable:"false" doc:"48 digests: from the leaf upwards, at each of 16 levels the three other children of the parent in order"`
}

// Accounts lists accounts by index.
type Accounts struct {
	Accounts []Account            `json:"accounts" nullable:"false" doc:"Accounts by index"`
	Next     *settle.AccountIndex `json:"next,omitempty" required:"false" doc:"Pass as after to read on; absent at the end"`
}

// Claim is a settled exit with the arguments of the rollup contract's claim, which
// marks it once and pays nothing before there is a bridge. Whether it was claimed is the
// operator's word; the contract's exitClaimed(batch, index) is L1's.
type Claim struct {
	Batch     settle.BatchNumber `json:"batch" doc:"Batch of the exit" example:"1"`
	Index     uint32             `json:"index" doc:"Place among the exits of the batch, from 0" example:"0"`
	L1        settle.Address     `json:"l1" doc:"Ethereum address that the exit is for"`
	Token     settle.TokenID     `json:"token" doc:"Token" example:"0"`
	Amount    settle.Amount      `json:"amount" doc:"Exact amount in smallest units" example:"1250000"`
	Leaf      settle.Hash        `json:"leaf" doc:"Leaf of the exit in the tree of the batch's exits"`
	Siblings  []settle.Hash      `json:"siblings" nullable:"false" doc:"Siblings from the leaf up, as many as the tree is deep; none for the only exit of a batch"`
	ExitsRoot settle.Hash        `json:"exits_root" doc:"Root of that tree, which the contract holds as exitsRoots(batch)"`
	Claimed   *bool              `json:"claimed,omitempty" required:"false" doc:"Whether it was claimed on L1, as of block claims_block: true, also of a block that is not final yet; false, not up to that block. Absent while that is not known: claims were not followed up to the settlement of the batch" example:"false"`
	ClaimTx   *settle.Hash       `json:"claim_tx,omitempty" required:"false" doc:"L1 transaction that claimed it; absent unless claimed"`
}

// BatchExits lists the exits of a settled batch.
type BatchExits struct {
	Batch       settle.BatchNumber `json:"batch" doc:"Batch number" example:"1"`
	BatchStatus settle.BatchStatus `json:"batch_status" enum:"settled,final" doc:"Status of the batch" example:"settled"`
	ExitsRoot   *settle.Hash       `json:"exits_root,omitempty" required:"false" doc:"Root of the tree of its exits; absent when it has none"`
	Claims      []Claim            `json:"claims" nullable:"false" doc:"Its exits in order"`
	ClaimsBlock uint64             `json:"claims_block,omitempty" required:"false" doc:"L1 block up to which claims were followed; absent while none was" example:"1000"`
}

// Claims lists the settled exits of one Ethereum address.
type Claims struct {
	Claims      []Claim             `json:"claims" nullable:"false" doc:"Exits by batch and place"`
	ClaimsBlock uint64              `json:"claims_block,omitempty" required:"false" doc:"L1 block up to which claims were followed; absent while none was, and where there are no exits" example:"1000"`
	Next        *settle.BatchNumber `json:"next,omitempty" required:"false" doc:"Pass as after to read on; absent at the end"`
}

// Usage counts the slots that a batch uses.
type Usage = settle.Usage

// Batch is one batch.
type Batch struct {
	Number       settle.BatchNumber `json:"number" doc:"Batch number, from 1" example:"1"`
	Status       settle.BatchStatus `json:"status" enum:"sealed,proven,settling,settled,final" doc:"Status" example:"settled"`
	Shape        string             `json:"shape" doc:"Shape of the circuit" example:"demo"`
	KeyHash      settle.KeyHash     `json:"key_hash" doc:"Hash of the verifying key"`
	OldRoot      settle.Element     `json:"old_root" doc:"State root before"`
	NewRoot      settle.Element     `json:"new_root" doc:"State root after"`
	Commitment   settle.Element     `json:"commitment" doc:"c: commitment to the public data"`
	Transactions int                `json:"transactions" doc:"Number of transactions" example:"14"`
	Usage        Usage              `json:"usage" doc:"Slots used, by kind"`
	SealedAt     time.Time          `json:"sealed_at" doc:"When it was sealed"`
	ProvenAt     *time.Time         `json:"proven_at,omitempty" required:"false" doc:"When its proof was stored"`
	SettledAt    *time.Time         `json:"settled_at,omitempty" required:"false" doc:"When its receipt was seen"`
	FinalAt      *time.Time         `json:"final_at,omitempty" required:"false" doc:"When its block was final"`
}

// BatchState is a batch with its proofs and its settlement.
type BatchState struct {
	Batch
	Proofs         []Proof     `json:"proofs" nullable:"false" doc:"Stored proofs"`
	FailedAttempts int         `json:"failed_attempts" doc:"Failed attempts to prove it"`
	Settlement     *Settlement `json:"settlement,omitempty" required:"false" doc:"L1 transaction: the live one, else the last"`
}

// Batches lists batches, newest first.
type Batches struct {
	Batches []Batch             `json:"batches" nullable:"false" doc:"Batches, newest first"`
	Next    *settle.BatchNumber `json:"next,omitempty" required:"false" doc:"Pass as before to read on; absent at the end"`
}

// Proof is a stored proof and what it cost.
type Proof struct {
	Circuit         string            `json:"circuit" doc:"Circuit" example:"transition"`
	Shape           string            `json:"shape" doc:"Shape" example:"demo"`
	KeyHash         settle.KeyHash    `json:"key_hash" doc:"Hash of the verifying key"`
	Proof           string            `json:"proof" doc:"Groth16 proof, gnark's uncompressed encoding, 0x and hexadecimal digits" example:"0x1a2b"`
	Inputs          [3]settle.Element `json:"inputs" nullable:"false" doc:"Public inputs c, ζ, v"`
	AssignSeconds   float64           `json:"assign_seconds" doc:"Time to build the witness"`
	SolveSeconds    float64           `json:"solve_seconds" doc:"Time to solve the constraint system"`
	ProveSeconds    float64           `json:"prove_seconds" doc:"Time of the whole Groth16 prover, solving included"`
	PeakMemoryBytes uint64            `json:"peak_memory_bytes" doc:"Peak memory of the proving process"`
	Attempt         int               `json:"attempt" doc:"Attempt of the job, from 1"`
	Late            bool              `json:"late" doc:"Stored by a worker whose lease had moved on"`
	StoredAt        time.Time         `json:"stored_at" doc:"When it was stored"`
}

// Settlement is the L1 transaction that settles a batch.
type Settlement struct {
	TxHash            settle.Hash    `json:"tx_hash" doc:"Hash of the L1 transaction"`
	Status            string         `json:"status" enum:"prepared,sent,mined,final,replaced,failed,reorged" doc:"Status" example:"mined"`
	Attempt           int            `json:"attempt" doc:"Attempt, from 1" example:"1"`
	Sender            settle.Address `json:"sender" doc:"Account that sent it"`
	Nonce             uint64         `json:"nonce" doc:"Its nonce on L1"`
	GasLimit          uint64         `json:"gas_limit" doc:"Its gas limit"`
	MaxFee            settle.Amount  `json:"max_fee" doc:"Highest price, wei per gas"`
	MaxTip            settle.Amount  `json:"max_tip" doc:"Highest tip, wei per gas"`
	BlockNumber       *uint64        `json:"block_number,omitempty" required:"false" doc:"L1 block, from the receipt"`
	BlockHash         *settle.Hash   `json:"block_hash,omitempty" required:"false" doc:"L1 block, from the receipt"`
	GasUsed           *uint64        `json:"gas_used,omitempty" required:"false" doc:"Gas, from the receipt"`
	EffectiveGasPrice *settle.Amount `json:"effective_gas_price,omitempty" required:"false" doc:"Price paid, wei per gas"`
	Failure           string         `json:"failure,omitempty" required:"false" doc:"Why it failed"`
}

// Status describes the rollup and how far it is.
type Status struct {
	Domain                   settle.Element     `json:"domain" doc:"chain id·2^160 + rollup address: part of every signature"`
	ChainID                  uint64             `json:"chain_id" doc:"Chain id of L1" example:"1337"`
	Rollup                   settle.Address     `json:"rollup" doc:"Address of the Rollup contract"`
	GenesisRoot              settle.Element     `json:"genesis_root" doc:"State root of genesis"`
	UnsafeDevKeys            bool               `json:"unsafe_dev_keys" doc:"The keys come from a development setup: proofs can be forged"`
	Kinds                    []string           `json:"kinds" nullable:"false" doc:"Kinds of transaction that are taken" example:"[\"transfer\"]"`
	Verifiers                []Verifier         `json:"verifiers" nullable:"false" doc:"Registered verifier contracts"`
	FeeAccounts              []FeeAccount       `json:"fee_accounts" nullable:"false" doc:"Fee account and minimum fee per token"`
	Executed                 Progress           `json:"executed" doc:"Last executed batch; 0 is genesis"`
	Proven                   Progress           `json:"proven" doc:"Last batch that is proven with all before it"`
	Settled                  Progress           `json:"settled" doc:"Last settled batch"`
	Final                    settle.BatchNumber `json:"final" doc:"Number of the last batch in a finalized block"`
	Backlog                  Backlog            `json:"backlog" doc:"Unfinished work, and the caps at which submissions are answered by 429"`
	OldestUnprovenAgeSeconds float64            `json:"oldest_unproven_age_seconds" doc:"Age of the oldest unproven batch; 0 when all are proven"`
	Transactions             TxCounts           `json:"transactions" doc:"Transactions by status"`
	Batches                  BatchCounts        `json:"batches" nullable:"false" doc:"Batches by status"`
	Jobs                     JobCounts          `json:"jobs" doc:"Proving jobs"`
	SettlementWaits          *Blockage          `json:"settlement_waits,omitempty" doc:"Set while settlement waits for a batch whose proof job is a dead letter: the operator must act"`
}

// Blockage names the batch for which settlement, which goes in order, waits.
type Blockage struct {
	Batch        settle.BatchNumber `json:"batch" doc:"First unproven batch; its proof job is a dead letter, or gone" example:"5"`
	ProvenBehind int64              `json:"proven_behind" doc:"Batches behind it that are proven and wait"`
	Class        string             `json:"class,omitempty" enum:"witness,resource,infrastructure,bug" doc:"Class of its last failure, if it failed"`
}

// Verifier is a verifier contract in the rollup's registry.
type Verifier struct {
	Circuit string         `json:"circuit" doc:"Circuit" example:"transition"`
	Shape   string         `json:"shape" doc:"Shape" example:"demo"`
	KeyHash settle.KeyHash `json:"key_hash" doc:"Hash of its verifying key"`
	Address settle.Address `json:"address" doc:"Address of the contract"`
}

// FeeAccount names the account that receives the fees of a token.
type FeeAccount struct {
	Token      settle.TokenID      `json:"token" doc:"Token" example:"0"`
	Index      settle.AccountIndex `json:"index" doc:"Account that receives the fees" example:"0"`
	MinimumFee settle.Amount       `json:"minimum_fee" doc:"Smallest fee that is accepted" example:"100"`
}

// Progress is a batch and the state root after it.
type Progress struct {
	Batch settle.BatchNumber `json:"batch" doc:"Batch number" example:"5"`
	Root  settle.Element     `json:"root" doc:"State root after it"`
}

// Backlog is unfinished work and its caps. A cap of 0 means none.
type Backlog struct {
	Accepted    int64 `json:"accepted" doc:"Transactions accepted and not yet executed"`
	AcceptedCap int64 `json:"accepted_cap" doc:"Cap on accepted; 0 for none"`
	Unproven    int64 `json:"unproven" doc:"Batches sealed and not yet proven"`
	UnprovenCap int64 `json:"unproven_cap" doc:"Cap on unproven; 0 for none"`
	Unsettled   int64 `json:"unsettled" doc:"Batches not yet settled"`
}

// TxCounts counts transactions by status.
type TxCounts struct {
	Accepted int64 `json:"accepted"`
	Executed int64 `json:"executed"`
	Proven   int64 `json:"proven"`
	Settled  int64 `json:"settled"`
	Final    int64 `json:"final"`
	Rejected int64 `json:"rejected"`
}

// BatchCounts counts batches by status.
type BatchCounts struct {
	Sealed   int64 `json:"sealed"`
	Proven   int64 `json:"proven"`
	Settling int64 `json:"settling"`
	Settled  int64 `json:"settled"`
	Final    int64 `json:"final"`
}

// JobCounts counts proving jobs.
type JobCounts struct {
	Waiting   int64 `json:"waiting"`
	Running   int64 `json:"running"`
	Discarded int64 `json:"discarded" doc:"Dead letters"`
}
