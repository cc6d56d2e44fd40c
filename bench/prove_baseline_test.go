package bench

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/constraint"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/baseline"
	"github.com/zksettle/settle/internal/toycircuit"
)

// TestBaselineKeysAreMadeOnce keeps keys of a toy: a plain circuit of one transfer is
// too large for a test.
func TestBaselineKeysAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	searches := 0
	store := newBaselineStore(dir, slog.New(slog.DiscardHandler))
	store.largest = func(int) (int, error) { searches++; return 3, nil }
	store.compile = func(transfers int) (constraint.ConstraintSystem, error) {
		require.Equal(t, 3, transfers)
		return toycircuit.Compile()
	}
	made, err := store.open(t.Context(), 4)
	require.NoError(t, err)
	require.Positive(t, made.Setup)
	found, err := store.open(t.Context(), 4)
	require.NoError(t, err)
	require.Zero(t, found.Setup)
	require.Equal(t, 1, searches)
	require.Equal(t, made.Transfers, found.Transfers)
	require.Equal(t, made.ProvingKey.G1.Z, found.ProvingKey.G1.Z)
	require.Equal(t, made.VerifyingKey.G1.K, found.VerifyingKey.G1.K)

	folders, err := filepath.Glob(filepath.Join(dir, "baseline-4-*"))
	require.NoError(t, err)
	require.Len(t, folders, 1)
	require.NoError(t, os.Truncate(filepath.Join(folders[0], baselineDump), 100))
	again, err := store.open(t.Context(), 4)
	require.NoError(t, err, "damaged keys are made anew")
	require.Positive(t, again.Setup)
	require.NotEqual(t, made.ProvingKey.G1.Z, again.ProvingKey.G1.Z)

	store.largest = func(int) (int, error) { return 0, baseline.ErrDomain }
	_, err = store.open(t.Context(), 5)
	require.ErrorIs(t, err, baseline.ErrDomain)
	broken := errors.New("broken")
	store.compile = func(int) (constraint.ConstraintSystem, error) { return nil, broken }
	store.largest = func(int) (int, error) { return 3, nil }
	_, err = store.open(t.Context(), 4)
	require.ErrorIs(t, err, broken)
}
