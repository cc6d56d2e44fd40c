package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// proofJob is the arguments of a job that makes one proof.
type proofJob interface {
	river.JobArgs
	proofKey() store.ProofKey
	shape() string
	log() []any  // names the job in messages
	dead() []any // what becomes of the batches if it is given up, and the remedy
	able(*Config) bool
	// needed returns store.ErrProofExists for a proof that is made, store.ErrJobCancelled
	// for one that nobody needs any more, store.ErrNotFound or ErrProofMismatch for one
	// that nobody ever did.
	needed(context.Context, *Config) error
	// prove makes the proof under the lease; store.ErrJobCancelled if nobody needs it any more.
	prove(context.Context, *Config, store.Lease) (prover.Result, error)
}

// worker makes the proofs of one kind of job.
type worker[A proofJob] struct {
	river.WorkerDefaults[A]
	cfg   *Config
	ended *attempts
}

const (
	// contactTimeout bounds what a worker writes when its own context has ended.
	contactTimeout = 5 * time.Second
	// otherKeysDelay puts off a job that needs keys that this worker does not have.
	otherKeysDelay = 3 * time.Second
	storeRetryMin  = 100 * time.Millisecond
	storeRetryMax  = 2 * time.Second
)

// Timeout implements river.Worker.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.cfg.Policy.JobTimeout }

// NextRetry implements river.Worker, for witness and bug failures: River keeps one
// error of each. Everything else is put off by snoozing, which costs no attempt.
func (w *worker[A]) NextRetry(job *river.Job[A]) time.Time {
	return time.Now().Add(w.cfg.Policy.failureDelay(len(job.Errors) + 1))
}

// Work implements river.Worker.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	defer w.ended.end(job.JobRow)
	a, key := job.Args, job.Args.proofKey()
	log := w.cfg.Logger.With(append(a.log(), "shape", a.shape(), "job", job.ID, "attempt", job.Attempt)...)
	if w.cfg.Keys[a.shape()] != key.KeyHash || !a.able(w.cfg) {
		log.WarnContext(ctx, "job left to others: this worker has no such keys", "circuit", key.Circuit, "key_hash", key.KeyHash)
		return river.JobSnooze(otherKeysDelay)
	}
	err := a.needed(ctx, w.cfg)
	var lease store.Lease
	if err == nil {
		lease, err = w.cfg.Store.AcquireLease(ctx, store.LeaseRequest{
			ProofKey: key, Holder: w.cfg.Holder, JobID: job.ID, JobAttempt: job.Attempt, TTL: w.cfg.Policy.LeaseTTL,
		})
	}
	switch {
	case errors.Is(err, store.ErrProofExists):
		log.InfoContext(ctx, "nothing to do: the proof is stored")
		return nil
	case errors.Is(err, store.ErrJobCancelled):
		log.InfoContext(ctx, "nothing to do: nobody needs the proof any more")
		return river.JobCancel(err)
	case errors.Is(err, store.ErrLeaseHeld):
		log.InfoContext(ctx, "another worker is at it", "reason", err)
		return river.JobSnooze(w.cfg.Policy.Heartbeat)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrProofMismatch):
		return river.JobCancel(fmt.Errorf("the job names no proof that is needed: %w", err))
	case err != nil:
		w.cfg.Metrics.Failures.WithLabelValues(string(store.FailInfrastructure)).Inc()
		log.WarnContext(ctx, "no lease", "error", err)
		return river.JobSnooze(w.cfg.Policy.retryDelay(snoozes(job.Metadata) + 1))
	}
	log = log.With("epoch", lease.Epoch)
	w.cfg.Metrics.begun(a.shape(), job.JobRow)
	log.InfoContext(ctx, "proof begun")
	work, heart := beat(ctx, w.cfg, lease, log)
	defer heart.stop()
	result, err := w.prove(work, a, lease)
	if err == nil {
		err = w.store(ctx, job, lease, result, log)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(work), errProvenElsewhere):
		return nil
	case errors.Is(context.Cause(work), store.ErrJobCancelled), errors.Is(err, store.ErrJobCancelled):
		return w.cancelled(ctx, lease, log)
	case errors.Is(ctx.Err(), context.Canceled):
		return w.handBack(ctx, lease, log)
	}
	return w.failed(ctx, job, lease, err, log)
}

