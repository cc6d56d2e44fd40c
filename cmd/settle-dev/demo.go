package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

const (
	demoAccounts = 1024 // what shape demo is dimensioned for
	demoTokens   = 2
	demoBalance  = 1_000_000_000

	demoSlots    = 2 // proofs that --aggregate folds into one
	demoFoldWait = time.Minute
)

type demoCmd struct {
	Shape     string        `help:"Shape to prove with." default:"demo"`
	Transfers int           `help:"Transfers to submit, at least 64." default:"88"`
	Workers   int           `help:"Number of worker processes." default:"2"`
	JSON      bool          `name:"json" help:"Print one JSON object on standard output."`
	Keep      bool          `help:"Leave everything running at the end, and print the URLs."`
	Aggregate bool          `help:"Combine the proofs of two batches into one, so that they share one verification on L1. The first run makes keys for it, which takes many minutes."`
	Timeout   time.Duration `help:"Give up after this time. 0 means 10 minutes, or 60 minutes with --aggregate." default:"0"`
	KeysDir   string        `help:"Folder that holds the proving keys." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
}

// demoRun is one run's parts.
type demoRun struct {
	*app
	cmd        demoCmd
	progress   *command.Progress
	services   *services
	db         *node.Database
	l1         *node.L1
	deployment l1.Deployment
	genesis    *state.Genesis
	keys       []schnorr.PrivateKey
	client     *client.Client
	started    time.Time
	timings    demoTimings
}

// demoTimings are seconds by phase.
type demoTimings struct {
	Keys    float64 `json:"keys_seconds"`
	Start   float64 `json:"start_seconds"`
	Deploy  float64 `json:"deploy_seconds"`
	Submit  float64 `json:"submit_seconds"`
	Settle  float64 `json:"settle_seconds"`
	Overall float64 `json:"overall_seconds"`
}

// Run does the main job once, on components of its own: a fresh Postgres, a
// fresh chain and development keys, which are cached.
func (c demoCmd) Run(a *app) (err error) {
	if c.Transfers < 64 || c.Workers < 1 {
		return fmt.Errorf("--transfers %d and --workers %d: expected at least 64 and 1", c.Transfers, c.Workers)
	}
	shape, err := circuits.ShapeByName(c.Shape)
	if err != nil {
		return err
	}
	if cost.PopulationOf(shape).Accounts < demoAccounts { // a transfer between so many accounts would not fit
		return fmt.Errorf("--shape %s: it is too small for the %d accounts of the demo; take demo or a larger one", c.Shape, demoAccounts)
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
		if c.Aggregate {
			c.Timeout = time.Hour
		}
	}
	quiet := &app{a.Quiet(), a.cli}
	d := &demoRun{app: quiet, cmd: c, progress: command.NewProgress(a.Stderr, "demo"), services: &services{}, started: time.Now()}
	ctx, cancel := context.WithTimeout(a.Ctx, c.Timeout)
	defer cancel()
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	// The roles stop before the database and the chain do.
	rolesCtx, stopRoles := context.WithCancel(a.Ctx)
	up := newReader(quiet.Log)
	var roles errgroup.Group
	defer func() {
		stopRoles()
		if rolesErr := roles.Wait(); !errors.Is(rolesErr, context.Canceled) {
			err = errors.Join(err, rolesErr)
		}
	}()
	roles.Go(func() error {
		defer cancel() // a role that fails ends the wait for it
		return d.roles(rolesCtx, up)
	})
	if err := up.await(ctx); err != nil {
		return err
	}
	if d.client, err = client.New(up.api, client.WithRetries()); err != nil {
		return err
	}
	report, err := d.drive(ctx)
	if err != nil {
		return err
	}
	d.progress.Done()
	if err := d.print(report); err != nil {
		return err
	}
	if err := report.check(c.Transfers); err != nil {
		return err
	}
	if c.Keep {
		fmt.Fprintf(a.Stderr, "\nrunning until interrupted\n  API   %s (%[1]s/openapi.json; metrics at %s)\n  L1    %s, rollup %s\n", up.api, up.ops, d.services.nodeURL, d.deployment.Rollup)
		<-a.Ctx.Done()
	}
	return nil
}

// roles runs settle up on what was prepared.
func (d *demoRun) roles(ctx context.Context, up *reader) error {
	args := []string{
		"--log-level", "info", "--log-format", "json", "up", "--unsafe-dev", "--keys-dir", d.cmd.KeysDir, "--workers", strconv.Itoa(d.cmd.Workers),
		"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--seal-age", "5s", "--seal-idle", "500ms", "--l1-poll", "100ms", "--claims-interval", "5s",
		"--prove-timeout", d.cmd.Timeout.String(), "--stop-grace", "1s",
		"--fold-wait", demoFoldWait.String(), "--fold-exit-wait", demoFoldWait.String(), "--fold-timeout", d.cmd.Timeout.String(), "--fold-patience", d.cmd.Timeout.String(),
	}
	return d.settle(ctx, d.services.environment(func(name string) bool { return strings.HasPrefix(name, command.VariablePrefix) }), io.Discard, up, args...)
}

// prepare makes keys, starts Postgres and the chain, and deploys.
func (d *demoRun) prepare(ctx context.Context) error {
	keys := node.Keys{Dir: d.cmd.KeysDir, UnsafeDev: true, Log: d.Log}
	cfg := node.DeployConfig{
		Shapes: []string{d.cmd.Shape}, Delay: time.Hour, MinFees: map[settle.TokenID]settle.Amount{0: settle.NewAmount(1), 1: settle.NewAmount(1)},
	}
	if d.cmd.Aggregate {
		cfg.Aggregates = []string{circuits.AggregateShape{Inner: d.cmd.Shape, Slots: demoSlots}.Name()}
	}
	for _, v := range cfg.Verifiers() {
		d.progress.Step(fmt.Sprintf("keys of the circuit %s, shape %s (the first run makes them)", v.Circuit, v.Shape))
		if err := d.timed(&d.timings.Keys, func() error { _, err := keys.Setup(ctx, v.Circuit, v.Shape); return err }); err != nil {
			return err
		}
	}
	d.progress.Step("a private Postgres and a development chain")
	if err := d.timed(&d.timings.Start, func() error { return d.start(ctx) }); err != nil {
		return err
	}
	d.progress.Step("verifier, rollup and genesis")
	return d.timed(&d.timings.Deploy, func() (err error) {
		if d.genesis, d.keys, err = demoGenesis(); err != nil {
			return err
		}
		cfg.Genesis = d.genesis
		d.deployment, err = (&node.Node{DB: d.db, L1: d.l1, Keys: keys, Log: d.Log}).Deploy(ctx, cfg)
		return err
	})
}

func (d *demoRun) timed(seconds *float64, step func() error) error {
	begun := time.Now()
	err := step()
	*seconds += time.Since(begun).Seconds()
	return err
}

// start starts components that nothing of the outside knows and that leave nothing behind.
func (d *demoRun) start(ctx context.Context) error {
	server, err := postgres.Start(ctx, postgres.Config{})
	if err != nil {
		return fmt.Errorf("start the private Postgres: %w", err)
	}
	s := d.services
	s.closers, s.databaseURL = append(s.closers, server.Stop), server.URL()
	if d.db, err = node.OpenDatabase(ctx, server.URL(), true); err != nil {
		return err
	}
	chain, err := devchain.Start(ctx, devchain.Config{})
	if err != nil {
		return fmt.Errorf("start the development chain: %w", err)
	}
	s.closers, s.nodeURL = append(s.closers, chain.Close), chain.URL()
	key, err := devchain.DevKey(0)
	if err != nil {
		return fmt.Errorf("key of the development chain: %w", err)
	}
	d.l1 = &node.L1{URL: chain.URL(), Key: key}
	s.key, err = devKey()
	return err
}

func (d *demoRun) close() error {
	if d.db != nil {
		d.db.Close()
	}
	return d.services.close()
}

// demoGenesis funds 1,024 fresh keys; account i holds token i mod 2, and the
// first two take the fees.
func demoGenesis() (*state.Genesis, []schnorr.PrivateKey, error) {
	genesis, keys := new(state.Genesis), make([]schnorr.PrivateKey, demoAccounts)
	for i := range keys {
		var err error
		if keys[i], err = schnorr.GenerateKey(rand.Reader); err != nil {
			return nil, nil, err
		}
		token := settle.TokenID(i % demoTokens)
		genesis.Accounts = append(genesis.Accounts, state.GenesisAccount{
			Owner: keys[i].Public(), Token: token, Balance: settle.NewAmount(demoBalance), L1: settle.Address{0xde, 0xad, 18: byte(i >> 8), 19: byte(i)},
		})
		if i < demoTokens {
			genesis.FeeAccounts = append(genesis.FeeAccounts, state.GenesisFeeAccount{Token: token, Index: settle.AccountIndex(i)})
		}
	}
	return genesis, keys, genesis.Validate()
}

// drive submits the transfers over TCP and waits until all are settled.
func (d *demoRun) drive(ctx context.Context) (*demoReport, error) {
	d.progress.Step(fmt.Sprintf("%d signed transfers over REST", d.cmd.Transfers))
	ids, err := d.submit(ctx)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	begun := time.Now()
	if err := d.await(ctx, len(ids)); err != nil {
		return nil, err
	}
	d.timings.Settle = time.Since(begun).Seconds()
	d.timings.Overall = time.Since(d.started).Seconds()
	return d.report(ctx, ids)
}

func (d *demoRun) submit(ctx context.Context) ([]settle.Hash, error) {
	begun := time.Now()
	nonces := map[settle.AccountIndex]settle.Nonce{}
	var txs []wire.Transaction
	for i := range d.cmd.Transfers {
		token := i % demoTokens
		from, to := demoPick(i, token), demoPick(3*i+501, token)
		wallet := client.NewWallet(d.keys[from], d.deployment.ChainID, d.deployment.Rollup, d.genesis.Accounts[from].L1)
		tx, _, err := wallet.Sign(client.Transfer{
			From: from, To: to, Token: settle.TokenID(token), Amount: settle.NewAmount(uint64(1000 + i)), Fee: settle.NewAmount(1), Nonce: nonces[from],
			Receiver: client.Address{Owner: d.genesis.Accounts[to].Owner.Element(), L1: d.genesis.Accounts[to].L1},
		})
		if err != nil {
			return nil, err
		}
		nonces[from]++
		txs = append(txs, tx)
	}
	var ids []settle.Hash
	for len(txs) > 0 {
		n := min(len(txs), settle.MaxSubmitItems)
		results, err := d.client.SubmitAll(ctx, txs[:n])
		if err != nil {
			return nil, err
		}
		for i, r := range results.Results {
			if r.Problem != nil {
				return nil, fmt.Errorf("transfer %d was refused: %s: %s", i, r.Problem.Code, r.Problem.Detail)
			}
			ids = append(ids, *r.ID)
		}
		txs = txs[n:]
	}
	d.timings.Submit = time.Since(begun).Seconds()
	return ids, nil
}

// demoPick spreads accounts of a token over the tree.
func demoPick(i, token int) settle.AccountIndex {
	const perToken = demoAccounts / demoTokens
	return settle.AccountIndex(i*263%perToken*demoTokens + token)
}

// await shows progress until every transfer is settled or one is rejected.
func (d *demoRun) await(ctx context.Context, transfers int) error {
	total := int64(transfers)
	bar := d.progress.Bar("settled", transfers)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := d.client.Status(ctx)
		if err != nil {
			return fmt.Errorf("wait for settlement: %w", errors.Join(err, context.Cause(ctx)))
		}
		t := status.Transactions
		bar.Update(int(t.Settled+t.Final), fmt.Sprintf("executed %d, proven %d, settled", total-t.Accepted, t.Proven+t.Settled+t.Final))
		if t.Rejected > 0 {
			return fmt.Errorf("%d transfers were rejected", t.Rejected)
		}
		if t.Settled+t.Final == total {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d transfers are settled: %w", t.Settled+t.Final, total, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (d *demoRun) print(r *demoReport) error {
	if d.cmd.JSON {
		return d.PrintJSON(r)
	}
	return r.table(d.Stdout)
}
