package jobs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/store"
)

func TestDefaultsTakeOverWithinFifteenSeconds(t *testing.T) {
	p := Policy{}.withDefaults()
	require.LessOrEqual(t, p.LeaseTTL+p.Reap+pollQueue, 15*time.Second)
	require.Less(t, 3*p.Heartbeat, p.LeaseTTL, "a lease survives two lost heartbeats")
	require.Zero(t, p.lossDelay(1))
	require.Zero(t, p.lossDelay(p.FreeLosses))
}

func TestDelaysGrowToTheirLimits(t *testing.T) {
	p := Policy{}.withDefaults()
	require.Equal(t, time.Second, p.retryDelay(1))
	require.Equal(t, 8*time.Second, p.retryDelay(4))
	require.Equal(t, p.RetryMax, p.retryDelay(5))
	require.Equal(t, p.RetryMax, p.retryDelay(1<<30))
	require.Equal(t, 5*time.Second, p.failureDelay(1))
	require.Equal(t, 10*time.Second, p.failureDelay(2))
	require.Equal(t, p.LossWait, p.lossDelay(p.FreeLosses+1))
	require.Equal(t, maxLossWait, p.lossDelay(100))
}

func TestFateByClass(t *testing.T) {
	p := Policy{}.withDefaults()
	key := store.ProofKey{Batch: 1}
	list := func(n int, class store.FailureClass, detail string) []store.ProofFailure {
		var fs []store.ProofFailure
		for range n {
			fs = append(fs, store.ProofFailure{ProofKey: key, Class: class, Detail: detail})
		}
		return fs
	}
	const lost = "lease expired: the worker is gone"
	for _, c := range []struct {
		name     string
		failures []store.ProofFailure
		class    store.FailureClass
		dead     bool
		delay    time.Duration
	}{
		{"two witness failures", list(2, store.FailWitness, ""), store.FailWitness, false, 10 * time.Second},
		{"three", list(3, store.FailWitness, ""), store.FailWitness, true, 15 * time.Second},
		{"a fourth, after a retry by hand", list(4, store.FailBug, ""), store.FailBug, false, 15 * time.Second},
		{"three more", list(6, store.FailBug, ""), store.FailBug, true, 15 * time.Second},
		{"infrastructure", list(300, store.FailInfrastructure, "postgres away"), store.FailInfrastructure, false, 15 * time.Second},
		{"infrastructure once", list(1, store.FailInfrastructure, "postgres away"), store.FailInfrastructure, false, time.Second},
		{"a death", list(1, store.FailInfrastructure, lost), store.FailResource, false, 0},
		{"nine deaths", list(9, store.FailInfrastructure, lost), store.FailResource, false, 10 * time.Minute},
		{"ten deaths", list(10, store.FailInfrastructure, lost), store.FailResource, true, 10 * time.Minute},
		{"five deaths, five of memory", append(list(5, store.FailInfrastructure, lost), list(5, store.FailResource, "memory")...), store.FailResource, true, 10 * time.Minute},
		{"of another key", append(list(2, store.FailBug, ""), store.ProofFailure{ProofKey: store.ProofKey{Batch: 2}, Class: store.FailBug}), store.FailBug, false, 10 * time.Second},
	} {
		require.Equal(t, store.Requeue{Delay: c.delay, Dead: c.dead}, p.next(key, c.class, c.failures), c.name)
	}
}

func TestReaperIsPatientAfterAnOutage(t *testing.T) {
	p := patience{ttl: 10 * time.Second}
	now := time.Now()
	require.True(t, p.look(now), "a new reaper acts at once: its workers may be dead for long")
	for range 30 {
		now = now.Add(time.Second)
		require.True(t, p.look(now))
	}
	now = now.Add(40 * time.Second) // no look succeeded
	for range 10 {
		require.False(t, p.look(now))
		now = now.Add(time.Second)
	}
	require.True(t, p.look(now))
}

func TestEscalationGrowsWithLosses(t *testing.T) {
	p := Policy{}.withDefaults()
	require.Equal(t, 10*time.Second, p.escalation(1))
	require.Equal(t, 40*time.Second, p.escalation(3))
	require.Equal(t, maxLossWait, p.escalation(100))
	p.Escalate = time.Hour
	require.Equal(t, time.Hour, p.escalation(2), "what is configured is never cut")
}
