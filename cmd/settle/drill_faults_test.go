package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1/devchain"
)

const (
	// pauseMin is longer than a lease lives, so that another worker takes over.
	pauseMin = 12 * time.Second
	// settleIn is how long after its start a role may end by itself because Postgres or
	// the node was away.
	settleIn = 30 * time.Second
	// startAgain is the pause of the service manager.
	startAgain = time.Second
	// catchWithin bounds the wait for a worker that holds a lease, to pause it.
	catchWithin = 5 * time.Second
)

// role is a process that a service manager would keep.
type role struct {
	name   string
	args   []string
	lives  []*testcmd.Process
	begun  time.Time
	paused bool
}

func (r *role) process() *testcmd.Process { return r.lives[len(r.lives)-1] }

// fault begins once a share of the transactions is proven, or settled too.
type fault struct {
	at   float64
	name string
	// begin reports false to be asked again at the next tick.
	begin func() bool
}

// ending is the end of an outage.
type ending struct {
	when time.Time
	end  func()
}

// faultNote is what has happened, for the report.
type faultNote struct {
	AtSeconds float64 `json:"at_seconds"`
	Proven    int     `json:"proven"`
	Fault     string  `json:"fault"`
}

func (d *drill) note(format string, args ...any) {
	n := faultNote{time.Since(d.begun).Seconds(), d.proven, fmt.Sprintf(format, args...)}
	d.result.Faults = append(d.result.Faults, n)
	d.t.Logf("%.1f s, %d proven: %s", n.AtSeconds, n.Proven, n.Fault)
}

// plan draws when which faults begin: one of each kind first, spread over the
// proving of all transactions. The node goes for long early enough to come back
// while proving goes on.
func (d *drill) plan(faults int, away time.Duration) {
	kinds := []fault{
		{name: "node away", begin: func() bool { return d.nodeGone("the node is out of reach for "+away.String(), away) }},
		{name: "worker pauses", begin: d.pauseWorker()},
		{name: "sequencer", begin: func() bool { return d.killed("sequencer") }},
		{name: "api", begin: func() bool { return d.killed("api") }},
		{name: "submitter", begin: func() bool { return d.killed("submitter") }},
		{name: "worker", begin: func() bool { return d.killed(fmt.Sprintf("worker %d", 1+d.rand.IntN(2))) }},
		{name: "Postgres restarts", begin: d.postgresRestarts},
		{name: "Postgres crashes", begin: d.postgresCrashes},
		{name: "node restarts", begin: func() bool { return d.nodeGone("the node restarts", 0) }},
	}
	if *drillAggregate {
		kinds = append(kinds, fault{name: "aggregator", begin: func() bool { return d.killed("aggregator") }})
	}
	for i := range faults {
		f := kinds[min(i, len(kinds)-1)]
		if i >= len(kinds) {
			f = kinds[1+d.rand.IntN(len(kinds)-1)]
		}
		f.at = 0.95 * d.rand.Float64()
		if f.name == "node away" {
			f.at = 0.3 * d.rand.Float64()
		}
		if f.name == "worker pauses" {
			f.at *= 0.6
			f.begin = d.pauseWorker()
		}
		d.pending = append(d.pending, f)
	}
	slices.SortStableFunc(d.pending, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
}

// beginFaults begins those that are due. Where proofs are folded most of the time is
// spent between proving and settling, so that both count half.
func (d *drill) beginFaults() {
	share := float64(d.proven) / float64(len(d.orders))
	if *drillAggregate {
		share = float64(d.proven+d.settled) / float64(2*len(d.orders))
	}
	d.pending = slices.DeleteFunc(d.pending, func(f fault) bool { return f.at <= share && f.begin() })
}

func (d *drill) endOutages() {
	d.ends = slices.DeleteFunc(d.ends, func(e ending) bool {
		due := !time.Now().Before(e.when)
		if due {
			e.end()
		}
		return due
	})
}

func (d *drill) after(period time.Duration, end func()) {
	d.ends = append(d.ends, ending{time.Now().Add(period), end})
}

// between draws a time.
func (d *drill) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.rand.Int64N(int64(high-low)))
}

func (d *drill) outage() { d.outages++ }

func (d *drill) restored() {
	d.outages--
	d.healthy = time.Now()
}

func (d *drill) launch(r *role) {
	d.t.Helper()
	r.lives = append(r.lives, testcmd.Launch(d.t, d.env(), r.args...))
	r.begun, r.paused = time.Now(), false
}

