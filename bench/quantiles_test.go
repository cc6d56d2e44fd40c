package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuantilesNeedValues: no 99th percentile of fewer than 100 values.
func TestQuantilesNeedValues(t *testing.T) {
	for n, want := range map[int][]string{0: nil, 6: {"p50"}, 10: {"p50", "p90"}, 99: {"p50", "p90"}, 100: {"p50", "p90", "p99"}} {
		var names []string
		for _, q := range quantilesOf(n) {
			names = append(names, q.name)
		}
		require.Equal(t, want, names, n)
	}
}
