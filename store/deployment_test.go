package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

// What a deployment sends is read back in the order in which it was stored, once each.
func TestDeploymentTransactions(t *testing.T) {
	s := store.New(testdb.New(t).Pool)
	none, err := s.DeploymentTransactions(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	want := []store.DeploymentTransaction{
		{Name: "verifier transition/tiny", TxHash: settle.Hash{9}, RawTx: []byte{1, 2}},
		{Name: "rollup 00", TxHash: settle.Hash{3}, RawTx: []byte{4}},
	}
	for _, x := range append(want, want[0]) {
		require.NoError(t, s.AddDeploymentTransaction(t.Context(), x))
	}
	got, err := s.DeploymentTransactions(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}
