package prover

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/heap"
)

func message(t *testing.T, kind frameKind, m any) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, writeFrame(&b, kind, m))
	return b.Bytes()
}

func TestFramesComeBack(t *testing.T) {
	sent := order{Shape: "tiny", Trace: bytes.Repeat([]byte{7}, 1<<20)}
	in := bytes.NewReader(append(message(t, frameProve, sent), message(t, frameLoad, order{Shape: "demo"})...))
	for _, want := range []struct {
		kind frameKind
		sent order
	}{{frameProve, sent}, {frameLoad, order{Shape: "demo"}}} {
		f, err := readFrame(in)
		require.NoError(t, err)
		var got order
		require.NoError(t, f.decode(want.kind, &got))
		require.Equal(t, want.sent, got)
	}
	_, err := readFrame(in)
	require.Equal(t, io.EOF, err)
}

// TestHostileFrames: whatever comes over the pipe is refused, and takes no more memory
// than came.
func TestHostileFrames(t *testing.T) {
	good := message(t, frameDone, done{Result: &Result{}})
	claims := func(length uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[4:], length)
		return b
	}
	for name, raw := range map[string][]byte{
		"another beginning":  append([]byte("XX"), good[2:]...),
		"another version":    append([]byte{'S', 'P', wireVersion + 1}, good[3:]...),
		"claims the most":    claims(maxFrame),
		"claims too much":    claims(maxFrame + 1),
		"claims 4 GiB":       claims(1<<32 - 1),
		"claims a byte more": claims(uint32(len(good) - headerBytes + 1)),
		"cut in the header":  good[:5],
		"cut in the message": good[:len(good)-1],
		"header alone":       good[:headerBytes],
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			require.Less(t, heap.Allocated(func() { _, err = readFrame(bytes.NewReader(raw)) }), uint64(1<<20))
			require.Error(t, err)
			require.NotEqual(t, io.EOF, err, "not the end between messages")
		})
	}
	f, err := readFrame(bytes.NewReader(good))
	require.NoError(t, err)
	require.ErrorIs(t, f.decode(frameReady, new(ready)), errWire)
	for _, payload := range []string{"", "{", "[]", `{"result":3}`, `{"result":{"Proof":{"proof":"!"}}}`, "{} {}", "\xff"} {
		f := frame{kind: frameDone, payload: []byte(payload)}
		require.ErrorIs(t, f.decode(frameDone, new(done)), errWire, payload)
	}
}
