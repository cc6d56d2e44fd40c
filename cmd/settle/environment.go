package main

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

// Environment variables that hold secrets or endpoints, which may carry secrets.
const (
	envDatabase = "DATABASE_URL"
	envL1       = "L1_URL"
	envL1Key    = "SETTLE_L1_PRIVATE_KEY" // 64 hexadecimal digits
)

// envWorkerMetrics is a flag of one worker that its siblings must not inherit.
const envWorkerMetrics = "SETTLE_WORKER_METRICS"

// defaults are the values of kong's ${...}.
func defaults() map[string]string {
	return map[string]string{"data": defaultDataDir(), "keys": defaultKeysDir(), "version": versionLine()}
}

func defaultDataDir() string {
	dir, err := postgres.DefaultDataDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "settle")
	}
	return filepath.Dir(dir)
}

// defaultKeysDir is shared by all checkouts: keys are cached by fingerprint.
func defaultKeysDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "settle-keys")
	}
	return filepath.Join(dir, "settle", "keys")
}

// databaseFlags and l1Flags say where the embedded defaults live.
type dataFlags struct {
	DataDir string `help:"Folder of the embedded Postgres and development chain, where DATABASE_URL or L1_URL is not set." default:"${data}" env:"SETTLE_DATA_DIR" type:"path"`
}

type l1Flags struct {
	nodeFlags
	ChainID uint64 `help:"Expected chain id; 0 takes the node's." default:"0" env:"SETTLE_CHAIN_ID"`
	L1Port  int    `name:"l1-port" help:"Loopback port of the embedded development chain." default:"18545" env:"SETTLE_L1_PORT"`

	L1Period time.Duration `name:"l1-period" help:"Embedded development chain: time between the empty blocks that follow a transaction until it is final (at most 32); 0 for none." default:"2s" env:"SETTLE_L1_PERIOD"`
}

// feeFlags bound what transactions of L1 cost.
type feeFlags struct {
	MaxFee string `help:"Cap on the fee per gas, in wei; empty for 200 gwei." env:"SETTLE_MAX_FEE_PER_GAS"`
}

func (f feeFlags) policy(a *app) (l1.FeePolicy, error) {
	policy := l1.FeePolicy{Logger: a.log}
	if f.MaxFee == "" {
		return policy, nil
	}
	var err error
	if policy.MaxFee, err = settle.ParseAmount(f.MaxFee); err != nil {
		return policy, fmt.Errorf("--max-fee: %w", err)
	}
	return policy, nil
}

// nodeFlags say how an L1 node is asked.
type nodeFlags struct {
	L1Timeout time.Duration `name:"l1-timeout" help:"How long one call of the L1 node may take; then it counts as not answered and is made again." default:"30s" env:"SETTLE_L1_TIMEOUT"`
	LogWindow uint64        `name:"log-window" help:"Most blocks that one search of the L1 log spans; halved down to 1 where the node refuses so many." default:"5000" env:"SETTLE_LOG_WINDOW"`
}

// Validate is called by kong.
func (f nodeFlags) Validate() error {
	if f.L1Timeout <= 0 {
		return fmt.Errorf("--l1-timeout %s: expected a time above 0, for example 30s", f.L1Timeout)
	}
	if f.LogWindow == 0 {
		return errors.New("--log-window 0: expected at least 1 block")
	}
	return nil
}

// commandPatience is how long a command that runs once asks a node again that is
// unavailable. A role looks again by itself.
const commandPatience = time.Minute

func (f nodeFlags) options(a *app) []l1.Option {
	options := []l1.Option{l1.WithLogger(a.log)}
	if f.L1Timeout > 0 { // zero where no flag was read
		options = append(options, l1.WithTimeout(f.L1Timeout))
	}
	if f.LogWindow > 0 {
		options = append(options, l1.WithLogWindow(f.LogWindow))
	}
	return options
}