// prove makes the proof and checks that it is the one that was asked for, and holds.
func (w *worker[A]) prove(ctx context.Context, a A, lease store.Lease) (prover.Result, error) {
	result, err := a.prove(ctx, w.cfg, lease)
	if err != nil {
		return prover.Result{}, err
	}
	if want := a.proofKey().KeyHash; result.Proof.KeyHash != want {
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "keys",
			Err: fmt.Errorf("the proving process proved under key %s, asked for was %s", result.Proof.KeyHash, want)}
	}
	if err := w.cfg.Verifier.Verify(result.Proof); err != nil {
		// No wrapping: a refusal of bad input must not be found in a failure of ours.
		return prover.Result{}, &prover.Error{Class: prover.ClassBug, Step: "verify",
			Err: fmt.Errorf("the proving process gave a proof that does not hold: %s", err.Error())}
	}
	sane(&result)
	w.cfg.Metrics.proof(a.shape(), result)
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
func (w *worker[A]) store(ctx context.Context, job *river.Job[A], lease store.Lease, r prover.Result, log *slog.Logger) error {
	stats := store.ProofStats{Assign: r.Timings.Assign, Solve: r.Timings.Solve, Prove: r.Timings.Prove, PeakMemory: r.PeakMemory}
	complete := func(_ context.Context, tx pgx.Tx) error {
		ours, err := inAttempt(ctx, tx, []int64{job.ID}, func(int64) *time.Time { return job.AttemptedAt })
		if err != nil || len(ours) == 0 {
			return err // not our attempt any more: its worker will find the proof
		}
		_, err = river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		if errors.Is(err, rivertype.ErrNotFound) {
			return nil // deleted by an operator
		}
		return err
	}
	for n := 1; ; n++ {
		outcome, err := w.cfg.Store.StoreProof(ctx, lease, r.Proof, stats, complete)
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

// handBack gives lease and job to another worker. River makes the job available
// again when it sees that the client's stop ended the work.
func (w *worker[A]) handBack(ctx context.Context, lease store.Lease, log *slog.Logger) error {
	w.release(ctx, lease, log)
	log.InfoContext(ctx, "job handed back: the worker stops")
	return fmt.Errorf("worker stops: %w", ctx.Err())
}

// cancelled ends an attempt in the middle of its proof, which nobody needs any more. It
// is no failure.
func (w *worker[A]) cancelled(ctx context.Context, lease store.Lease, log *slog.Logger) error {
	w.release(ctx, lease, log)
	log.InfoContext(ctx, "proof stopped: nobody needs it any more")
	return river.JobCancel(fmt.Errorf("stopped in the middle of the proof: %w", store.ErrJobCancelled))
}

func (w *worker[A]) release(ctx context.Context, lease store.Lease, log *slog.Logger) {
	call, done := context.WithTimeout(context.WithoutCancel(ctx), contactTimeout)
	defer done()
	if err := w.cfg.Store.ReleaseLease(call, lease); err != nil {
		log.WarnContext(ctx, "the lease cannot be released; it will expire", "error", err)
	}
}

// failed records a failure and says when to try again.
func (w *worker[A]) failed(ctx context.Context, job *river.Job[A], lease store.Lease, cause error, log *slog.Logger) error {
	class := store.FailureClass(prover.ClassOf(cause))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		class = store.FailResource
		cause = fmt.Errorf("not proven within %v: %w", w.cfg.Policy.JobTimeout, cause)
	}
	w.cfg.Metrics.Failures.WithLabelValues(string(class)).Inc()
	log.ErrorContext(ctx, "proof not made", "class", class, "error", cause)
	call, done := context.WithTimeout(context.WithoutCancel(ctx), contactTimeout)
	defer done()
	retry := river.JobSnooze(w.cfg.Policy.retryDelay(snoozes(job.Metadata) + 1))
	if err := w.cfg.Store.RecordFailure(call, lease, class, cause.Error()); err != nil {
		log.WarnContext(ctx, "the failure cannot be recorded", "error", err)
		return retry
	}
	failures, err := w.cfg.Store.ProofFailures(call, job.Args.proofKey().Batch)
	if err != nil {
		log.WarnContext(ctx, "earlier failures cannot be read", "error", err)
		return retry
	}
	counted := tallyOf(job.Args.proofKey(), failures)
	switch {
	case w.cfg.Policy.dead(class, counted):
		w.cfg.Metrics.DeadLetters.Inc()
		log.ErrorContext(ctx, "dead letter", append(job.Args.dead(), "class", class)...)
		job.MaxAttempts = job.Attempt // River discards a job that fails at its last attempt
		return cause
	case class == store.FailWitness, class == store.FailBug:
		return cause
	case class == store.FailResource:
		delay := max(w.cfg.Policy.RetryMin, w.cfg.Policy.lossDelay(counted.losses))
		if err := w.escalate(call, job, delay+w.cfg.Policy.escalation(counted.losses)); err != nil {
			log.WarnContext(ctx, "the job cannot be kept for a larger worker", "error", err)
		}
		return river.JobSnooze(delay)
	}
	return retry
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
