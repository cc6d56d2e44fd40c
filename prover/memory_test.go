package prover

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePeak(t *testing.T) {
	peak, ok := kibibytes([]byte("VmPeak:\t 1 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 3 kB\n"), "VmHWM:")
	require.True(t, ok)
	require.EqualValues(t, 2<<20, peak)
	for _, bad := range []string{"", "VmHWM:\t2048 MB\n", "VmHWM: x kB\n", "VmHWM:\n"} {
		_, ok := kibibytes([]byte(bad), "VmHWM:")
		require.False(t, ok, bad)
	}
}