// dial connects to a node for a command that runs once.
func (f nodeFlags) dial(a *app, nodeURL string, chainID uint64) (*l1.Conn, error) {
	return l1.Dial(a.ctx, nodeURL, chainID, append(f.options(a), l1.WithPatience(commandPatience))...)
}

// migrateFlags let a command change the schema of its database, which none does unasked.
type migrateFlags struct {
	Migrate bool `help:"Bring the schema of the database up to date first; without it an older one is refused. A private database that up or deploy starts needs no telling." env:"SETTLE_MIGRATE"`
}

// openMigrated opens the database, and migrates it if told so here or by flag.
func (f migrateFlags) openMigrated(a *app, data dataFlags, migrate bool) (*database, error) {
	db, err := a.openDatabase(data, migrate || f.Migrate)
	if errors.Is(err, migrations.ErrOutdated) {
		err = fmt.Errorf("%w, or pass --migrate", err)
	}
	return db, err
}

// databaseIsPrivate reports whether the database is one that we run ourselves.
func databaseIsPrivate() bool { return os.Getenv(envDatabase) == "" }

// database is an open database whose schema is the one that this program needs.
type database struct {
	url   string
	pool  *pgxpool.Pool
	store *store.Store
	stop  func() error // of the server, if this process started it
}

func (d *database) close() error {
	d.pool.Close()
	if d.stop != nil {
		return d.stop()
	}
	return nil
}

// openDatabase connects to DATABASE_URL, else to the embedded Postgres in the
// data folder, which it starts unless another process of ours runs it. It
// migrates the schema, or only checks that it is up to date.
func (a *app) openDatabase(flags dataFlags, migrate bool) (*database, error) {
	if u := os.Getenv(envDatabase); u != "" {
		return a.connect(u, migrate, nil)
	}
	dir := filepath.Join(flags.DataDir, "postgres")
	server, err := postgres.Start(a.ctx, postgres.Config{DataDir: dir, Log: a.log})
	note := runNote{filepath.Join(flags.DataDir, "postgres.url")}
	if errors.Is(err, postgres.ErrInUse) {
		if u, ok := note.read(); ok {
			a.log.Info("using the embedded Postgres of a running settle", "data", dir)
			return a.connect(u, migrate, nil)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start the embedded Postgres: %w", err)
	}
	if err := note.write(server.URL()); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	a.log.Info("started the embedded Postgres", "data", dir)
	return a.connect(server.URL(), migrate, func() error { note.remove(); return server.Stop() })
}

// connect opens a pool, and migrates the schema or checks it.
func (a *app) connect(databaseURL string, migrate bool, stop func() error) (_ *database, err error) {
	fail := func(err error) (*database, error) {
		if stop != nil {
			err = errors.Join(err, stop())
		}
		return nil, err
	}
	pool, err := store.Open(a.ctx, databaseURL)
	if err != nil {
		return fail(fmt.Errorf("%s is not a Postgres URL: %w", envDatabase, redact(err, databaseURL)))
	}
	ctx, cancel := context.WithTimeout(a.ctx, 2*time.Minute)
	defer cancel()
	err = store.CheckSessions(ctx, databaseURL)
	if errors.Is(err, store.ErrPooled) {
		pool.Close()
		return fail(fmt.Errorf("%s: %w", envDatabase, err))
	}
	doing := "check the schema of the database"
	switch {
	case err != nil:
	case migrate:
		doing = "migrate the database"
		err = migrations.Migrate(ctx, databaseURL)
	default:
		err = migrations.Check(ctx, pool)
	}
	if err != nil {
		pool.Close()
		if store.IsExhausted(err) {
			return fail(fmt.Errorf("Postgres has no connection left for this command, which needs %d: raise max_connections: %w", connectionsOf(pool), redact(err, databaseURL)))
		}
		if store.IsUnavailable(err) {
			err = fmt.Errorf("start Postgres, or correct %s: %w", envDatabase, err)
		}
		return fail(fmt.Errorf("%s: %w", doing, redact(err, databaseURL)))
	}
	return &database{url: databaseURL, pool: pool, store: store.New(pool), stop: stop}, nil
}

// redact keeps the password of a URL out of messages.
func redact(err error, rawURL string) error {
	u, parseErr := url.Parse(rawURL)
	if parseErr != nil || u.User == nil {
		return err
	}
	password, ok := u.User.Password()
	if !ok || password == "" || !strings.Contains(err.Error(), password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), password, "***"))
}

