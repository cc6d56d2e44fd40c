// Package settle is the vocabulary of the rollup: the domain types that every
// other package speaks. It imports the standard library only.
package settle

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Widths, in bits, of the fields that are packed into messages and records.
const (
	KindBits       = 4
	IndexBits      = 32
	TokenBits      = 32
	NonceBits      = 40
	BalanceBits    = 128
	AddressBits    = 160
	BatchBits      = 32
	AmountBits     = 40 // 35-bit mantissa, 5-bit exponent
	FeeBits        = 16 // 11-bit mantissa, 5-bit exponent
	TreeLevels     = 16 // levels of the 4-ary state tree above the leaves
	TreeArity      = 4
	CountBits      = 32
	NonceWindow    = 256 // how far ahead of the executed nonce a transaction is admitted
	MaxSubmitItems = 1000
)

// BatchNumber numbers batches in settlement order. Genesis is 0, the first batch 1.
type BatchNumber uint32

// AccountIndex is the position of an account's leaf in the state tree.
type AccountIndex uint32

// TokenID names a token registered with the rollup.
type TokenID uint32

// Nonce counts the transactions that an account has sent; at most 40 bits.
type Nonce uint64

// MaxNonce is the last nonce. Apply refuses to use it, so that nonce + 1 always fits.
const MaxNonce Nonce = 1<<NonceBits - 1

// Kind is the kind of an L2 transaction. 0 marks an unused slot.
type Kind uint8

// Kinds of L2 transaction (formats: low 4 bits of a signed message and of a record).
const (
	KindNone     Kind = 0
	KindTransfer Kind = 1
	KindOpen     Kind = 2
	KindExit     Kind = 3
	KindExitAll  Kind = 4
)

var kindNames = map[Kind]string{
	KindNone: "none", KindTransfer: "transfer", KindOpen: "open", KindExit: "exit", KindExitAll: "exit-all",
}

// String returns the name used in the API.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of Kind.String for kinds of transaction.
func ParseKind(s string) (Kind, error) {
	for k, n := range kindNames {
		if n == s && k != KindNone {
			return k, nil
		}
	}
	return KindNone, fmt.Errorf("unknown kind %s, expected transfer, open, exit or exit-all", quote(s))
}

// L1Kind is the kind of an operation queued on L1.
type L1Kind uint8

// Kinds of L1 operation.
const (
	L1Deposit     L1Kind = 1
	L1DepositOpen L1Kind = 2
	L1ForcedExit  L1Kind = 3
)

// Address is a 160-bit Ethereum address.
type Address [20]byte

// String returns 0x and 40 lower-case hexadecimal digits.
func (a Address) String() string { return "0x" + hex.EncodeToString(a[:]) }

// MarshalText implements encoding.TextMarshaler.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText accepts 0x and 40 hexadecimal digits.
func (a *Address) UnmarshalText(b []byte) error { return decodeHex(a[:], string(b)) }

// Element is a field element of BN254's scalar field as 32 big-endian bytes.
// Whoever interprets it checks that it is below the modulus.
type Element [32]byte

// String returns 0x and 64 lower-case hexadecimal digits.
func (e Element) String() string { return "0x" + hex.EncodeToString(e[:]) }

// MarshalText implements encoding.TextMarshaler.
func (e Element) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText accepts 0x and 64 hexadecimal digits.
func (e *Element) UnmarshalText(b []byte) error { return decodeHex(e[:], string(b)) }

// Hash is a 256-bit digest: a transaction id (keccak256) or a SHA-256.
type Hash [32]byte

// String returns 0x and 64 lower-case hexadecimal digits.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText accepts 0x and 64 hexadecimal digits.
func (h *Hash) UnmarshalText(b []byte) error { return decodeHex(h[:], string(b)) }

// ScanBytes reads a digest that a database holds as bytes.
func (h *Hash) ScanBytes(b []byte) error { return scanBytes(h[:], b) }

// ScanBytes reads an element that a database holds as bytes.
func (e *Element) ScanBytes(b []byte) error { return scanBytes(e[:], b) }

// ScanBytes reads an address that a database holds as bytes.
func (a *Address) ScanBytes(b []byte) error { return scanBytes(a[:], b) }

func scanBytes(into, b []byte) error {
	if len(b) != len(into) {
		return fmt.Errorf("%d bytes where %d are stored", len(b), len(into))
	}
	copy(into, b)
	return nil
}

// KeyHash identifies a verifying key: SHA-256 of the verifier constructor's
// encoding of it (uncompressed big-endian points in order).
type KeyHash = Hash

// Fingerprint identifies a constraint system: SHA-256 of its serialization.
type Fingerprint = Hash

func decodeHex(dst []byte, s string) error {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 2*len(dst) {
		return fmt.Errorf("%s is not 0x and %d hexadecimal digits", quote(s), 2*len(dst))
	}
	if _, err := hex.Decode(dst, []byte(digits)); err != nil {
		return fmt.Errorf("%s is not hexadecimal: %w", quote(s), err)
	}
	return nil
}

