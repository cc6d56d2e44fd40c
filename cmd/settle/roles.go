package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// apiFlags configure the REST API.
type apiFlags struct {
	Listen      string `help:"Address of the REST API." default:"127.0.0.1:8080" env:"SETTLE_LISTEN"`
	OpsListen   string `help:"Address for the operator alone, of /metrics, /healthz and /readyz, for example 127.0.0.1:9464; empty for none." env:"SETTLE_OPS_LISTEN"`
	MaxAccepted int64  `help:"Accepted, unexecuted transactions from which submissions get 429." default:"50000" env:"SETTLE_MAX_ACCEPTED"`
	MaxUnproven int64  `help:"Unproven batches from which submissions get 429 and the sequencer waits." default:"1000" env:"SETTLE_MAX_UNPROVEN"`

	CORSOrigins        []api.Origin   `name:"cors-origins" help:"Origins of web pages that may use the REST API, with commas between, for example https://wallet.example; * for all." env:"SETTLE_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix `help:"Networks of reverse proxies, as CIDR with commas between, whose X-Forwarded-For names the client: its right-most entry outside of them. The bounds per client need it behind a proxy." env:"SETTLE_TRUSTED_PROXIES"`
	MaxConnections     int            `help:"Connections to the REST API at once; more are closed." default:"4096" env:"SETTLE_MAX_CONNECTIONS"`
	MaxConnectionsEach int            `name:"max-connections-per-client" help:"Connections of one client (an IPv4 address or an IPv6 /64) at once; -1 for no bound. Trusted proxies have none." default:"256" env:"SETTLE_MAX_CONNECTIONS_PER_CLIENT"`
	MaxSubmissionsEach int            `name:"max-submissions-per-client" help:"Submissions of one client that are checked and stored at once, of 64 in all; more get 429. -1 for no bound." default:"32" env:"SETTLE_MAX_SUBMISSIONS_PER_CLIENT"`
}

// sealFlags are the sealing policy.
type sealFlags struct {
	SealAge  time.Duration `help:"How long a transaction may wait in the open batch." default:"10s" env:"SETTLE_SEAL_AGE"`
	SealIdle time.Duration `help:"Seal when nothing came for this long; 0 waits for the age." default:"2s" env:"SETTLE_SEAL_IDLE"`
}

// submitFlags configure settling.
type submitFlags struct {
	feeFlags
	InFlight int           `name:"max-in-flight" help:"Settling transactions under way at a time, at consecutive nonces; 1 waits for each before the next is sent." default:"4" env:"SETTLE_MAX_IN_FLIGHT"`
	Patience time.Duration `name:"fold-patience" help:"How long a proven batch may wait to be folded, where the rollup has an aggregate verifier; then it settles by its own proof. 0 settles every batch at once." default:"30m" env:"SETTLE_FOLD_PATIENCE"`
	Claims   time.Duration `name:"claims-interval" help:"Time between looks at the L1 log for claims of exits, which GET /v1/exits shows; longer while the node refuses. 0 for none." default:"15s" env:"SETTLE_CLAIMS_INTERVAL"`
}

type apiCmd struct {
	dataFlags
	migrateFlags
	apiFlags
}

// Run serves until stopped.
func (c apiCmd) Run(a *app) error {
	return a.withRoleDatabase(c.dataFlags, c.migrateFlags, func(db *database) error {
		listeners, err := a.listenAPI(c.apiFlags)
		if err != nil {
			return err
		}
		return a.serveAPI(a.ctx, db, c.apiFlags, listeners, newRegistry())
	})
}

type sequencerCmd struct {
	dataFlags
	migrateFlags
	sealFlags
	MaxUnproven int    `help:"Unproven batches from which the sequencer waits." default:"1000" env:"SETTLE_MAX_UNPROVEN"`
	Metrics     string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_SEQUENCER_METRICS"`
	standbyFlags
}

// Run sequences until stopped.
func (c sequencerCmd) Run(a *app) error {
	return a.withRoleDatabase(c.dataFlags, c.migrateFlags, func(db *database) error {
		registry := newRegistry()
		return a.withMetrics("sequencer", c.Metrics, registry, func() error {
			if err := c.wait(a, db, store.RoleSequencer); err != nil {
				return err
			}
			return a.runSequencer(a.ctx, db, c.sealFlags, c.MaxUnproven, registry)
		})
	})
}

