package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/zksettle/settle"
)

// Encoding of a trace: magic, version (16 bit), length of the payload (32 bit),
// SHA-256 of the payload, and the payload as a zstd frame. The hash covers what
// is decoded, whatever compressed it. Numbers are big-endian, elements 32
// canonical bytes; docs/protocol.md lists the payload.
const (
	traceMagic  = "SETTLTRC"
	traceHeader = len(traceMagic) + 2 + 4 + sha256.Size
)

// TraceVersion is the version that EncodeTrace writes. DecodeTrace reads every
// version from 1: version 2 added assigned index and paid amount.
const TraceVersion = 2

// MaxTracePayload bounds the payload of an encoded trace, in bytes: some 20
// times the largest shape's.
const MaxTracePayload = 1 << 26

// A payload may exceed traceSlack only in proportion to its compressed size, so
// that a few bytes cannot claim a large allocation. Each real record holds at
// least 32 bytes that do not compress (a signature, a new digest), which keeps
// real traces below a ratio of 20.
const (
	traceSlack    = 1 << 20
	traceMaxRatio = 256
)

// Errors of the codec. A blob that gives one was damaged, or is not ours.
var (
	ErrTraceMalformed = errors.New("malformed trace")
	ErrTraceVersion   = errors.New("unsupported trace version")
	ErrTraceHash      = errors.New("trace does not match its hash")
	ErrTraceSize      = errors.New("trace exceeds the size limit")
)

// EncodeTrace returns the encoding of t. Values wider than their fields give
// ErrTraceMalformed, too much data ErrTraceSize.
func EncodeTrace(t *Trace) ([]byte, error) {
	if err := t.checkNodes(); err != nil {
		return nil, err
	}
	w := wire{version: TraceVersion}
	w.trace(t)
	if w.err != nil {
		return nil, w.err
	}
	if len(w.buf) > MaxTracePayload {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are admitted", ErrTraceSize, len(w.buf), MaxTracePayload)
	}
	compressor, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("create the trace compressor: %w", err)
	}
	digest := sha256.Sum256(w.buf)
	blob := append(make([]byte, 0, traceHeader+len(w.buf)/2), traceMagic...)
	blob = binary.BigEndian.AppendUint16(blob, TraceVersion)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(w.buf)))
	blob = compressor.EncodeAll(w.buf, append(blob, digest[:]...))
	if err := errors.Join(checkTraceSize(len(w.buf), len(blob)-traceHeader), compressor.Close()); err != nil {
		return nil, err
	}
	return blob, nil
}

// DecodeTrace reads what EncodeTrace wrote. It allocates in proportion to the
// length of blob, whatever blob claims. Errors are ErrTraceMalformed,
// ErrTraceVersion, ErrTraceHash and ErrTraceSize. Signatures are not verified.
func DecodeTrace(blob []byte) (*Trace, error) {
	payload, version, err := openTrace(blob)
	if err != nil {
		return nil, err
	}
	w, t := wire{buf: payload, reading: true, version: version}, new(Trace)
	w.trace(t)
	if w.err == nil && len(w.buf) != 0 {
		w.fail("%d bytes follow the last record", len(w.buf))
	}
	if w.err != nil {
		return nil, w.err
	}
	if err := t.checkNodes(); err != nil {
		return nil, err
	}
	return t, nil
}

// openTrace returns the payload of a blob, checked against its hash, and its
// version.
func openTrace(blob []byte) (payload []byte, version uint16, err error) {
	if len(blob) < traceHeader || string(blob[:len(traceMagic)]) != traceMagic {
		return nil, 0, fmt.Errorf("%w: %d bytes that do not begin with the header %q", ErrTraceMalformed, len(blob), traceMagic)
	}
	fields := blob[len(traceMagic):]
	if version = binary.BigEndian.Uint16(fields); version < 1 || version > TraceVersion {
		return nil, 0, fmt.Errorf("%w: %d, expected 1 to %d", ErrTraceVersion, version, TraceVersion)
	}
	length, frame := binary.BigEndian.Uint32(fields[2:]), blob[traceHeader:]
	if err := checkTraceSize(int(length), len(frame)); err != nil {
		return nil, 0, err
	}
	// The decoder fills at most the capacity that it is given.
	decompressor, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxTracePayload))
	if err != nil {
		return nil, 0, fmt.Errorf("create the trace decompressor: %w", err)
	}
	defer decompressor.Close()
	payload, err = decompressor.DecodeAll(frame, make([]byte, 0, length))
	if err != nil {
		return nil, 0, fmt.Errorf("%w: payload of %d bytes: %w", ErrTraceMalformed, length, err)
	}
	if len(payload) != int(length) {
		return nil, 0, fmt.Errorf("%w: payload of %d bytes, its header says %d", ErrTraceMalformed, len(payload), length)
	}
	if digest, stored := sha256.Sum256(payload), [sha256.Size]byte(fields[6:]); digest != stored {
		return nil, 0, fmt.Errorf("%w: SHA-256 is %x, its header says %x", ErrTraceHash, digest, stored)
	}
	return payload, version, nil
}

