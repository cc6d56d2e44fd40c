package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	MaxFee   string        `help:"Cap on the fee per gas, in wei; empty for 200 gwei." env:"SETTLE_MAX_FEE_PER_GAS"`
	Patience time.Duration `name:"fold-patience" help:"How long a proven batch may wait to be folded, where the rollup has an aggregate verifier; then it settles by its own proof. 0 settles every batch at once." default:"30m" env:"SETTLE_FOLD_PATIENCE"`
}

type apiCmd struct {
	dataFlags
	apiFlags
}

// Run serves until stopped.
func (c apiCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *database) error {
		listeners, err := a.listenAPI(c.apiFlags)
		if err != nil {
			return err
		}
		return a.serveAPI(a.ctx, db, c.apiFlags, listeners, newRegistry())
	})
}

type sequencerCmd struct {
	dataFlags
	sealFlags
	MaxUnproven int    `help:"Unproven batches from which the sequencer waits." default:"1000" env:"SETTLE_MAX_UNPROVEN"`
	Metrics     string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_SEQUENCER_METRICS"`
	standbyFlags
}

// Run sequences until stopped.
func (c sequencerCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *database) error {
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
	l1Flags
	submitFlags
	Metrics string `help:"Address to serve /metrics on; empty for none." env:"SETTLE_SUBMITTER_METRICS"`
	standbyFlags
}

// Run settles until stopped.
func (c submitterCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *database) (err error) {
		node, err := a.openChain(c.dataFlags, c.l1Flags)
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

// withDatabase opens the database around a role.
func (a *app) withDatabase(flags dataFlags, role func(*database) error) (err error) {
	db, err := a.openDatabase(flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	a.warnOfConnections(db, connectionsOf(db.pool))
	return role(db)
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
	s, err := sequencer.New(sequencer.Config{
		Store: db.store, Hasher: poseidon.New(), Logger: a.log, Observer: metrics,
		Policy: sequencer.Policy{Shapes: shapes, MaxAge: flags.SealAge, MaxIdle: flags.SealIdle, MaxUnproven: maxUnproven, MaxDeferred: 1000},
		InsertJob: func(ctx context.Context, tx pgx.Tx, job sequencer.ProofJob) error {
			return inserter.InsertTx(ctx, tx, jobs.ProveBatch{Batch: job.Batch, Circuit: job.Circuit, Shape: job.Shape, KeyHash: job.KeyHash})
		},
	})
	if err != nil {
		return err
	}
	return s.Run(ctx)
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
	var maxFee settle.Amount
	if flags.MaxFee != "" {
		var err error
		if maxFee, err = settle.ParseAmount(flags.MaxFee); err != nil {
			return fmt.Errorf("--max-fee: %w", err)
		}
	}
	rollup, err := a.rollup(ctx, db)
	if err != nil {
		return err
	}
	client, err := node.dial(ctx, rollup.ChainID)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := l1.CheckDeployment(ctx, client, deploymentOf(rollup)); err != nil {
		return err
	}
	if err := checkCopy(ctx, db.store, client, rollup); err != nil {
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
		db: db, client: client, rows: rows, log: log,
		config: l1.SubmitterConfig{
			ChainID: rollup.ChainID, Rollup: rollup.Address, DeployBlock: rollup.DeployBlock, Key: node.key,
			MaxFee: maxFee, Poll: poll, Logger: log,
		},
	}
	return a.keepRole(ctx, store.RoleSubmitter, t.serve)
}

// keepRole serves in a role that one process holds at a time until ctx ends, and takes
// it again when it is lost. serve says whether it had the role.
func (a *app) keepRole(ctx context.Context, name store.Role, serve func(context.Context) (took bool, err error)) error {
	log := a.log.With("role", string(name))
	begun, hadRole, told := time.Now(), false, false
	for {
		took, err := serve(ctx)
		hadRole = hadRole || took
		told = told && !took // an outage is said once
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, store.ErrWriterHeld) && !hadRole:
			if time.Since(begun) > heldPatience {
				return fmt.Errorf("another %s holds this database: %w", name, err)
			}
		case errors.Is(err, store.ErrFenced), errors.Is(err, store.ErrWriterHeld), store.IsUnavailable(err), l1.IsUnavailable(err), errors.Is(err, errRoleLost):
			if !told {
				log.Warn("the connection is lost; the role is taken again", "error", err)
			}
			told = true
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// heldPatience is how long a role may look held at start-up: Postgres frees the
// lock of a process that just ended a moment later.
const heldPatience = 3 * time.Second

var errRoleLost = errors.New("the connection that holds the role is gone")

// submitTenure is a period of holding the submitter's role.
type submitTenure struct {
	db     *database
	client l1.Node
	rows   l1.Settlements
	config l1.SubmitterConfig
	log    *slog.Logger
}

// serve settles while this process holds the role; took says that it did.
func (t submitTenure) serve(ctx context.Context) (took bool, err error) {
	return holdRole(ctx, t.db, store.RoleSubmitter, t.log, func(tenure context.Context, epoch store.Epoch, wake <-chan struct{}) error {
		t.config.Epoch = epoch
		submitter, err := l1.NewSubmitter(tenure, t.client, t.rows, t.config)
		if err != nil {
			return err
		}
		return submitter.Run(tenure, wake)
	})
}

// holdRole takes a role and works in it while this process holds it; took says that
// it did. A batch that changes its status wakes the work.
func holdRole(ctx context.Context, db *database, name store.Role, log *slog.Logger,
	work func(tenure context.Context, epoch store.Epoch, wake <-chan struct{}) error) (took bool, err error) {
	role, err := db.store.AcquireWriter(ctx, name, holder())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, role.Release(context.WithoutCancel(ctx))) }()
	tenure, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-role.Lost():
			cancel(errRoleLost)
		case <-tenure.Done():
		}
	}()
	wake := make(chan struct{}, 1)
	go listen(tenure, db, log, wake)
	if err := work(tenure, role.Epoch(), wake); err != nil && !errors.Is(context.Cause(tenure), errRoleLost) {
		return true, err
	}
	return true, context.Cause(tenure)
}

// listen pokes wake whenever a batch changes its status. Polling goes on
// without it.
func listen(ctx context.Context, db *database, log *slog.Logger, wake chan<- struct{}) {
	listener, err := db.store.Listen(ctx, store.TopicBatches)
	if err != nil {
		log.Warn("no notifications; the role polls", "error", err)
		return
	}
	defer func() { _ = listener.Close(context.WithoutCancel(ctx)) }()
	for {
		if _, err := listener.Next(ctx); err != nil {
			return
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
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
