package node

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkerAddresses(t *testing.T) {
	t.Parallel()
	for first, want := range map[string][]string{
		"":               {"", ""},
		"127.0.0.1:9100": {"127.0.0.1:9100", "127.0.0.1:9101"},
		"[::1]:65534":    {"[::1]:65534", "[::1]:65535"},
		":0":             {":0", ":0"},
	} {
		got, err := WorkerAddresses(first, 2)
		require.NoError(t, err, first)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"9100", "host:many", "host:65535", "host:-1"} {
		_, err := WorkerAddresses(bad, 2)
		require.ErrorContains(t, err, "--worker-ops-listen", bad)
	}
}