// supervise starts ended roles again. A role that is up outlives any outage; one
// that was starting while Postgres or the node was away may end.
func (d *drill) supervise() {
	d.t.Helper()
	for _, r := range d.roles {
		p := r.process()
		if p.Running() {
			continue
		}
		troubled := d.outages > 0 || d.healthy.After(r.begun)
		require.True(d.t, troubled && time.Since(r.begun) < settleIn, "the %s ended by itself after %s: %s: %s",
			r.name, time.Since(r.begun), p.Cmd.ProcessState, p.Stderr())
		if time.Since(r.begun) < startAgain {
			continue
		}
		d.result.FailedStarts++
		d.launch(r)
	}
}

func (d *drill) killed(name string) bool {
	d.t.Helper()
	r := d.roles[name]
	p := r.process()
	d.note("SIGKILL of the %s", name)
	p.Signal(syscall.SIGKILL)
	_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGCONT) // its proving process may be paused, and must find that it is gone
	p.Wait()
	d.result.Kills++
	d.launch(r)
	return true
}

func (d *drill) postgresRestarts() bool {
	d.t.Helper()
	if d.postgresAway {
		return false
	}
	d.note("Postgres restarts")
	d.outage()
	require.NoError(d.t, d.server.Restart(d.t.Context()))
	d.restored()
	return true
}

// postgresCrashes ends the server and all its sessions at once; the next start
// recovers from the write-ahead log.
func (d *drill) postgresCrashes() bool {
	d.t.Helper()
	if d.postgresAway {
		return false
	}
	away := d.between(0, 3*time.Second)
	d.note("Postgres crashes and is away for %s", away.Round(100*time.Millisecond))
	d.outage()
	d.postgresAway = true
	require.NoError(d.t, d.server.Kill())
	d.after(away, func() {
		require.NoError(d.t, d.server.Resume(context.WithoutCancel(d.t.Context())))
		d.postgresAway = false
		d.restored()
	})
	return true
}

// nodeGone stops the node, unless it is stopped already: then it is asked again.
func (d *drill) nodeGone(what string, away time.Duration) bool {
	d.t.Helper()
	if d.nodeAway {
		return false
	}
	d.note("%s", what)
	d.outage()
	d.nodeAway = true
	require.NoError(d.t, d.node.Close())
	d.after(away, func() {
		var err error
		d.node, err = devchain.Start(context.WithoutCancel(d.t.Context()), d.chain)
		require.NoError(d.t, err)
		d.nodeAway = false
		d.restored()
		d.note("the node is back")
	})
	return true
}

// pauseWorker stops a worker in the middle of a proof for longer than its lease
// lives: the process alone, whose proving child goes on and is heard late, or both.
// If no worker proves for a while, it takes one that does not.
func (d *drill) pauseWorker() func() bool {
	whole := d.rand.IntN(2) == 0
	period := d.between(pauseMin, pauseMin+5*time.Second)
	number := 1 + d.rand.IntN(2)
	var due time.Time
	return func() bool {
		if d.roles["worker 1"].paused || d.roles["worker 2"].paused {
			return false // one at a time: somebody has to take over
		}
		if due.IsZero() {
			due = time.Now()
		}
		r, proves := d.proving()
		if !proves && time.Since(due) < catchWithin {
			return false
		}
		if !proves {
			r = d.roles[fmt.Sprintf("worker %d", number)]
		}
		p := r.process()
		pid, what := p.Cmd.Process.Pid, "alone"
		if whole {
			pid, what = -pid, "with its proving process" // the group
		}
		d.note("SIGSTOP of %s %s for %s (it proves: %t)", r.name, what, period.Round(100*time.Millisecond), proves)
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may be ending after a failed start
		r.paused = true
		d.result.Pauses++
		d.after(period, func() {
			if r.process() == p { // not killed meanwhile
				_ = syscall.Kill(pid, syscall.SIGCONT)
				r.paused = false
				d.note("SIGCONT of %s", r.name)
			}
		})
		return true
	}
}

// proving finds a worker that holds a lease.
func (d *drill) proving() (*role, bool) {
	ctx, cancel := contextWithin(d.t, time.Second)
	defer cancel()
	for _, name := range []string{"worker 1", "worker 2"} {
		var holds bool
		r := d.roles[name]
		err := d.pool.QueryRow(ctx, "select exists (select from proof_jobs where holder = $1 and status = 'running' and expires_at > now())",
			r.process().Holder(d.t)).Scan(&holds)
		if err == nil && holds {
			return r, true
		}
	}
	return nil, false
}

func contextWithin(t *testing.T, period time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.WithoutCancel(t.Context()), period)
}
