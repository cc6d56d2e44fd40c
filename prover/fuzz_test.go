package prover

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
)

// FuzzFrames reads what comes over the pipe of a proving process. Frames that are read
// are the bytes that came, messages in them mean the same when they are sent on, and no
// header makes us allocate what it merely claims.
func FuzzFrames(f *testing.F) {
	var all bytes.Buffer
	for _, m := range []struct {
		kind    frameKind
		message any
	}{
		{frameReady, ready{Circuit: settle.CircuitTransition}},
		{frameLoad, order{Shape: "demo"}},
		{frameProve, order{Shape: "demo", Trace: []byte{1, 2, 3}}},
		{frameFold, order{Shape: "demo-2", Proofs: []settle.ProofEnvelope{{Circuit: "transition", Shape: "demo", Proof: []byte{9}}}}},
		{frameDone, done{Result: &Result{PeakMemory: 5}}},
		{9, done{Failure: &failure{ClassBug, "prove", "panic: \x00\xff"}}},
	} {
		var one bytes.Buffer
		require.NoError(f, writeFrame(&one, m.kind, m.message))
		f.Add(one.Bytes())
		f.Add(one.Bytes()[:one.Len()-1])
		for at := range headerBytes {
			changed := bytes.Clone(one.Bytes())
			changed[at] ^= 0x10
			f.Add(changed)
		}
		all.Write(one.Bytes())
	}
	f.Add(all.Bytes())
	f.Add([]byte("SP\x02\x05\x0f\xff\xff\xff{}"))
	f.Add([]byte("SP\x02\x05\x00\x00\x00\x04null"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stream []byte) {
		var frames []frame
		var err error
		in := bytes.NewReader(stream)
		allocated := heap.Allocated(func() {
			for err == nil {
				var next frame
				if next, err = readFrame(in); err == nil {
					frames = append(frames, next)
				}
			}
		})
		require.Less(t, allocated, uint64(1<<20+64*len(stream)))
		require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errWire), "%v", err)

		var again bytes.Buffer
		for _, f := range frames {
			n := len(f.payload)
			again.Write([]byte{'S', 'P', wireVersion, byte(f.kind), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
			again.Write(f.payload)
			requireMeaning[ready](t, f)
			requireMeaning[order](t, f)
			requireMeaning[done](t, f)
		}
		require.True(t, bytes.HasPrefix(stream, again.Bytes()))
		require.Equal(t, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF), again.Len() == len(stream), "the end of the stream is between frames")

		var words lastWords
		words.forward = io.Discard
		for part := range bytes.SplitAfterSeq(stream, []byte{'S'}) {
			n, err := words.Write(part)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		said := words.String()
		require.NotEmpty(t, said)
		require.LessOrEqual(t, len(said), 3*crashBytes) // bytes that are no UTF-8 take three
		require.NotContains(t, said, "\x00")
		require.Equal(t, strings.ToValidUTF8(said, ""), said)
	})
}

// requireMeaning sends a message on, if it is one.
func requireMeaning[M any](t *testing.T, f frame) {
	t.Helper()
	var message, same M
	require.ErrorIs(t, f.decode(f.kind+1, &message), errWire, "of another kind")
	if err := f.decode(f.kind, &message); err != nil {
		require.ErrorIs(t, err, errWire)
		return
	}
	require.True(t, json.Valid(f.payload))
	var sent bytes.Buffer
	require.NoError(t, writeFrame(&sent, f.kind, message))
	read, err := readFrame(&sent)
	require.NoError(t, err)
	require.NoError(t, read.decode(f.kind, &same))
	first, err := json.Marshal(message)
	require.NoError(t, err)
	second, err := json.Marshal(same)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
}
