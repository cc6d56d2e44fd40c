package state_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

const headerSize = 8 + 2 + 4 + 32

// sealPayload builds an encoding around a payload by hand.
func sealPayload(t testing.TB, payload []byte) []byte {
	t.Helper()
	return sealClaiming(t, payload, uint32(len(payload)))
}

func sealClaiming(t testing.TB, payload []byte, length uint32) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	digest := sha256.Sum256(payload)
	blob := binary.BigEndian.AppendUint16([]byte("SETTLTRC"), 1)
	blob = append(binary.BigEndian.AppendUint32(blob, length), digest[:]...)
	return w.EncodeAll(payload, blob)
}

// openPayload is the inverse of sealPayload.
func openPayload(t testing.TB, blob []byte) []byte {
	t.Helper()
	r, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer r.Close()
	payload, err := r.DecodeAll(blob[headerSize:], nil)
	require.NoError(t, err)
	return payload
}

func drawElement(t *rapid.T) fr.Element {
	var e fr.Element
	switch rapid.IntRange(0, 3).Draw(t, "element kind") {
	case 0:
		e.SetUint64(rapid.Uint64().Draw(t, "small element"))
	case 1:
		e.SetUint64(rapid.Uint64().Draw(t, "element below r"))
		e.Neg(&e)
	default:
		e.SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "element"))
	}
	return e
}

func drawAddress(t *rapid.T) settle.Address {
	return settle.Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
}

func drawAmount(t *rapid.T) settle.Amount {
	return settle.Amount{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
}

func drawAccount(t *rapid.T) state.Account {
	return state.Account{
		Owner: drawElement(t), Token: settle.TokenID(rapid.Uint32().Draw(t, "token")),
		Nonce:   settle.Nonce(rapid.Uint64Max(uint64(settle.MaxNonce)).Draw(t, "nonce")),
		Balance: drawAmount(t), L1: drawAddress(t),
	}
}

func drawAccess(t *rapid.T) state.Access {
	return state.Access{
		Index:        settle.AccountIndex(rapid.Uint32().Draw(t, "index")),
		PreviousTime: rapid.Uint32().Draw(t, "previous time"), Before: drawAccount(t),
	}
}

func drawNode(t *rapid.T) state.NodeUpdate {
	n := state.NodeUpdate{Level: rapid.IntRange(1, 16).Draw(t, "level")}
	n.Position = uint32(rapid.Uint64Max(1<<(2*(16-n.Level))-1).Draw(t, "position"))
	for i := range n.Old {
		n.Old[i] = drawElement(t)
		n.New[i] = n.Old[i]
		if n.Touched[i] = rapid.Bool().Draw(t, "touched"); n.Touched[i] {
			n.New[i] = drawElement(t)
		}
	}
	return n
}

func drawTrace(t *rapid.T) *state.Trace {
	some := func() int { return rapid.IntRange(0, 3).Draw(t, "count") }
	trace := &state.Trace{Header: publicdata.Header{
		Number:  settle.BatchNumber(rapid.Uint32().Draw(t, "number")),
		OldRoot: drawElement(t), NewRoot: drawElement(t), Domain: drawElement(t),
	}}
	for range some() {
		trace.Transactions = append(trace.Transactions, state.TransactionTrace{
			Transaction: state.Transaction{
				Kind: settle.Kind(rapid.IntRange(0, 15).Draw(t, "kind")), From: settle.AccountIndex(rapid.Uint32().Draw(t, "from")),
				To: settle.AccountIndex(rapid.Uint32().Draw(t, "to")), Token: settle.TokenID(rapid.Uint32().Draw(t, "token")),
				Amount: state.Float40(rapid.Uint64Max(1<<40-1).Draw(t, "amount")), Fee: state.Float16(rapid.Uint16().Draw(t, "fee")),
				Nonce:      settle.Nonce(rapid.Uint64Max(uint64(settle.MaxNonce)).Draw(t, "nonce")),
				ValidUntil: settle.BatchNumber(rapid.Uint32().Draw(t, "valid until")),
				ToOwner:    drawElement(t), ToL1: drawAddress(t), PublicKey: drawElement(t),
				Signature: schnorr.Signature{RX: drawElement(t), S: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "s"))},
			},
			Sender: drawAccess(t), Receiver: drawAccess(t), Fee: drawAccess(t),
		})
	}
	for range some() {
		trace.Accounts = append(trace.Accounts, state.AccountTrace{
			Index: settle.AccountIndex(rapid.Uint32().Draw(t, "index")), Old: drawAccount(t), New: drawAccount(t),
			LastTime: rapid.Uint32().Draw(t, "last time"),
		})
	}
	for range some() {
		trace.Nodes = append(trace.Nodes, drawNode(t))
	}
	for range some() {
		trace.FeeAccounts = append(trace.FeeAccounts, state.FeeTrace{
			FeeAccount: publicdata.FeeAccount{
				Token: settle.TokenID(rapid.Uint32().Draw(t, "token")), Index: settle.AccountIndex(rapid.Uint32().Draw(t, "index")),
			},
			Uses: rapid.Uint32().Draw(t, "uses"),
		})
	}
	return trace
}

func TestTraceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t)
		blob, err := state.EncodeTrace(trace)
		require.NoError(t, err)
		again, err := state.EncodeTrace(trace)
		require.NoError(t, err)
		require.Equal(t, blob, again, "the encoding is deterministic")
		decoded, err := state.DecodeTrace(blob)
		require.NoError(t, err)
		require.Equal(t, trace, decoded)
	})
}

func TestTraceDamagedAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t)
		blob, err := state.EncodeTrace(trace)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "truncate") {
			blob = blob[:rapid.IntRange(0, len(blob)-1).Draw(t, "length")]
			_, err = state.DecodeTrace(blob)
			require.Error(t, err)
			return
		}
		at := rapid.IntRange(0, len(blob)-1).Draw(t, "at")
		blob[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		// A bit of the zstd frame may mean nothing; none may change the trace.
		if decoded, err := state.DecodeTrace(blob); err == nil {
			require.GreaterOrEqual(t, at, headerSize)
			require.Equal(t, trace, decoded)
		}
	})
}

func TestDecodeTraceRefuses(t *testing.T) {
	good, err := state.EncodeTrace(&state.Trace{Header: publicdata.Header{Number: 7}})
	require.NoError(t, err)
	payload := openPayload(t, good)
	require.Len(t, payload, 4+3*32+4*4, "number, two roots, domain, four counts")

	modulus := fr.Modulus().FillBytes(make([]byte, 32))
	beyond := slices.Clone(payload)
	copy(beyond[4:], modulus) // old root = r
	counts := func(i int, n uint32) []byte {
		p := slices.Clone(payload)
		binary.BigEndian.PutUint32(p[4+3*32+4*i:], n)
		return p
	}
	version := slices.Clone(good)
	version[9] = state.TraceVersion + 1
	oldest := slices.Clone(good)
	oldest[9] = 0
	ending := slices.Clone(good)
	ending[7] ^= 1
	digest := slices.Clone(good)
	digest[20] ^= 1
	node := func(level byte, position uint32, touched byte, changed bool) []byte {
		p := counts(2, 1)[:4+3*32+3*4]
		p = append(p, level)
		p = binary.BigEndian.AppendUint32(p, position)
		p = append(p, touched)
		p = append(p, make([]byte, 8*32)...)
		if changed {
			p[len(p)-1] = 1 // new digest of child 3
		}
		return append(p, 0, 0, 0, 0)
	}
	_, err = state.DecodeTrace(sealPayload(t, node(16, 0, 8, true)))
	require.NoError(t, err, "the hand-made node is good")

	for name, c := range map[string]struct {
		blob []byte
		want error
	}{
		"empty":                    {nil, state.ErrTraceMalformed},
		"no header":                {good[:headerSize-1], state.ErrTraceMalformed},
		"other magic":              {append([]byte("x"), good[1:]...), state.ErrTraceMalformed},
		"other end of the magic":   {ending, state.ErrTraceMalformed},
		"future version":           {version, state.ErrTraceVersion},
		"version 0":                {oldest, state.ErrTraceVersion},
		"hash of something else":   {digest, state.ErrTraceHash},
		"no frame":                 {good[:headerSize], state.ErrTraceMalformed},
		"element of r":             {sealPayload(t, beyond), state.ErrTraceMalformed},
		"byte behind the end":      {sealPayload(t, append(slices.Clone(payload), 0)), state.ErrTraceMalformed},
		"payload cut short":        {sealPayload(t, payload[:len(payload)-1]), state.ErrTraceMalformed},
		"more than it claims":      {sealClaiming(t, payload, uint32(len(payload)-1)), state.ErrTraceMalformed},
		"less than it claims":      {sealClaiming(t, payload, uint32(len(payload)+1)), state.ErrTraceMalformed},
		"transactions not there":   {sealPayload(t, counts(0, 1)), state.ErrTraceMalformed},
		"accounts not there":       {sealPayload(t, counts(1, math.MaxUint32)), state.ErrTraceMalformed},
		"nodes not there":          {sealPayload(t, counts(2, math.MaxUint32)), state.ErrTraceMalformed},
		"fee accounts not there":   {sealPayload(t, counts(3, math.MaxUint32)), state.ErrTraceMalformed},
		"node at level 0":          {sealPayload(t, node(0, 0, 0, false)), state.ErrTraceMalformed},
		"node at level 17":         {sealPayload(t, node(17, 0, 0, false)), state.ErrTraceMalformed},
		"node beyond its level":    {sealPayload(t, node(15, 4, 0, false)), state.ErrTraceMalformed},
		"fifth child":              {sealPayload(t, node(16, 0, 16, false)), state.ErrTraceMalformed},
		"untouched child changed":  {sealPayload(t, node(16, 0, 7, true)), state.ErrTraceMalformed},
		"claims the largest size":  {sealClaiming(t, payload, state.MaxTracePayload), state.ErrTraceSize},
		"claims beyond all limits": {sealClaiming(t, payload, math.MaxUint32), state.ErrTraceSize},
		"bomb":                     {sealPayload(t, make([]byte, 32<<20)), state.ErrTraceSize},
	} {
		t.Run(name, func(t *testing.T) {
			decoded, err := state.DecodeTrace(c.blob)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, decoded)
			require.NotEmpty(t, err.Error())
		})
	}
}

