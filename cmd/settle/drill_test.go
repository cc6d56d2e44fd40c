package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/provingkeys"
)

var (
	drillRuns      = flag.Int("drill.runs", 1, "runs of the fault drill, each with a seed of its own, from -drill.seed upwards")
	drillTransfers = flag.Int("drill.transfers", 50, "transfers of a run; one open and one exit come on top of every 50")
	drillShape     = flag.String("drill.shape", "tiny", "shape of a run's proofs; other than tiny its keys come from the user's cache")
	drillFaults    = flag.Int("drill.faults", 9, "faults of a run; the first nine are one of each kind")
	drillAway      = flag.Duration("drill.away", 3*time.Second, "how long the node is out of reach, once in every run")
	drillNode      = flag.Int("drill.node", 12, "times that the node misbehaves in a run, in each way in turn")
	drillBad       = flag.Duration("drill.bad", 2*time.Second, "how long it misbehaves at most, and half of that at least")
	drillAggregate = flag.Bool("drill.aggregate", false, "fold the proofs of two batches into one: adds the role aggregator, which is killed too, and takes the aggregate keys from the user's cache")
	drillSeed      = flag.Uint64("drill.seed", 0, "seed of the first run; 0 takes one from the clock")
	drillOut       = flag.String("drill.out", "", "folder for report.md, report.json and the logs of failed runs")
)

const (
	drillRunTime = 30 * time.Minute       // of one run, far longer than it takes
	drillTick    = 100 * time.Millisecond // between looks at progress and processes
)

// drill is one run of transactions through faults. Everything but the sender happens
// on the test's goroutine, tick by tick: an outage that lasts ends at a later tick,
// so that faults overlap.
type drill struct {
	*rig
	rand    *rand.Rand
	server  *postgres.Server
	node    *devchain.Chain
	proxy   *faultnode.Proxy // before the node
	chain   devchain.Config
	roles   map[string]*role
	pending []fault // that have not begun, by progress
	ends    []ending
	begun   time.Time
	orders  []order
	proven  int // transactions, at the last look
	settled int // of them, at the last look
	result  drillResult

	accepted               atomic.Int64 // orders, from the first
	outages                int          // that last
	healthy                time.Time    // when the last outage ended
	nodeAway, postgresAway bool
	nodeBad                bool
	moved                  struct { // when settling last went on, or could not
		settled int
		when    time.Time
	}
}

// TestDrill: roles die at random moments, Postgres restarts and crashes, the node
// restarts and is out of reach, workers are paused for longer than a lease, and
// every accepted transaction is settled exactly once, with no manual step: a role
// that ended is started again, as a service manager does.
func TestDrill(t *testing.T) {
	seed := *drillSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	report := drillReport{Command: fmt.Sprintf("-drill.seed %d -drill.runs %d -drill.transfers %d -drill.shape %s -drill.faults %d -drill.away %s -drill.node %d -drill.bad %s -drill.aggregate=%t",
		seed, *drillRuns, *drillTransfers, *drillShape, *drillFaults, *drillAway, *drillNode, *drillBad, *drillAggregate), Begun: time.Now().UTC()}
	t.Logf("go test ./cmd/settle -run 'TestDrill$' %s", report.Command)
	for i := range *drillRuns {
		seed := seed + uint64(i)
		run := func(t *testing.T) {
			d := &drill{rand: rand.New(rand.NewPCG(seed, 0)), roles: map[string]*role{}, begun: time.Now()}
			d.result = drillResult{Seed: seed}
			defer func() {
				d.conclude(t)
				report.add(t, d.result)
			}()
			d.start(t)
			d.run()
			d.finish()
		}
		if *drillRuns == 1 {
			run(t)
			continue
		}
		t.Run(fmt.Sprint(seed), run)
	}
}