type submitterCmd struct {
	dataFlags
	migrateFlags
	l1Flags
	submitFlags
	Metrics string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_SUBMITTER_METRICS"`
	standbyFlags
}

// Run settles until stopped.
func (c submitterCmd) Run(a *app) error {
	return a.withRoleDatabase(c.dataFlags, c.migrateFlags, func(db *database) (err error) {
		node, err := a.awaitChain(c.dataFlags, c.l1Flags)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, node.close()) }()
		registry := newRegistry()
		return a.withMetrics("submitter", c.Metrics, registry, func() error {
			if err := c.wait(a, db, store.RoleSubmitter); err != nil {
				return err
			}
			return a.runSubmitter(a.ctx, db, node, c.submitFlags, time.Second, registry)
		})
	})
}

// withDatabase opens the database around a command that never migrates it.
func (a *app) withDatabase(flags dataFlags, command func(*database) error) error {
	db, err := a.openDatabase(flags, false)
	if err != nil {
		return err
	}
	return a.around(db, command)
}

// withRoleDatabase opens the database around a role, which migrates it only if told.
func (a *app) withRoleDatabase(flags dataFlags, migrate migrateFlags, role func(*database) error) error {
	db, err := migrate.awaitMigrated(a, flags, false)
	if err != nil {
		return err
	}
	return a.around(db, role)
}

// around runs a command on a database and closes it.
func (a *app) around(db *database, command func(*database) error) (err error) {
	defer func() { err = errors.Join(err, db.close()) }()
	a.warnOfConnections(db, connectionsOf(db.pool))
	return command(db)
}

// apiListeners are the public one of the API and, unless it is nil, the operator's.
type apiListeners struct{ public, ops net.Listener }

func (a *app) listenAPI(flags apiFlags) (l apiListeners, err error) {
	if l.public, err = api.Listen(a.ctx, flags.Listen); err != nil || flags.OpsListen == "" {
		return l, err
	}
	if l.ops, err = api.Listen(a.ctx, flags.OpsListen); err != nil {
		return l, errors.Join(fmt.Errorf("--ops-listen: %w", err), l.close())
	}
	return l, nil
}

func (l apiListeners) close() error {
	if l.ops == nil {
		return l.public.Close()
	}
	return errors.Join(l.public.Close(), l.ops.Close())
}

// serveAPI serves the API, and what is the operator's, until ctx ends. It closes the listeners.
func (a *app) serveAPI(ctx context.Context, db *database, flags apiFlags, listeners apiListeners, registry *prometheus.Registry) error {
	log := a.log.With("role", "api")
	rollup, err := a.rollup(ctx, db)
	if err != nil {
		return errors.Join(err, listeners.close())
	}
	shapes, err := registeredShapes(rollup)
	if err != nil {
		return errors.Join(err, listeners.close())
	}
	server, err := api.New(api.Config{
		Store: db.store, Rollup: rollup, Metrics: registry, Log: log, Version: version, Kinds: sequencer.KindsOf(shapes),
		MaxAccepted: flags.MaxAccepted, MaxUnproven: flags.MaxUnproven,
		Origins: flags.CORSOrigins, TrustedProxies: flags.TrustedProxies, MaxConnections: flags.MaxConnections,
		MaxClientConnections: flags.MaxConnectionsEach, MaxClientSubmitting: flags.MaxSubmissionsEach,
	})
	if err != nil {
		return errors.Join(err, listeners.close())
	}
	if listeners.ops != nil {
		a.log.Info("metrics are served", "url", "http://"+listeners.ops.Addr().String()+"/metrics", "role", "api")
		defer a.serveOps(listeners.ops, server.Ops())()
	}
	a.log.Info("the API is up", "url", "http://"+listeners.public.Addr().String(), "role", "api")
	return api.Serve(ctx, server.Limit(listeners.public), server, log)
}