func TestEncodeTraceRefuses(t *testing.T) {
	for name, trace := range map[string]*state.Trace{
		"kind of 5 bits":    {Transactions: []state.TransactionTrace{{Transaction: state.Transaction{Kind: 16}}}},
		"amount of 41 bits": {Transactions: []state.TransactionTrace{{Transaction: state.Transaction{Amount: 1 << 40}}}},
		"nonce of 41 bits":  {Transactions: []state.TransactionTrace{{Transaction: state.Transaction{Nonce: 1 << 40}}}},
		"node at level 0":   {Nodes: []state.NodeUpdate{{}}},
		"node at level -1":  {Nodes: []state.NodeUpdate{{Level: -1}}},
		"untouched change":  {Nodes: []state.NodeUpdate{{Level: 16, New: [4]fr.Element{fr.One()}}}},
		"in its first word": {Nodes: []state.NodeUpdate{{Level: 16, New: [4]fr.Element{{1}}}}},
		"in its last word":  {Nodes: []state.NodeUpdate{{Level: 16, New: [4]fr.Element{{0, 0, 0, 1}}}}},
	} {
		_, err := state.EncodeTrace(trace)
		require.ErrorIs(t, err, state.ErrTraceMalformed, name)
	}
}

// A hostile blob must not make the decoder allocate what it merely claims.
func TestDecodeTraceAllocatesByInput(t *testing.T) {
	good, err := state.EncodeTrace(&state.Trace{})
	require.NoError(t, err)
	many := openPayload(t, good)
	binary.BigEndian.PutUint32(many[4+3*32:], math.MaxUint32)
	for name, blob := range map[string][]byte{
		"count":  sealPayload(t, many),
		"length": sealClaiming(t, many, state.MaxTracePayload),
		"bomb":   sealPayload(t, make([]byte, 32<<20)),
	} {
		var err error
		require.Less(t, heap.Allocated(func() { _, err = state.DecodeTrace(blob) }), uint64(8<<20), name)
		require.Error(t, err, name)
	}
}

// FuzzDecodeTrace reads blobs, and with sealed payloads behind a good hash, whose first
// byte then says the version. What is read has one encoding in its version, and is the
// same trace when it is written in the present one.
func FuzzDecodeTrace(f *testing.F) {
	empty, err := state.EncodeTrace(&state.Trace{})
	require.NoError(f, err)
	f.Add(empty, false)
	f.Add(append([]byte{1}, openPayload(f, empty)...), true)
	for version := range byte(state.TraceVersion) {
		stored, err := os.ReadFile(fmt.Sprintf("testdata/trace_v%d.bin", version+1))
		require.NoError(f, err)
		f.Add(stored, false)
		f.Add(append([]byte{version}, openPayload(f, stored)...), true)
	}
	compressor, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		if sealed && len(b) > 0 {
			version, payload := uint16(b[0])%state.TraceVersion+1, b[1:]
			digest := sha256.Sum256(payload)
			b = binary.BigEndian.AppendUint16([]byte("SETTLTRC"), version)
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(payload))), digest[:]...)
			b = compressor.EncodeAll(payload, b)
		}
		var trace *state.Trace
		var err error
		// A payload may be 256 times its frame, and structs are somewhat larger than records.
		require.Less(t, heap.Allocated(func() { trace, err = state.DecodeTrace(b) }), uint64(8<<20+1024*len(b)))
		if err != nil {
			require.Nil(t, trace)
			require.True(t, slices.ContainsFunc([]error{state.ErrTraceMalformed, state.ErrTraceVersion, state.ErrTraceHash, state.ErrTraceSize},
				func(kind error) bool { return errors.Is(err, kind) }), "%v", err)
			return
		}
		again, err := state.EncodeTrace(trace)
		require.NoError(t, err)
		if binary.BigEndian.Uint16(b[8:]) == state.TraceVersion {
			require.Equal(t, openPayload(t, b), openPayload(t, again), "one encoding for each trace")
		}
		same, err := state.DecodeTrace(again)
		require.NoError(t, err)
		require.Equal(t, trace, same)
	})
}
