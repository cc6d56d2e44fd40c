package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/zksettle/settle/store"
)

// errProvenElsewhere stops a proof that somebody else has stored meanwhile.
var errProvenElsewhere = errors.New("the proof is stored already")

// heartbeat keeps a lease alive until it is stopped.
type heartbeat struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// beat starts it. The returned context ends, with cause errProvenElsewhere or
// store.ErrJobCancelled, when the work has become pointless. A lost lease does not end
// it: a late proof is kept.
func beat(ctx context.Context, cfg *Config, lease store.Lease, log *slog.Logger) (context.Context, *heartbeat) {
	work, end := context.WithCancelCause(ctx)
	// The heart goes on while a stopping worker stores its proof.
	beating, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := &heartbeat{cancel: func() { cancel(); end(nil) }}
	h.done.Go(func() {
		ticker := time.NewTicker(cfg.Policy.Heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-ticker.C:
			}
			call, done := context.WithTimeout(beating, cfg.Policy.LeaseTTL)
			err := cfg.Store.Heartbeat(call, lease, cfg.Policy.LeaseTTL)
			done()
			switch {
			case beating.Err() != nil:
			case err == nil:
				cfg.WorkerStep()
			case errors.Is(err, store.ErrProofExists):
				log.Info("somebody else has stored the proof")
				end(errProvenElsewhere)
				return
			case errors.Is(err, store.ErrJobCancelled):
				end(store.ErrJobCancelled)
				return
			case errors.Is(err, store.ErrLeaseLost):
				log.Warn("the lease is lost; the proof will be late")
				return
			default:
				log.Warn("heartbeat failed", "error", err)
			}
		}
	})
	return work, h
}

// stop ends the heartbeat and its context.
func (h *heartbeat) stop() {
	h.cancel()
	h.done.Wait()
}
