package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

const (
	// contactTimeout bounds a word with Postgres, also when the worker's own context has ended.
	contactTimeout = 5 * time.Second
	storeRetryMin  = 100 * time.Millisecond
	storeRetryMax  = 2 * time.Second
)

// work makes the proof of a claimed job and reports what became of it.
func (w *worker) work(stop context.Context, lease store.Lease) {
	log := w.cfg.Logger.With("batch", lease.Batch, "shape", lease.Shape, "job", lease.ID, "attempt", lease.Attempt, "epoch", lease.Epoch)
	if lease.Last != lease.Batch {
		log = log.With("last", lease.Last)
	}
	if stop.Err() != nil {
		w.release(stop, lease, log)
		return
	}
	w.cfg.Metrics.begun(lease)
	log.InfoContext(stop, "proof begun")
	ctx, end := w.attempt(stop)
	defer end()
	work, heart := beat(ctx, w.cfg, lease, log)
	defer heart.stop()
	result, err := w.prove(work, lease)
	if err == nil {
		err = w.store(ctx, lease, result, log)
	}
	switch {
	case err == nil:
	case errors.Is(context.Cause(work), errProvenElsewhere):
		w.release(ctx, lease, log)
	case errors.Is(context.Cause(work), store.ErrJobCancelled), errors.Is(err, store.ErrJobCancelled):
		log.InfoContext(ctx, "proof stopped: it is not needed any more")
	case errors.Is(ctx.Err(), context.Canceled):
		w.release(ctx, lease, log)
		log.InfoContext(ctx, "job handed back: the worker stops")
	default:
		w.failed(ctx, lease, err, log)
	}
}

// attempt returns the context of one proof: it ends after Policy.JobTimeout, and is cancelled
// Policy.StopGrace after the worker was told to stop.
func (w *worker) attempt(stop context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), w.cfg.Policy.JobTimeout)
	unhook := context.AfterFunc(stop, func() {
		_ = pause(ctx, w.cfg.Policy.StopGrace) // or until the attempt ends
		cancel()
	})
	return ctx, func() { unhook(); cancel() }
}

// prove makes the proof and checks that it is the one that was asked for, and holds.
func (w *worker) prove(ctx context.Context, l store.Lease) (result prover.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &prover.Error{Class: prover.ClassBug, Step: "worker", Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if result, err = w.produce(ctx, l); err != nil {
		return prover.Result{}, err
	}
	if result.Proof.KeyHash != l.KeyHash {
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "keys",
			Err: fmt.Errorf("the proving process proved under key %s, asked for was %s", result.Proof.KeyHash, l.KeyHash)}
	}
	if err := w.cfg.Verifier.Verify(result.Proof); err != nil {
		// No wrapping: a refusal of bad input must not be found in a failure of ours.
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "verify",
			Err: fmt.Errorf("the proving process gave a proof that does not hold: %s", err.Error())}
	}
	sane(&result)
	w.cfg.Metrics.proof(l.Shape, result)
	return result, nil
}

// sane bounds what a proving process says of its work to what the database takes: a
// proof that holds is not lost for a nonsense time.
func sane(r *prover.Result) {
	t := &r.Timings
	for _, d := range []*time.Duration{&t.Keys, &t.Assign, &t.Solve, &t.Prove, &t.Verify} {
		*d = max(0, *d)
	}
	r.PeakMemory = min(r.PeakMemory, math.MaxInt64)
}

// store keeps trying while Postgres is away: a finished proof is not thrown away.
func (w *worker) store(ctx context.Context, l store.Lease, r prover.Result, log *slog.Logger) error {
	stats := store.ProofStats{Assign: r.Timings.Assign, Solve: r.Timings.Solve, Prove: r.Timings.Prove, PeakMemory: r.PeakMemory}
	for n := 1; ; n++ {
		outcome, err := w.cfg.Store.StoreProof(ctx, l, r.Proof, stats)
		if err == nil {
			w.cfg.Metrics.outcome(outcome)
			log.InfoContext(ctx, "proof stored", "new", outcome.Stored, "late", outcome.Late,
				"keys", r.Timings.Keys, "assign", r.Timings.Assign, "solve", r.Timings.Solve, "prove", r.Timings.Prove, "verify", r.Timings.Verify,
				"peak_bytes", r.PeakMemory)
			return nil
		}
		if errors.Is(err, store.ErrProofMismatch) {
			return &prover.Error{Class: prover.ClassBug, Step: "store", Err: err}
		}
		if !store.IsUnavailable(err) || ctx.Err() != nil {
			return fmt.Errorf("store proof: %w", err)
		}
		log.WarnContext(ctx, "the proof cannot be stored yet", "error", err)
		if err := pause(ctx, double(storeRetryMin, n, storeRetryMax)); err != nil {
			return fmt.Errorf("store proof: %w", err)
		}
	}
}

// release gives the job to other workers, or completes it if its proof is there.
func (w *worker) release(ctx context.Context, l store.Lease, log *slog.Logger) {
	call, done := context.WithTimeout(context.WithoutCancel(ctx), contactTimeout)
	defer done()
	if err := w.cfg.Store.ReleaseJob(call, l); err != nil {
		log.WarnContext(ctx, "the lease cannot be released; it will expire", "error", err)
	}
}

// failed records a failure and when to try again.
func (w *worker) failed(ctx context.Context, l store.Lease, cause error, log *slog.Logger) {
	class := store.FailureClass(prover.ClassOf(cause))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		class = store.FailResource
		cause = fmt.Errorf("not proven within %v: %w", w.cfg.Policy.JobTimeout, cause)
	}
	call, done := context.WithTimeout(context.WithoutCancel(ctx), contactTimeout)
	defer done()
	var next store.Requeue
	err := w.cfg.Store.FailJob(call, l, class, cause.Error(), func(failures []store.ProofFailure) store.Requeue {
		next = w.cfg.Policy.next(l.ProofKey, class, failures)
		if class == store.FailResource {
			next = w.cfg.Policy.larger(next, w.cfg.Memory, tallyOf(l.ProofKey, failures).losses)
		}
		return next
	})
	if errors.Is(err, store.ErrLeaseLost) {
		log.WarnContext(ctx, "proof not made, and the job was taken from this worker meanwhile", "class", class, "error", cause)
		return
	}
	w.cfg.Metrics.Failures.WithLabelValues(string(class)).Inc()
	log.ErrorContext(ctx, "proof not made", "class", class, "error", cause)
	switch {
	case err != nil:
		log.WarnContext(ctx, "the failure cannot be recorded; the lease will expire", "error", err)
	case next.Dead:
		w.cfg.Metrics.DeadLetters.Inc()
		log.ErrorContext(ctx, "dead letter", append(consequence(l.ProofJob), "class", class)...)
	}
}
