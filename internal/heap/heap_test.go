package heap_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/heap"
)

func TestAllocated(t *testing.T) {
	var kept []byte
	require.GreaterOrEqual(t, heap.Allocated(func() { kept = make([]byte, 1<<20) }), uint64(1<<20))
	require.Less(t, heap.Allocated(func() { kept[0] = 1 }), uint64(1<<19))
}
