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
	OpsListen string `help:"Address of /metrics, /healthz and /readyz, for the operator alone, for example 127.0.0.1:9464; empty for none." env:"SETTLE_OPS_LISTEN"`
}

// standbyFlags are of the roles that one process holds at a time.
type standbyFlags struct {
	Standby bool `help:"While another process holds the role, wait and take it over when that one is gone."`
}

// run opens the database, serves what is the operator's, and runs a role. The port comes
// first: whoever finds it taken has changed nothing yet.
func (f roleFlags) run(a *app, role func(*node.Node) error) error {
	ops, err := node.ListenOps(a.Ctx, f.OpsListen)
	if err != nil {
		return err
	}
	n := &node.Node{Log: a.Log, Ops: node.NewOps(a.Log)}
	defer n.Ops.Serve(ops)()
	if n.DB, err = f.await(a, f.dataFlags); err != nil {
		return err
	}
	defer n.DB.Close()
	return role(n)
}

// apiFlags configure the REST API.
type apiFlags struct {
	Listen      string `help:"Address of the REST API." default:"127.0.0.1:8080" env:"SETTLE_LISTEN"`
	MaxAccepted int64  `help:"Accepted, unexecuted transactions from which submissions get 429." default:"50000" env:"SETTLE_MAX_ACCEPTED"`
	MaxUnproven int64  `help:"Unproven batches from which submissions get 429 and the sequencer waits." default:"1000" env:"SETTLE_MAX_UNPROVEN"`

	CORSOrigins        []api.Origin   `name:"cors-origins" help:"Origins of web pages that may use the REST API, with commas between, for example https://wallet.example; * for all." env:"SETTLE_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix `help:"Networks of reverse proxies, as CIDR with commas between, whose X-Forwarded-For names the client: its right-most entry outside of them. The bounds per client need it behind a proxy." env:"SETTLE_TRUSTED_PROXIES"`
	MaxConnections     int            `help:"Connections to the REST API at once; more are closed." default:"4096" env:"SETTLE_MAX_CONNECTIONS"`
	MaxConnectionsEach int            `name:"max-connections-per-client" help:"Connections of one client (an IPv4 address or an IPv6 /64) at once; -1 for no bound. Trusted proxies have none." default:"256" env:"SETTLE_MAX_CONNECTIONS_PER_CLIENT"`
	MaxSubmissionsEach int            `name:"max-submissions-per-client" help:"Submissions of one client that are checked and stored at once, of 64 in all; more get 429. -1 for no bound." default:"32" env:"SETTLE_MAX_SUBMISSIONS_PER_CLIENT"`
}

func (f apiFlags) config() node.APIConfig {
	return node.APIConfig{
		Version: version, MaxAccepted: f.MaxAccepted, MaxUnproven: f.MaxUnproven, Origins: f.CORSOrigins, TrustedProxies: f.TrustedProxies,
		MaxConnections: f.MaxConnections, MaxClientConnections: f.MaxConnectionsEach, MaxClientSubmitting: f.MaxSubmissionsEach,
	}
}

// sealFlags are the sealing policy.
type sealFlags struct {
	SealAge  time.Duration `help:"How long a transaction may wait in the open batch." default:"10s" env:"SETTLE_SEAL_AGE"`
	SealIdle time.Duration `help:"Seal when nothing came for this long; 0 waits for the age." default:"2s" env:"SETTLE_SEAL_IDLE"`
}

func (f sealFlags) config(maxUnproven int64) node.SequencerConfig {
	return node.SequencerConfig{MaxAge: f.SealAge, MaxIdle: f.SealIdle, MaxUnproven: int(maxUnproven)}
}

// submitFlags configure settling.
type submitFlags struct {
	feeFlags
	InFlight int           `name:"max-in-flight" help:"Settling transactions under way at a time, at consecutive nonces; 1 waits for each before the next is sent." default:"4" env:"SETTLE_MAX_IN_FLIGHT"`
	Poll     time.Duration `name:"l1-poll" help:"Time between two looks at L1." default:"1s" env:"SETTLE_L1_POLL"`
	Patience time.Duration `name:"fold-patience" help:"How long a proven batch may wait to be folded, where the rollup has an aggregate verifier; then it settles by its own proof. 0 settles every batch at once." default:"30m" env:"SETTLE_FOLD_PATIENCE"`
	Claims   time.Duration `name:"claims-interval" help:"Time between looks at the L1 log for claims of exits, which GET /v1/exits shows; longer while the node refuses. 0 for none." default:"15s" env:"SETTLE_CLAIMS_INTERVAL"`
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
	FoldWait     time.Duration `help:"How long a proven batch waits for others to be folded with." default:"1m" env:"SETTLE_FOLD_WAIT"`
	FoldExitWait time.Duration `help:"How long one with exits does, if that is shorter." default:"15s" env:"SETTLE_FOLD_EXIT_WAIT"`
	FoldLowGas   uint64        `help:"Base fee in wei up to which folding is not worth waiting for; 0: none." default:"0" env:"SETTLE_FOLD_LOW_GAS"`
	FoldHighGas  uint64        `help:"Base fee in wei from which batches wait longer for others; 0: none." default:"0" env:"SETTLE_FOLD_HIGH_GAS"`
	FoldHighWait time.Duration `help:"How long a proven batch waits for others from that base fee on." default:"10m" env:"SETTLE_FOLD_HIGH_WAIT"`
	FoldTimeout  time.Duration `help:"How long the proof of a group may take to come, the wait for a worker included; then its batches settle each by its own proof. 0: for ever." default:"10m" env:"SETTLE_FOLD_TIMEOUT"`
	FoldMaxWords int           `help:"Most words (32 bytes) of public data that one transaction settles; nodes refuse transactions above 128 KiB." default:"3584" env:"SETTLE_FOLD_MAX_WORDS"`
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
	return closing(listener, c.run(a, func(n *node.Node) error {
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
	MaxUnproven int64 `help:"Unproven batches from which the sequencer waits." default:"1000" env:"SETTLE_MAX_UNPROVEN"`
	standbyFlags
}

// Run sequences until stopped.
func (c sequencerCmd) Run(a *app) error {
	return c.run(a, func(n *node.Node) error {
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
	return c.run(a, func(n *node.Node) (err error) {
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
	return c.run(a, func(n *node.Node) error {
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
	return c.run(a, func(n *node.Node) error {
		n.WarnOfConnections(a.Ctx, 0)
		n.Keys = c.keys(a)
		return n.Worker(a.Ctx, cfg)
	})
}

// proveChildCmd is the process in which a worker proves.
type proveChildCmd struct {
	keysFlags
	KeysBudget int64 `help:"Most bytes of proving keys held in memory; 0 for no bound."`
}

// Run serves the worker until it is gone.
func (c proveChildCmd) Run(a *app) error {
	return node.ProveChild(a.Ctx, c.keys(a), c.KeysBudget, a.Log)
}
