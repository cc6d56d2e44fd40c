package transition

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/state"
)

// TestAssignSurvivesHostileTraces: a worker assigns what the database gives it as the
// trace of a batch. Whatever decodes is assigned or refused, and memory is in proportion
// to the trace and the shape.
func TestAssignSurvivesHostileTraces(t *testing.T) {
	shape := mustShape(t, "tiny")
	w := newWorld(t, 16, 1, 5)
	blob, err := state.EncodeTrace(w.batch([2]settle.AccountIndex{3, 5}, [2]settle.AccountIndex{4, 4}))
	require.NoError(t, err)
	const header = 8 + 2 + 4 + sha256.Size
	decoder, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer decoder.Close()
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	payload, err := decoder.DecodeAll(blob[header:], nil)
	require.NoError(t, err)
	mustAssign(t, shape, decoded(t, blob)) // makes what is made once
	atMost := heap.Allocated(func() { mustAssign(t, shape, decoded(t, blob)) }) + 8<<20
	decodes, assigned := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		changed := bytes.Clone(payload)
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(changed)-1).Draw(rt, "at")
			copy(changed[at:], rapid.SampledFrom([][]byte{{0}, {1}, {3}, {4}, {0x0f}, {0x7f}, {0xff}, {0xff, 0xff, 0xff, 0xff}, make([]byte, 32)}).Draw(rt, "byte"))
		}
		digest := sha256.Sum256(changed)
		hostile := binary.BigEndian.AppendUint32(bytes.Clone(blob[:10]), uint32(len(changed)))
		trace, err := state.DecodeTrace(encoder.EncodeAll(changed, append(hostile, digest[:]...)))
		if err != nil {
			return
		}
		decodes++
		require.NotPanics(rt, func() {
			require.Less(rt, heap.Allocated(func() {
				c, err := Assign(shape, trace)
				if err != nil {
					return
				}
				assigned++
				_, err = frontend.NewWitness(c, ecc.BN254.ScalarField())
				require.NoError(rt, err)
			}), atMost)
		})
	})
	require.Positive(t, decodes)
	t.Logf("%d traces decoded, %d assigned", decodes, assigned)
}

func decoded(t *testing.T, blob []byte) *state.Trace {
	t.Helper()
	trace, err := state.DecodeTrace(blob)
	require.NoError(t, err)
	return trace
}
