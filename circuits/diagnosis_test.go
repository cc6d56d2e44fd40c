package circuits_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/diagnosis"
)

func TestLocateNamesTheCodeOfAConstraint(t *testing.T) {
	shape, err := circuits.ShapeByName("tiny")
	require.NoError(t, err)
	system, err := circuits.Compile(shape)
	require.NoError(t, err)

	first, err := circuits.Locate(shape, 0)
	require.NoError(t, err)
	require.NotEmpty(t, first.Frames)
	t.Log(first)
	last, err := circuits.Locate(shape, system.GetNbConstraints()-1)
	require.NoError(t, err)
	t.Log(last)
	require.Equal(t, "deferred", last.Chip)
	_, err = circuits.Locate(shape, system.GetNbConstraints())
	require.ErrorIs(t, err, diagnosis.ErrNoConstraint)
}
