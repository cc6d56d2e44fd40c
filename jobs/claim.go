package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// claim takes the oldest job that this worker has keys and memory for; the others stay
// for workers that do. store.ErrNotFound if there is none.
func (w *worker) claim(ctx context.Context) (store.Lease, error) {
	w.looking.Lock()
	defer w.looking.Unlock()
	// A worker that stops in the middle of this would take a job and not know of it.
	call, done := context.WithTimeout(context.WithoutCancel(ctx), contactTimeout)
	defer done()
	kinds, refused := w.kinds(ctx)
	lease, err := w.cfg.Store.ClaimJob(call, store.Claim{Holder: w.cfg.Holder, TTL: w.cfg.Policy.LeaseTTL, Kinds: kinds, Memory: w.cfg.Memory})
	if errors.Is(err, store.ErrNotFound) {
		if err := w.tell(call, kinds, refused); err != nil {
			return store.Lease{}, err
		}
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		w.cfg.WorkerStep()
	}
	return lease, err
}

// kinds returns what this worker can prove now, and by shape why it has no memory for
// the rest.
func (w *worker) kinds(ctx context.Context) (kinds []store.ProofKind, refused map[string]error) {
	refused = map[string]error{}
	circuits := []string{w.cfg.Prover.Circuit()}
	if w.cfg.Folder != nil {
		circuits = append(circuits, settle.CircuitAggregate)
	}
	for shape, key := range w.cfg.Keys {
		if w.cfg.Admit != nil {
			err := w.cfg.Admit(shape)
			if errors.Is(err, prover.ErrMemory) {
				refused[shape] = err
				continue
			} else if err != nil {
				w.cfg.Logger.WarnContext(ctx, "the memory cannot be looked at; jobs are claimed all the same", "shape", shape, "error", err)
			}
		}
		for _, circuit := range circuits {
			kinds = append(kinds, store.ProofKind{Circuit: circuit, Shape: shape, KeyHash: key})
		}
	}
	return kinds, refused
}

// tell says loudly, and again every Policy.Remind, that a job waits which this worker
// would take if it had the memory; and softly that one waits for keys of other workers.
func (w *worker) tell(ctx context.Context, kinds []store.ProofKind, refused map[string]error) error {
	waiting, err := w.cfg.Store.DueJobs(ctx)
	if err != nil {
		return err
	}
	for _, k := range waiting {
		reason, small := refused[k.Shape]
		small = small && w.cfg.Keys[k.Shape] == k.KeyHash
		if small {
			w.cfg.Metrics.MemoryWaits.WithLabelValues(k.Shape).Inc()
		}
		name := k.Shape + " " + k.KeyHash.String()
		if slices.Contains(kinds, k) || time.Since(w.said[name]) < w.cfg.Policy.Remind {
			continue // kept for a larger worker, or claimed by another one just now
		}
		w.said[name] = time.Now()
		if small {
			w.cfg.Logger.ErrorContext(ctx, "a proof job is not claimed: there is not enough memory for it", "shape", k.Shape, "reason", reason)
		} else {
			w.cfg.Logger.WarnContext(ctx, "job left to others: this worker has no such keys", "circuit", k.Circuit, "shape", k.Shape, "key_hash", k.KeyHash)
		}
	}
	return nil
}
