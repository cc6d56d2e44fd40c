package state

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/poseidon"
)

func TestBatchNumbersDoNotWrap(t *testing.T) {
	s, err := Load(poseidon.New(), fr.NewElement(1), 1<<32-1, nil, nil)
	require.NoError(t, err)
	_, err = s.Apply(nil)
	require.ErrorIs(t, err, ErrExhausted)
	require.ErrorIs(t, s.Begin().Step(Transaction{}), ErrExhausted)
}