func checkTraceSize(payload, compressed int) error {
	if most := min(MaxTracePayload, traceSlack+traceMaxRatio*compressed); payload > most {
		return fmt.Errorf("%w: %d bytes compressed to %d, at most %d are admitted", ErrTraceSize, payload, compressed, most)
	}
	return nil
}

// trace is the layout of the payload.
func (w *wire) trace(t *Trace) {
	number(w, &t.Header.Number, settle.BatchBits)
	w.element(&t.Header.OldRoot)
	w.element(&t.Header.NewRoot)
	w.element(&t.Header.Domain)
	list(w, &t.Transactions, (*wire).transaction)
	list(w, &t.Accounts, (*wire).accountTrace)
	list(w, &t.Nodes, (*wire).node)
	list(w, &t.FeeAccounts, (*wire).fee)
}

func (w *wire) transaction(t *TransactionTrace) {
	tx := &t.Transaction
	number(w, &tx.Kind, settle.KindBits)
	number(w, &tx.From, settle.IndexBits)
	number(w, &tx.To, settle.IndexBits)
	number(w, &tx.Token, settle.TokenBits)
	number(w, &tx.Amount, settle.AmountBits)
	number(w, &tx.Fee, settle.FeeBits)
	number(w, &tx.Nonce, settle.NonceBits)
	number(w, &tx.ValidUntil, settle.BatchBits)
	if w.version >= 2 {
		number(w, &tx.Assigned, settle.IndexBits)
		w.amount(&t.Paid)
	}
	w.element(&tx.ToOwner)
	w.bytes(tx.ToL1[:])
	w.element(&tx.PublicKey)
	w.element(&tx.Signature.RX)
	w.bytes(tx.Signature.S[:])
	w.access(&t.Sender)
	w.access(&t.Receiver)
	w.access(&t.Fee)
}

func (w *wire) access(a *Access) {
	number(w, &a.Index, settle.IndexBits)
	number(w, &a.PreviousTime, 32)
	w.account(&a.Before)
}

func (w *wire) account(a *Account) {
	w.element(&a.Owner)
	number(w, &a.Token, settle.TokenBits)
	number(w, &a.Nonce, settle.NonceBits)
	w.amount(&a.Balance)
	w.bytes(a.L1[:])
}

func (w *wire) accountTrace(a *AccountTrace) {
	number(w, &a.Index, settle.IndexBits)
	w.account(&a.Old)
	w.account(&a.New)
	number(w, &a.LastTime, 32)
}

func (w *wire) node(n *NodeUpdate) {
	number(w, &n.Level, 8)
	number(w, &n.Position, settle.IndexBits)
	var touched uint8
	for i, t := range n.Touched {
		if t {
			touched |= 1 << i
		}
	}
	number(w, &touched, arity)
	for i := range arity {
		if w.reading {
			n.Touched[i] = touched>>i&1 == 1
		}
		w.element(&n.Old[i])
		w.element(&n.New[i])
	}
}

func (w *wire) fee(f *FeeTrace) {
	number(w, &f.Token, settle.TokenBits)
	number(w, &f.Index, settle.IndexBits)
	number(w, &f.Uses, 32)
}

// checkNodes reports a node outside the tree, or an untouched child that changed.
func (t *Trace) checkNodes() error {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Level < 1 || n.Level > levels || uint64(n.Position)>>(2*(levels-n.Level)) != 0 {
			return fmt.Errorf("%w: node %d at level %d, position %d is outside the tree", ErrTraceMalformed, i, n.Level, n.Position)
		}
		for child := range arity {
			if !n.Touched[child] && n.Old[child] != n.New[child] {
				return fmt.Errorf("%w: node %d changes its untouched child %d", ErrTraceMalformed, i, child)
			}
		}
	}
	return nil
}
