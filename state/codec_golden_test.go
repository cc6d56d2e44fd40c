package state_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// A stored trace of version 1 is readable for ever: changing the layout takes a
// new version. The compressed bytes may differ with the compressor.
func TestTraceVersion1(t *testing.T) {
	const file = "testdata/trace_v1.bin"
	sk := privateKey(t, 3)
	s := fixedState(t)
	tx := payment()
	tx.Signature.RX, tx.Signature.S = sk.Public().X, sk.Bytes() // any bytes
	self := state.Transaction{
		Kind: settle.KindTransfer, From: 2, To: 2, Amount: 1<<35 | 2, Fee: 1, ValidUntil: 10, ToOwner: element(12), ToL1: l1B, PublicKey: element(12),
	}
	trace, err := s.Apply([]state.Transaction{tx, self})
	require.NoError(t, err)
	blob, err := state.EncodeTrace(trace)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, blob, 0o644))
	}
	stored, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, openPayload(t, stored), openPayload(t, blob))
	decoded, err := state.DecodeTrace(stored)
	require.NoError(t, err)
	require.Equal(t, trace, decoded)
}
