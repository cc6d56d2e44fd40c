package jobs_test

import (
	"context"
	"testing"

	"github.com/zksettle/settle"
)

// TestWorkerTellsItsSteps: a worker that is idle, and one that is in the middle of a
// long proof, is seen to be alive; and so is its reaper.
func TestWorkerTellsItsSteps(t *testing.T) {
	f := newFleet(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	cfg := f.config("a", f.fake(func(ctx context.Context, _ settle.BatchNumber) error {
		close(begun)
		select {
		case <-finish:
		case <-ctx.Done():
		}
		return nil
	}))
	worker, reaper := heard(&cfg.WorkerStep), heard(&cfg.ReaperStep)
	f.start(cfg)
	<-worker
	<-reaper
	f.seal(1)
	<-begun
	for range 3 { // one may be of the look that found the job
		<-worker
	}
	close(finish)
	f.awaitProofs(1)
}

// heard has a step tell a channel; what nobody waits for is told once.
func heard(step *func()) <-chan struct{} {
	told := make(chan struct{}, 1)
	*step = func() {
		select {
		case told <- struct{}{}:
		default:
		}
	}
	return told
}