// runNote is a file by which roles of one machine find an embedded server.
type runNote struct{ path string }

func (n runNote) write(u string) error {
	if err := os.MkdirAll(filepath.Dir(n.path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(n.path, []byte(u), 0o600)
}

func (n runNote) read() (string, bool) {
	b, err := os.ReadFile(n.path)
	return string(b), err == nil && len(b) > 0
}

func (n runNote) remove() { _ = os.Remove(n.path) }

// chain is a node to talk to and the key to sign with.
type chain struct {
	url  string
	key  *ecdsa.PrivateKey
	stop func() error

	options []l1.Option // how it is asked
}

// dial connects for a role, which asks again by itself.
func (c *chain) dial(ctx context.Context, chainID uint64) (*l1.Conn, error) {
	return l1.Dial(ctx, c.url, chainID, c.options...)
}

func (c *chain) close() error {
	if c.stop != nil {
		return c.stop()
	}
	return nil
}

// openChain uses L1_URL, else the embedded development chain in the data folder,
// which it starts at the loopback port unless another process of ours runs it.
func (a *app) openChain(data dataFlags, flags l1Flags) (*chain, error) {
	if u := os.Getenv(envL1); u != "" {
		key, err := l1Key()
		if err != nil {
			return nil, err
		}
		if err := a.checkNode(u, flags); err != nil {
			return nil, err
		}
		return &chain{url: u, key: key, options: flags.options(a)}, nil
	}
	key, err := devchain.DevKey(0)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(data.DataDir, "chain")
	node, startErr := devchain.Start(a.ctx, devchain.Config{ChainID: flags.ChainID, Port: flags.L1Port, DataDir: dir, Period: flags.L1Period})
	note := runNote{filepath.Join(data.DataDir, "chain.url")}
	if startErr != nil {
		u, running := note.read()
		if !running {
			return nil, fmt.Errorf("%w (choose another port with --l1-port, or set %s to a node of your own)", startErr, envL1)
		}
		if err := a.checkNode(u, flags); err != nil {
			return nil, fmt.Errorf("%w; nor can the chain that ran there last be used: %w (choose another port with --l1-port, or set %s to a node of your own)", startErr, err, envL1)
		}
		a.log.Info("using the development chain of a running settle", "url", u)
		return &chain{url: u, key: key, options: flags.options(a)}, nil
	}
	if err := note.write(node.URL()); err != nil {
		return nil, errors.Join(err, node.Close())
	}
	a.log.Info("started the embedded development chain", "url", node.URL(), "chain_id", node.ChainID(), "data", dir)
	return &chain{url: node.URL(), key: key, options: flags.options(a), stop: func() error { note.remove(); return node.Close() }}, nil
}

// checkNode asks a node for its chain id, so that a wrong L1_URL or --chain-id is
// found before anything is done.
func (a *app) checkNode(nodeURL string, flags l1Flags) error {
	client, err := l1.Dial(a.ctx, nodeURL, flags.ChainID, flags.options(a)...)
	if err != nil {
		return err
	}
	client.Close()
	return nil
}

func l1Key() (*ecdsa.PrivateKey, error) {
	text := strings.TrimPrefix(strings.TrimSpace(os.Getenv(envL1Key)), "0x")
	if text == "" {
		return nil, fmt.Errorf("set %s to the operator's private key (64 hexadecimal digits): %s names a node of your own", envL1Key, envL1)
	}
	key, err := crypto.HexToECDSA(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key of 64 hexadecimal digits", envL1Key) // without the cause, which may quote it
	}
	return key, nil
}
