package jobs

import (
	"time"

	"github.com/zksettle/settle/store"
)

// Policy times leases and retries. Zero fields get the defaults named beside them.
type Policy struct {
	Heartbeat time.Duration // between heartbeats; 2 seconds
	LeaseTTL  time.Duration // how long a lease lives without one; 10 seconds
	Reap      time.Duration // between looks for dead leases; 1 second

	RetryMin    time.Duration // first delay after an infrastructure failure; 1 second, doubling
	RetryMax    time.Duration // longest delay of any kind of failure; 15 seconds
	FailureWait time.Duration // first delay after a witness or bug failure; 5 seconds, doubling
	MaxFailures int           // witness or bug failures that make a dead letter; 3
	FreeLosses  int           // deaths of workers after which a job goes back at once; 2
	LossWait    time.Duration // first delay after more deaths; 15 seconds, doubling to 10 minutes
	MaxLosses   int           // deaths and resource failures that make a dead letter; 10

	Escalate    time.Duration // how long a job that failed for want of memory waits for a larger worker; 10 seconds, doubling to 10 minutes
	BlockedLook time.Duration // between looks whether settlement waits for a dead letter; 5 seconds
	Remind      time.Duration // between repetitions of a loud message whose cause stays; 1 minute

	JobTimeout time.Duration // of one proof; 1 hour
	StopGrace  time.Duration // for a proof to finish when the worker stops; 20 seconds
}

const maxLossWait = 10 * time.Minute

func (p Policy) withDefaults() Policy {
	durations := []struct {
		field *time.Duration
		value time.Duration
	}{
		{&p.Heartbeat, 2 * time.Second}, {&p.LeaseTTL, 10 * time.Second}, {&p.Reap, time.Second},
		{&p.RetryMin, time.Second}, {&p.RetryMax, 15 * time.Second}, {&p.FailureWait, 5 * time.Second}, {&p.LossWait, 15 * time.Second},
		{&p.Escalate, 10 * time.Second}, {&p.BlockedLook, 5 * time.Second}, {&p.Remind, time.Minute}, {&p.JobTimeout, time.Hour}, {&p.StopGrace, 20 * time.Second},
	}
	for _, d := range durations {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, n := range []struct {
		field *int
		value int
	}{{&p.MaxFailures, 3}, {&p.FreeLosses, 2}, {&p.MaxLosses, 10}} {
		if *n.field == 0 {
			*n.field = n.value
		}
	}
	return p
}

// double returns first·2^(n-1), at most limit; n counts from 1.
func double(first time.Duration, n int, limit time.Duration) time.Duration {
	d := first
	for range min(n, 32) - 1 {
		if d >= limit {
			break
		}
		d *= 2
	}
	return min(d, limit)
}

// retryDelay is the delay before try n (from 1) after an infrastructure failure.
func (p Policy) retryDelay(n int) time.Duration { return double(p.RetryMin, n, p.RetryMax) }

// failureDelay is the delay after the nth witness or bug failure.
func (p Policy) failureDelay(n int) time.Duration {
	return double(p.FailureWait, n, max(p.RetryMax, p.FailureWait))
}

// lossDelay is the delay after the nth death of a worker.
func (p Policy) lossDelay(n int) time.Duration {
	if n <= p.FreeLosses {
		return 0
	}
	return double(p.LossWait, n-p.FreeLosses, maxLossWait)
}

// escalation is how long the job is kept for a larger worker, beyond its delay, after
// the nth loss: a larger worker may be busy, and a smaller one would lose it again.
func (p Policy) escalation(n int) time.Duration {
	return double(p.Escalate, n, max(p.Escalate, maxLossWait))
}

// tally counts the failures of one proof by what they lead to.
type tally struct{ definite, losses, passing int }

func tallyOf(key store.ProofKey, failures []store.ProofFailure) tally {
	var t tally
	for _, f := range failures {
		switch {
		case f.ProofKey != key:
		case f.Class == store.FailWitness || f.Class == store.FailBug:
			t.definite++
		case f.Class == store.FailResource || f.Lost():
			t.losses++
		default:
			t.passing++
		}
	}
	return t
}

// next says what becomes of a job after a failure of this class, which is the last of
// failures. The death of a worker counts as one of resources. It is the multiples that make a
// dead letter: an operator who retries one gives it as many tries again.
func (p Policy) next(key store.ProofKey, class store.FailureClass, failures []store.ProofFailure) store.Requeue {
	t := tallyOf(key, failures)
	switch class {
	case store.FailWitness, store.FailBug:
		return store.Requeue{Delay: p.failureDelay(t.definite), Dead: t.definite > 0 && t.definite%p.MaxFailures == 0}
	case store.FailResource:
		return store.Requeue{Delay: p.lossDelay(t.losses), Dead: t.losses > 0 && t.losses%p.MaxLosses == 0}
	case store.FailInfrastructure:
	}
	return store.Requeue{Delay: p.retryDelay(t.passing)}
}

// larger keeps a job that ran out of memory on a worker with so many bytes for larger ones.
func (p Policy) larger(next store.Requeue, memory uint64, losses int) store.Requeue {
	next.Delay = max(p.RetryMin, next.Delay)
	next.MemoryAbove, next.MemoryFor = memory, next.Delay+p.escalation(losses)
	return next
}