// quote shows hostile text in an error: escaped, and not at full length.
func quote(s string) string {
	const most = 80
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}

// TxStatus is the state of a transaction (docs/state-machines.md).
type TxStatus string

// Statuses of a transaction. Rejected comes only from accepted.
const (
	TxAccepted TxStatus = "accepted"
	TxExecuted TxStatus = "executed"
	TxProven   TxStatus = "proven"
	TxSettled  TxStatus = "settled"
	TxFinal    TxStatus = "final"
	TxRejected TxStatus = "rejected"
)

// BatchStatus is the state of a sealed batch (docs/state-machines.md).
type BatchStatus string

// Statuses of a batch. Open batches are never stored.
const (
	BatchSealed   BatchStatus = "sealed"
	BatchProven   BatchStatus = "proven"
	BatchSettling BatchStatus = "settling"
	BatchSettled  BatchStatus = "settled"
	BatchFinal    BatchStatus = "final"
)

// Capacity gives the number of slots of a transition circuit by kind of slot.
type Capacity struct {
	Transfers   int `json:"transfers"`    // N: L2 transactions
	Accounts    int `json:"accounts"`     // K: distinct accounts touched
	Nodes       int `json:"nodes"`        // E: distinct tree nodes touched
	FeeAccounts int `json:"fee_accounts"` // F: distinct tokens
	Opens       int `json:"opens"`        // M
	Exits       int `json:"exits"`        // X
	L1Ops       int `json:"l1_ops"`       // Q
}

// Usage counts the slots that a batch needs; the same fields as Capacity.
type Usage = Capacity

// Fits reports whether usage u fits capacity c in each kind of slot.
func (c Capacity) Fits(u Usage) bool {
	return u.Transfers <= c.Transfers && u.Accounts <= c.Accounts && u.Nodes <= c.Nodes &&
		u.FeeAccounts <= c.FeeAccounts && u.Opens <= c.Opens && u.Exits <= c.Exits && u.L1Ops <= c.L1Ops
}

// Names of the circuits. The name of a registry entry on L1 decides by which route
// its proofs settle.
const (
	CircuitTransition = "transition" // proves one batch
	CircuitAggregate  = "aggregate"  // proves that proofs of several batches hold
)

// ProofEnvelope carries a proof and what is needed to verify it anywhere.
type ProofEnvelope struct {
	Circuit string     `json:"circuit"`
	Shape   string     `json:"shape"`
	KeyHash KeyHash    `json:"key_hash"`
	Proof   []byte     `json:"proof"`  // gnark's raw (uncompressed) Groth16 encoding
	Inputs  [3]Element `json:"inputs"` // c, ζ, v; of an aggregate C, Z, V
}

// Code is a stable, machine-readable error code (docs/errors.md).
type Code string

// Codes of refused input. They never change meaning.
const (
	CodeMalformedJSON       Code = "malformed_json"
	CodeUnknownField        Code = "unknown_field"
	CodeInvalidField        Code = "invalid_field"
	CodeTooManyItems        Code = "too_many_items"
	CodeBodyTooLarge        Code = "body_too_large"
	CodeUnsupportedKind     Code = "unsupported_kind"
	CodeUnknownAccount      Code = "unknown_account"
	CodeWrongToken          Code = "wrong_token"
	CodeReceiverMismatch    Code = "receiver_mismatch"
	CodeBadSignature        Code = "bad_signature"
	CodeSignatureEncoding   Code = "non_canonical_signature"
	CodeStaleNonce          Code = "stale_nonce"
	CodeNonceTooFar         Code = "nonce_too_far"
	CodeNonceConflict       Code = "nonce_conflict"
	CodeNonceGapExpired     Code = "nonce_gap_expired"
	CodeAmountUnfit         Code = "amount_not_representable"
	CodeAmountEncoding      Code = "amount_not_canonical"
	CodeInsufficientBalance Code = "insufficient_balance"
	CodeZeroAmount          Code = "zero_amount"
	CodeFeeTooLow           Code = "fee_too_low"
	CodeNoFeeAccount        Code = "no_fee_account"
	CodeAccountsExhausted   Code = "accounts_exhausted"
	CodeExpired             Code = "expired"
	CodeBalanceOverflow     Code = "balance_overflow"
	CodeInvalidProof        Code = "invalid_proof"
	CodeNotFound            Code = "not_found"
	CodeMethodNotAllowed    Code = "method_not_allowed"
	CodeUnsupportedMedia    Code = "unsupported_media_type"
	CodeRequestTimeout      Code = "request_timeout"
	CodeBackPressure        Code = "back_pressure"
	CodeUnavailable         Code = "unavailable"
	CodeInternal            Code = "internal"
)

// Refusal is bad input: a stable code, what was wrong and what was expected.
// A failure of our own (database, prover, node) is never a Refusal.
type Refusal struct {
	Code   Code
	Detail string
}

// Refuse builds a Refusal.
func Refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Detail }

// AsRefusal finds a Refusal in err's chain.
func AsRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}

var _ json.Marshaler = Amount{}
