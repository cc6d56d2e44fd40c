package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
)

var (
	drillTransfers = flag.Int("drill.transfers", 40, "transfers of the fault drill")
	drillFaults    = flag.Int("drill.faults", 8, "faults of the fault drill")
	drillSeed      = flag.Uint64("drill.seed", 0, "seed of the fault drill; 0 takes one from the clock")
	drillReport    = flag.String("drill.report", "", "file for the fault drill's report, JSON")
)

// drill is a run of transfers through faults. Same seed, same order of faults; when
// they hit is up to the machine.
type drill struct {
	*rig
	rand   *rand.Rand
	roles  map[string]*process
	server *postgres.Server
	node   *devchain.Chain
	chain  devchain.Config
	begun  time.Time
	report drillResult
}

type drillResult struct {
	Seed      uint64       `json:"seed"`
	Transfers int          `json:"transfers"`
	Settled   int          `json:"settled"`
	Lost      int          `json:"lost"`
	Doubled   int          `json:"doubled"`
	Batches   uint64       `json:"batches"`
	Root      string       `json:"root"`
	L1Agrees  bool         `json:"l1_and_replay_agree"`
	Seconds   float64      `json:"seconds"`
	Faults    []drillFault `json:"faults"`
}

type drillFault struct {
	AtSeconds float64 `json:"at_seconds"`
	Fault     string  `json:"fault"`
}

// TestDrill: roles die at random moments, Postgres and the node restart, a worker is
// paused, and every accepted transfer is settled exactly once, with no manual step
// but to start the dead roles again.
func TestDrill(t *testing.T) {
	seed := *drillSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: go test ./cmd/settle -run 'TestDrill$' -drill.seed %d -drill.transfers %d -drill.faults %d", seed, seed, *drillTransfers, *drillFaults)
	d := newDrill(t, seed)
	txs := d.sign(*drillTransfers)
	submitted := make(chan error, 1)
	sender := d.client
	go func() {
		for i := range txs {
			if _, err := sender.Submit(t.Context(), txs[i]); err != nil {
				submitted <- fmt.Errorf("transfer %d: %w", i, err)
				return
			}
		}
		submitted <- nil
	}()
	faults := []func(){
		func() { d.killed("sequencer") }, func() { d.killed("worker") }, func() { d.killed("submitter") }, func() { d.killed("api") },
		d.postgresRestarts, d.nodeRestarts, d.nodeAway, d.workerPauses,
	}
	order := d.rand.Perm(len(faults))
	for i := range *drillFaults {
		d.pass(time.Duration(d.rand.IntN(1500)) * time.Millisecond)
		faults[order[i%len(order)]]()
	}
	require.NoError(t, <-submitted)
	d.awaitSettled()
	d.finish()
}

func newDrill(t *testing.T, seed uint64) *drill {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Config{ToolsDir: testdb.ToolsDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	d := &drill{server: server, chain: devchain.Config{DataDir: newDir(t)}, roles: map[string]*process{}, begun: time.Now(),
		rand: rand.New(rand.NewPCG(seed, 0)), report: drillResult{Seed: seed}}
	d.node, err = devchain.Start(t.Context(), d.chain)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.node.Close()) })
	d.chain.Port = portOf(t, d.node.URL())
	d.rig = rigOn(t, server.URL(), d.node.URL())
	d.deploy()
	// One address for all lives of the API.
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.settings["SETTLE_LISTEN"] = listener.Addr().String()
	require.NoError(t, listener.Close())
	for _, name := range []string{"sequencer", "worker", "submitter"} {
		d.roles[name] = d.role(name)
	}
	d.roles["api"] = d.serve("api")
	return d
}

func (d *drill) note(format string, args ...any) {
	f := drillFault{time.Since(d.begun).Seconds(), fmt.Sprintf(format, args...)}
	d.report.Faults = append(d.report.Faults, f)
	d.t.Logf("%.1f s: %s", f.AtSeconds, f.Fault)
}

// pass lets time pass.
func (d *drill) pass(period time.Duration) {
	d.t.Helper()
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.t.Context().Done():
	}
}

func (d *drill) killed(name string) {
	d.note("SIGKILL of the %s", name)
	d.release(d.roles[name])
	d.roles[name].kill()
	if name == "api" {
		d.roles[name] = d.serve(name)
		return
	}
	d.roles[name] = d.role(name)
}

func (d *drill) postgresRestarts() {
	d.note("Postgres restarts")
	require.NoError(d.t, d.server.Restart(d.t.Context()))
}

func (d *drill) nodeRestarts() { d.nodeGone("the node restarts", 0) }

func (d *drill) nodeAway() { d.nodeGone("the node is out of reach for 3 s", 3*time.Second) }

func (d *drill) nodeGone(what string, away time.Duration) {
	d.note("%s", what)
	require.NoError(d.t, d.node.Close())
	d.pass(away)
	var err error
	d.node, err = devchain.Start(context.WithoutCancel(d.t.Context()), d.chain)
	require.NoError(d.t, err)
}

func (d *drill) workerPauses() {
	d.note("SIGSTOP of the worker for 3 s, then SIGCONT")
	d.roles["worker"].signal(syscall.SIGSTOP)
	d.pass(3 * time.Second)
	d.roles["worker"].signal(syscall.SIGCONT)
}

// finish stops all roles, which end without an error, and writes the report.
// requireConsistent has found the roots equal by then.
func (d *drill) finish() {
	d.t.Helper()
	status := d.status()
	out := &d.report
	out.Transfers, out.Settled = len(d.ids), int(status.Transactions.Settled+status.Transactions.Final)
	out.Lost = out.Transfers - one[int](d.rig, "select count(*) from transactions where status in ('settled', 'final')")
	out.Doubled = one[int](d.rig, "select count(*) from (select from_account, nonce from transactions where batch is not null group by 1, 2 having count(*) > 1) x")
	out.Batches, out.Root, out.L1Agrees = uint64(status.Settled.Batch), status.Settled.Root.String(), true
	out.Seconds = time.Since(d.begun).Seconds()
	require.Zero(d.t, out.Lost)
	require.Zero(d.t, out.Doubled)
	text := string(succeed(d.t, d.env(), "status"))
	require.Contains(d.t, text, fmt.Sprintf("settled on L1 batch %d  root %s  (equal)", out.Batches, out.Root))
	var view pipeline
	require.NoError(d.t, json.Unmarshal(succeed(d.t, d.env(), "status", "--json"), &view))
	require.Equal(d.t, status.Settled, view.Settled)
	require.Empty(d.t, view.DeadLetters)
	for _, p := range d.roles {
		d.release(p)
		p.stop()
	}
	encoded, err := json.MarshalIndent(out, "", "  ")
	require.NoError(d.t, err)
	d.t.Logf("%s", encoded)
	if *drillReport != "" {
		require.NoError(d.t, os.WriteFile(*drillReport, append(encoded, '\n'), 0o644))
	}
}