func (d *drill) start(t *testing.T) {
	t.Helper()
	var err error
	d.server, err = postgres.Start(t.Context(), postgres.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.server.Stop()) })
	d.chain = devchain.Config{DataDir: testcmd.NewDir(t)}
	d.node, err = devchain.Start(t.Context(), d.chain)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.node.Close()) })
	d.chain.Port = portOf(t, d.node.URL())
	d.proxy, err = faultnode.New(d.node.URL())
	require.NoError(t, err)
	t.Cleanup(d.proxy.Close)
	d.rig = rigOn(t, d.server.URL(), d.proxy.URL())
	d.settings["SETTLE_L1_TIMEOUT"] = "5s" // hangs are short here
	if *drillShape != "tiny" {
		d.settings["SETTLE_SEAL_IDLE"] = "3s" // most batches are full
		d.settings["SETTLE_SHAPES"], d.settings["SETTLE_KEYS_DIR"] = *drillShape, provingkeys.DefaultDir()
		testcmd.Succeed(t, d.env(), "keys", "setup", "--shape", *drillShape, "--unsafe-dev")
	}
	if *drillAggregate {
		d.settings["SETTLE_AGGREGATE"], d.settings["SETTLE_KEYS_DIR"] = *drillShape+"-2", provingkeys.DefaultDir()
		d.settings["SETTLE_FOLD_WAIT"], d.settings["SETTLE_WORKER_MEMORY"] = "20s", "6GiB"
		testcmd.Succeed(t, d.env(), "keys", "setup", "--aggregate", *drillShape+"-2", "--unsafe-dev")
	}
	d.deploy()
	// One address for all lives of the API.
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.settings["SETTLE_LISTEN"] = listener.Addr().String()
	require.NoError(t, listener.Close())
	d.url = "http://" + d.settings["SETTLE_LISTEN"]
	d.client, err = client.New(d.url, client.WithRetries())
	require.NoError(t, err)
	roles := map[string][]string{
		"sequencer": {"sequencer"}, "submitter": {"submitter"}, "api": {"api"}, "worker 1": {"worker"}, "worker 2": {"worker"},
	}
	if *drillAggregate {
		roles["aggregator"] = []string{"aggregator"}
	}
	for name, args := range roles {
		d.roles[name] = &role{name: name, args: args}
		d.launch(d.roles[name])
	}
	d.result.SetupSeconds = time.Since(d.begun).Seconds()
}

// run submits everything, in step with proving, while faults happen, until all is
// settled, all faults have happened and all outages have ended.
func (d *drill) run() {
	d.t.Helper()
	d.begun, d.healthy = time.Now(), time.Now()
	d.moved.when = d.begun
	d.signAll(*drillTransfers)
	d.plan(*drillFaults, *drillAway)
	d.planBadNodes(*drillNode)
	steps, submitted := make(chan int), make(chan error, 1)
	go func() { submitted <- d.send(d.t.Context(), steps) }()
	tick := time.NewTicker(drillTick)
	defer tick.Stop()
	for sent := false; !sent || d.settled < len(d.orders) || len(d.pending)+len(d.ends) > 0; {
		select {
		case err := <-submitted:
			require.NoError(d.t, err)
			sent = true
		case <-tick.C:
		}
		if proven, done, ok := d.progress(); ok {
			d.proven, d.settled = proven, done
		}
		if !sent {
			select { // a sender that is busy hears of it later
			case steps <- d.proven:
			default:
			}
		}
		d.watchStop()
		d.endOutages()
		d.beginFaults()
		d.supervise()
		if time.Since(d.begun) > drillRunTime {
			require.FailNow(d.t, "not settled in time", "%d of %d transactions, pending faults %v", d.settled, len(d.orders), d.pending)
		}
	}
	d.result.Seconds = time.Since(d.begun).Seconds()
}

// progress counts transactions that are proven and beyond, and those that are
// settled; not ok while Postgres is away.
func (d *drill) progress() (proven, settled int, ok bool) {
	ctx, cancel := contextWithin(d.t, time.Second)
	defer cancel()
	err := d.pool.QueryRow(ctx, `select count(*) filter (where status in ('proven', 'settled', 'final')),
		count(*) filter (where status in ('settled', 'final')) from transactions`).Scan(&proven, &settled)
	return proven, settled, err == nil
}

// conclude sums up, whether the run has passed or failed, and keeps the logs of a
// run that failed.
func (d *drill) conclude(t *testing.T) {
	t.Helper()
	d.result.Passed = !t.Failed()
	if d.result.Passed {
		return
	}
	if d.result.Audit == nil && d.rig != nil && len(d.orders) > 0 {
		audit, err := d.audit()
		if err != nil {
			d.result.Findings = append(d.result.Findings, err.Error())
		}
		d.result.Audit = &audit
	}
	if *drillOut == "" {
		return
	}
	dir := filepath.Join(*drillOut, fmt.Sprintf("failed-%d", d.result.Seed))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Errorf("folder of logs: %v", err)
		return
	}
	for _, r := range d.roles {
		for i, p := range r.lives {
			name := fmt.Sprintf("%s-life-%d-process-%d.log", r.name, i+1, p.Cmd.Process.Pid)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(p.Stderr()+"\n"), 0o644); err != nil {
				t.Errorf("keep log: %v", err)
			}
		}
	}
}
