package main

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/node"
)

// roleFlags are of every command that runs a role.
type roleFlags struct {
	dataFlags
	migrateFlags
	OpsListen string `help:"Address at which to serve /metrics, /healthz and /readyz, for example 127.0.0.1:9464. Keep it private. Without it they are not served." env:"SETTLE_OPS_LISTEN"`
}

// standbyFlags are of the roles that one process holds at a time.
type standbyFlags struct {
	Standby bool `help:"Wait while another process holds the role, and take over when that process is gone."`
}

// run opens the database, serves what is the operator's, and runs roles of these names. The
// port comes first: whoever finds it taken has changed nothing yet.
func (f roleFlags) run(a *app, names []string, role func(*node.Node) error) error {
	ops, err := node.ListenOps(a.Ctx, f.OpsListen)
	if err != nil {
		return err
	}
	n := &node.Node{Log: a.Log, Ops: node.NewOps(a.Log, names...)}
	defer n.Ops.Serve(ops)()
	if n.DB, err = f.await(a, f.dataFlags); err != nil {
		return err
	}
	defer n.DB.Close()
	return role(n)
}

// apiFlags configure the REST API.
type apiFlags struct {
	Listen      string `help:"Address at which to serve the REST API." default:"127.0.0.1:8080" env:"SETTLE_LISTEN"`
	MaxAccepted int64  `help:"Refuse submissions with status 429 while at least this many accepted transactions wait to be executed." default:"50000" env:"SETTLE_MAX_ACCEPTED"`
	MaxUnproven int64  `help:"Refuse submissions with status 429, and pause the sequencer, while at least this many batches wait to be proven." default:"1000" env:"SETTLE_MAX_UNPROVEN"`

	CORSOrigins        []api.Origin   `name:"cors-origins" help:"Origins of web pages that may use the REST API, separated by commas, for example https://wallet.example. Use * to allow all." env:"SETTLE_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix `help:"Networks of your reverse proxies, as CIDR, separated by commas. Behind a proxy the bounds per client need this. The client is then the right-most address in X-Forwarded-For that is not in these networks." env:"SETTLE_TRUSTED_PROXIES"`
	MaxConnections     int            `help:"Largest number of connections to the REST API at once. Further ones are closed." default:"4096" env:"SETTLE_MAX_CONNECTIONS"`
	MaxConnectionsEach int            `name:"max-connections-per-client" help:"Largest number of connections that one client may have at once. A client is an IPv4 address or an IPv6 /64. -1 removes the bound. Trusted proxies have no bound." default:"256" env:"SETTLE_MAX_CONNECTIONS_PER_CLIENT"`
	MaxSubmissionsEach int            `name:"max-submissions-per-client" help:"Largest number of submissions of one client that are handled at once. Further ones get status 429. -1 removes the bound. All clients together have 64." default:"32" env:"SETTLE_MAX_SUBMISSIONS_PER_CLIENT"`
}

func (f apiFlags) config() node.APIConfig {
	return node.APIConfig{
		Version: version, MaxAccepted: f.MaxAccepted, MaxUnproven: f.MaxUnproven, Origins: f.CORSOrigins, TrustedProxies: f.TrustedProxies,
		MaxConnections: f.MaxConnections, MaxClientConnections: f.MaxConnectionsEach, MaxClientSubmitting: f.MaxSubmissionsEach,
	}
}

// sealFlags are the sealing policy.
type sealFlags struct {
	SealAge  time.Duration `help:"Longest time that a transaction waits in the open batch. After that the batch is sealed." default:"10s" env:"SETTLE_SEAL_AGE"`
	SealIdle time.Duration `help:"Seal the open batch if no transaction has come for this long. 0 turns this off, and --seal-age decides." default:"2s" env:"SETTLE_SEAL_IDLE"`
}

func (f sealFlags) config(maxUnproven int64) node.SequencerConfig {
	return node.SequencerConfig{MaxAge: f.SealAge, MaxIdle: f.SealIdle, MaxUnproven: int(maxUnproven)}
}

// submitFlags configure settling.
type submitFlags struct {
	feeFlags
	InFlight int           `name:"max-in-flight" help:"Largest number of settling transactions in flight at once. 1 waits for each before the next is sent." default:"4" env:"SETTLE_MAX_IN_FLIGHT"`
	Poll     time.Duration `name:"l1-poll" help:"Time between two queries of L1 by the submitter." default:"1s" env:"SETTLE_L1_POLL"`
	Patience time.Duration `name:"fold-patience" help:"Longest time that a proven batch waits to be aggregated, if the rollup has an aggregate verifier. After that it settles by its own proof. 0 settles every batch at once." default:"30m" env:"SETTLE_FOLD_PATIENCE"`
	Claims   time.Duration `name:"claims-interval" help:"Time between two searches of the L1 log for claimed exits, which GET /v1/exits shows. It grows while the node refuses. 0 turns the search off." default:"15s" env:"SETTLE_CLAIMS_INTERVAL"`
}

func (f submitFlags) config(a *app) (node.SubmitterConfig, error) {
	cfg := node.SubmitterConfig{MaxInFlight: f.InFlight, Patience: f.Patience, Poll: f.Poll, Claims: f.Claims}
	if f.InFlight < 1 {
		return cfg, fmt.Errorf("--max-in-flight %d: expected at least 1", f.InFlight)
	}
	if f.Poll <= 0 {
		return cfg, fmt.Errorf("--l1-poll %s: expected a time above 0", f.Poll)
	}
	if f.Claims < 0 {
		return cfg, fmt.Errorf("--claims-interval %s: expected 0 or more", f.Claims)
	}
	fees, err := f.policy(a)
	cfg.MaxFee = fees.MaxFee
	return cfg, err
}

// foldFlags are the policy of folding.
type foldFlags struct {
	FoldWait     time.Duration `help:"Time that a proven batch waits for others to be aggregated with." default:"1m" env:"SETTLE_FOLD_WAIT"`
	FoldExitWait time.Duration `help:"Time that a proven batch with exits waits for others to be aggregated with, if this is shorter than --fold-wait." default:"15s" env:"SETTLE_FOLD_EXIT_WAIT"`
	FoldLowGas   uint64        `help:"While the base fee is at most this many wei, batches do not wait to be aggregated. 0 turns this off." default:"0" env:"SETTLE_FOLD_LOW_GAS"`
	FoldHighGas  uint64        `help:"While the base fee is at least this many wei, batches wait longer to be aggregated (--fold-high-wait). 0 turns this off." default:"0" env:"SETTLE_FOLD_HIGH_GAS"`
	FoldHighWait time.Duration `help:"Time that a proven batch waits for others while the base fee is at or above --fold-high-gas." default:"10m" env:"SETTLE_FOLD_HIGH_WAIT"`
	FoldTimeout  time.Duration `help:"Longest time from planning a group to its proof, including the wait for a worker. After that each batch settles by its own proof. 0 waits for ever." default:"10m" env:"SETTLE_FOLD_TIMEOUT"`
	FoldMaxWords int           `help:"Largest number of words (32 bytes each) of public data in one settling transaction. Nodes refuse transactions above 128 KiB." default:"3584" env:"SETTLE_FOLD_MAX_WORDS"`
}

func (f foldFlags) config() node.AggregatorConfig {
	return node.AggregatorConfig{Poll: time.Second, Policy: aggregator.Policy{
		MaxWords: f.FoldMaxWords, Wait: f.FoldWait, ExitWait: f.FoldExitWait,
		LowGas: f.FoldLowGas, HighGas: f.FoldHighGas, HighWait: f.FoldHighWait, FoldWait: f.FoldTimeout,
	}}
}

type apiCmd struct {
	roleFlags
	apiFlags
}

// Run serves until stopped.
func (c apiCmd) Run(a *app) error {
	listener, err := api.Listen(a.Ctx, c.Listen)
	if err != nil {
		return err
	}
	return closing(listener, c.run(a, []string{"api"}, func(n *node.Node) error {
		n.WarnOfConnections(a.Ctx, 0)
		return n.API(a.Ctx, c.config(), listener)
	}))
}

// closing closes what a start that failed has left open.
func closing(listener net.Listener, err error) error {
	_ = listener.Close() // closed already by what served it
	return err
}

type sequencerCmd struct {
	roleFlags
	sealFlags
	MaxUnproven int64 `help:"Pause the sequencer while at least this many batches wait to be proven." default:"1000" env:"SETTLE_MAX_UNPROVEN"`
	standbyFlags
}

// Run sequences until stopped.
func (c sequencerCmd) Run(a *app) error {
	return c.run(a, []string{"sequencer"}, func(n *node.Node) error {
		n.Standby = c.Standby
		n.WarnOfConnections(a.Ctx, 0)
		return n.Sequencer(a.Ctx, c.config(c.MaxUnproven))
	})
}

type submitterCmd struct {
	roleFlags
	l1Flags
	submitFlags
	standbyFlags
}

// Run settles until stopped.
func (c submitterCmd) Run(a *app) error {
	cfg, err := c.config(a)
	if err != nil {
		return err
	}
	return c.run(a, []string{"submitter"}, func(n *node.Node) (err error) {
		n.Standby = c.Standby
		n.WarnOfConnections(a.Ctx, 0)
		if n.L1, err = c.awaitSigner(a, c.dataFlags); err != nil {
			return err
		}
		return n.Submitter(a.Ctx, cfg)
	})
}

type aggregatorCmd struct {
	roleFlags
	nodeFlags
	foldFlags
	standbyFlags
}

// Run plans groups until stopped.
func (c aggregatorCmd) Run(a *app) error {
	return c.run(a, []string{"aggregator"}, func(n *node.Node) error {
		n.Standby = c.Standby
		n.WarnOfConnections(a.Ctx, 0)
		if u := c.nodeURL(); u != "" {
			n.L1 = &node.L1{URL: u, Options: c.options(a)}
		}
		return n.Aggregator(a.Ctx, c.config())
	})
}

type workerCmd struct {
	roleFlags
	keysFlags
	provingFlags
	WithParent bool `help:"Stop when standard input ends." hidden:""`
}

// Run proves until stopped.
func (c workerCmd) Run(a *app) error {
	cfg := c.config(a)
	if err := cfg.Check(); err != nil {
		return err
	}
	if c.WithParent {
		a.Ctx = node.ParentGone(a.Ctx)
	}
	return c.run(a, []string{"worker"}, func(n *node.Node) error {
		n.WarnOfConnections(a.Ctx, 0)
		n.Keys = c.keys(a)
		return n.Worker(a.Ctx, cfg)
	})
}

// proveChildCmd is the process in which a worker proves.
type proveChildCmd struct {
	keysFlags
	KeysBudget int64 `help:"Largest number of bytes of proving keys to hold in memory. 0 removes the bound."`
}

// Run serves the worker until it is gone.
func (c proveChildCmd) Run(a *app) error {
	return node.ProveChild(a.Ctx, c.keys(a), c.KeysBudget, a.Log)
}
