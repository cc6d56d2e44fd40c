package prover

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePeak(t *testing.T) {
	peak, ok := parsePeak([]byte("VmPeak:\t 1 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 3 kB\n"))
	require.True(t, ok)
	require.EqualValues(t, 2<<20, peak)
	for _, bad := range []string{"", "VmHWM:\t2048 MB\n", "VmHWM: x kB\n", "VmHWM:\n"} {
		_, ok := parsePeak([]byte(bad))
		require.False(t, ok, bad)
	}
}
