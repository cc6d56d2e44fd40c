package admission

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

func TestNextNonceIsTheFirstGap(t *testing.T) {
	for _, c := range []struct {
		executed settle.Nonce
		pending  []settle.Nonce
		next     settle.Nonce
	}{
		{0, nil, 0},
		{7, nil, 7},
		{0, []settle.Nonce{0, 1, 2}, 3},
		{0, []settle.Nonce{0, 2, 3}, 1},
		{5, []settle.Nonce{6}, 5},
		{2, []settle.Nonce{1, 2}, 3}, // 1 was executed between two reads
	} {
		require.Equal(t, c.next, Pending{Nonces: c.pending}.NextNonce(c.executed), "%v", c)
	}
}
