package l1_test

import (
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1"
)

// TestOnlyCompletedStepsAreTold: while the node is away no step counts, though the
// submitter runs; once it answers they do.
func TestOnlyCompletedStepsAreTold(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 1)
	asked, stepped := make(chan struct{}), make(chan struct{}, 1)
	cfg := h.config()
	cfg.Stepped = func() {
		select {
		case stepped <- struct{}{}:
		default:
		}
	}
	s, err := l1.NewSubmitter(t.Context(), h.node, h.rows, cfg)
	require.NoError(t, err)
	set := func(down error) {
		h.node.mu.Lock()
		defer h.node.mu.Unlock()
		h.node.down, h.node.asked = down, asked
	}
	set(syscall.ECONNREFUSED)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = s.Run(ctx, nil) })
	for range 3 { // the third step has begun, two have failed
		<-asked
	}
	require.Empty(t, stepped)
	set(nil)
	<-stepped
}