func (a *app) runSequencer(ctx context.Context, db *database, flags sealFlags, maxUnproven int, registry *prometheus.Registry) error {
	rollup, err := a.rollup(ctx, db)
	if err != nil {
		return err
	}
	shapes, err := registeredShapes(rollup)
	if err != nil {
		return err
	}
	inserter, err := jobs.NewInserter()
	if err != nil {
		return err
	}
	metrics, err := newSequencerMetrics(registry)
	if err != nil {
		return err
	}
	observer := &sequencerAtWork{sequencerMetrics: metrics}
	s, err := sequencer.New(sequencer.Config{
		Store: db.store, Hasher: poseidon.New(), Logger: a.log, Observer: observer,
		Policy: sequencer.Policy{Shapes: shapes, MaxAge: flags.SealAge, MaxIdle: flags.SealIdle, MaxUnproven: maxUnproven, MaxDeferred: 1000},
		InsertJob: func(ctx context.Context, tx pgx.Tx, job sequencer.ProofJob) error {
			return inserter.InsertTx(ctx, tx, jobs.ProveBatch{Batch: job.Batch, Circuit: job.Circuit, Shape: job.Shape, KeyHash: job.KeyHash})
		},
	})
	if err != nil {
		return err
	}
	return a.keepRole(ctx, store.RoleSequencer, func(ctx context.Context, works func()) (bool, error) {
		observer.took, observer.works = false, works
		err := s.Run(ctx)
		return observer.took, err
	})
}

// sequencerAtWork notes that the sequencer has its role and has loaded the state.
type sequencerAtWork struct {
	*sequencerMetrics
	took  bool
	works func()
}

// Loaded implements sequencer.Observer.
func (o *sequencerAtWork) Loaded(n settle.BatchNumber, took time.Duration) {
	o.took = true
	o.works()
	o.sequencerMetrics.Loaded(n, took)
}

// registeredShapes are the shapes that both the contract's registry and this
// binary know, smallest first.
func registeredShapes(rollup store.Rollup) ([]sequencer.Shape, error) {
	var shapes []sequencer.Shape
	for _, shape := range circuits.Shapes() {
		i := slices.IndexFunc(rollup.Verifiers, func(v store.Verifier) bool {
			return v.Circuit == settle.CircuitTransition && v.Shape == shape.Name
		})
		if i >= 0 {
			shapes = append(shapes, sequencer.Shape{Name: shape.Name, Capacity: shape.Capacity, KeyHash: rollup.Verifiers[i].KeyHash})
		}
	}
	if len(shapes) == 0 {
		return nil, fmt.Errorf("the rollup has no verifier for any shape of this binary: deploy with one of them")
	}
	return shapes, nil
}

// runSubmitter settles until ctx ends or the role is lost, and then takes it
// again.
func (a *app) runSubmitter(ctx context.Context, db *database, node *chain, flags submitFlags, poll time.Duration, registry *prometheus.Registry) error {
	log := a.log.With("role", string(store.RoleSubmitter))
	fees, err := flags.policy(a)
	if err != nil {
		return err
	}
	if flags.InFlight < 1 {
		return fmt.Errorf("--max-in-flight %d: expected at least 1", flags.InFlight)
	}
	if flags.Claims < 0 {
		return fmt.Errorf("--claims-interval %s: expected 0 or more", flags.Claims)
	}
	rollup, err := a.rollup(ctx, db)
	if err != nil {
		return err
	}
	metrics, err := newSubmitterMetrics(registry)
	if err != nil {
		return err
	}
	rows := measureSettlements(db.store, metrics)
	if len(aggregates(rollup)) > 0 {
		rows.patience = flags.Patience
	}
	t := submitTenure{
		db: db, node: node, rollup: rollup, rows: rows, log: log, claims: flags.Claims,
		config: l1.SubmitterConfig{
			ChainID: rollup.ChainID, Rollup: rollup.Address, DeployBlock: rollup.DeployBlock, Key: node.key,
			MaxFee: fees.MaxFee, MaxInFlight: flags.InFlight, Poll: poll, Logger: log, Stepped: metrics.step.mark,
		},
	}
	defer metrics.l1.watch(ctx, node, rollup.ChainID)()
	return a.keepRole(ctx, store.RoleSubmitter, t.serve)
}

func deploymentOf(r store.Rollup) l1.Deployment {
	d := l1.Deployment{
		ChainID: r.ChainID, Rollup: r.Address, Domain: r.Domain, Block: r.DeployBlock,
		GenesisRoot: r.GenesisRoot, GenesisHash: r.GenesisHash, UnsafeDevKeys: r.UnsafeDev,
	}
	for _, v := range r.Verifiers {
		d.Verifiers = append(d.Verifiers, l1.Entry{Circuit: v.Circuit, Shape: v.Shape, Version: 1, Verifier: v.Address, KeyHash: v.KeyHash})
	}
	return d
}

func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}
