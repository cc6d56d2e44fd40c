package state_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// A stored trace is readable for ever: changing the layout takes a new version.
// The compressed bytes may differ with the compressor.
func TestStoredTraces(t *testing.T) {
	sk := privateKey(t, 3)
	tx := payment()
	tx.Signature.RX, tx.Signature.S = sk.Public().X, sk.Bytes() // any bytes
	self := state.Transaction{
		Kind: settle.KindTransfer, From: 2, To: 2, Amount: 1<<35 | 2, Fee: 1, ValidUntil: 10, ToOwner: element(12), ToL1: l1B, PublicKey: element(12),
	}
	open := state.Transaction{
		Kind: settle.KindOpen, From: 2, Assigned: 1 << 20, Amount: 7, Fee: 1, Nonce: 1, ToOwner: element(99), ToL1: l1A, PublicKey: element(12),
	}
	exit := state.Transaction{Kind: settle.KindExitAll, From: 2, Fee: 1, Nonce: 2, ToL1: l1B, PublicKey: element(12)}
	for version, txs := range map[int][]state.Transaction{1: {tx, self}, 2: {tx, self, open, exit}} {
		file := fmt.Sprintf("testdata/trace_v%d.bin", version)
		trace, err := fixedState(t).Apply(txs)
		require.NoError(t, err)
		blob, err := state.EncodeTrace(trace)
		require.NoError(t, err)
		if *update && version == state.TraceVersion {
			require.NoError(t, os.WriteFile(file, blob, 0o644))
		}
		stored, err := os.ReadFile(file)
		require.NoError(t, err)
		if version == state.TraceVersion {
			require.Equal(t, openPayload(t, stored), openPayload(t, blob))
		}
		decoded, err := state.DecodeTrace(stored)
		require.NoError(t, err)
		require.Equal(t, trace, decoded)
	}
}
