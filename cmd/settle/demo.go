package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

const (
	demoAccounts = 1024 // what shape demo is dimensioned for
	demoTokens   = 2
	demoBalance  = 1_000_000_000

	demoSlots     = 2 // proofs that --aggregate folds into one
	demoFoldWait  = time.Minute
	demoFoldWords = 3584
)

type demoCmd struct {
	Shape     string        `help:"Shape to prove with." default:"demo"`
	Transfers int           `help:"Transfers to submit, at least 64." default:"88"`
	Workers   int           `help:"Worker processes." default:"2"`
	JSON      bool          `name:"json" help:"Print one JSON object on standard output."`
	Keep      bool          `help:"Leave everything running when done and print the URLs."`
	Aggregate bool          `help:"Fold proofs of two batches into one, so that they share one verification on L1; the first run makes the keys for it, which takes many minutes."`
	Timeout   time.Duration `help:"Give up after this; 0 for 10 minutes, or 60 with --aggregate." default:"0"`
	KeysDir   string        `help:"Folder of proving keys, by fingerprint." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
}

// demoRun is one run's parts.
type demoRun struct {
	*app
	cmd        demoCmd
	progress   *progress
	db         *database
	node       *chain
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
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
		if c.Aggregate {
			c.Timeout = time.Hour
		}
	}
	quiet := *a
	quiet.log, quiet.logLevel = newQuietLogger(a.stderr, a.logFormat), "warn"
	d := &demoRun{app: &quiet, cmd: c, progress: newProgress(a.stderr, "demo"), started: time.Now()}
	ctx, cancel := context.WithTimeout(a.ctx, c.Timeout)
	defer cancel()
	d.ctx = ctx
	defer func() { err = errors.Join(err, d.close()) }()

	keysFlags := keysFlags{KeysDir: c.KeysDir, UnsafeDev: true}
	if err := d.prepare(keysFlags); err != nil {
		return err
	}
	listeners, err := a.listenAPI(apiFlags{Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	url := "http://" + listeners.public.Addr().String()
	if d.client, err = client.New(url, client.WithRetries()); err != nil {
		return errors.Join(err, listeners.close())
	}
	// The roles stop before the database and the chain do.
	rolesCtx, stopRoles := context.WithCancel(a.ctx)
	var roles errgroup.Group
	defer func() {
		stopRoles()
		if rolesErr := roles.Wait(); !errors.Is(rolesErr, context.Canceled) {
			err = errors.Join(err, rolesErr)
		}
	}()
	roles.Go(func() error {
		defer cancel() // a role that fails ends the wait for it
		return d.runAll(rolesCtx, rolesConfig{
			db: d.db, node: d.node, listeners: listeners, keys: keysFlags, workers: c.Workers,
			proving: provingFlags{ProveTimeout: c.Timeout, StopGrace: time.Second},
			api:     apiFlags{MaxAccepted: 50_000, MaxUnproven: 1000},
			seal:    sealFlags{SealAge: 5 * time.Second, SealIdle: 500 * time.Millisecond},
			poll:    100 * time.Millisecond,
			submit:  submitFlags{Patience: c.Timeout, InFlight: 4, Claims: 5 * time.Second},
			fold:    foldFlags{FoldWait: demoFoldWait, FoldExitWait: demoFoldWait, FoldTimeout: c.Timeout, FoldMaxWords: demoFoldWords},
		})
	})
	report, err := d.drive(ctx)
	if err != nil {
		return err
	}
	d.progress.done()
	if err := d.print(report); err != nil {
		return err
	}
	if err := report.check(c.Transfers); err != nil {
		return err
	}
	if c.Keep {
		fmt.Fprintf(a.stderr, "\nrunning until interrupted\n  API   %s (%s/openapi.json; metrics at http://%s/metrics)\n  L1    %s, rollup %s\n", url, url, listeners.ops.Addr(), d.node.url, d.deployment.Rollup)
		<-a.ctx.Done()
	}
	return nil
}

// prepare makes keys, starts Postgres and the chain, and deploys.
func (d *demoRun) prepare(keys keysFlags) error {
	genesis := genesisFlags{Shapes: []string{d.cmd.Shape}, MinFee: map[string]string{"0": "1", "1": "1"}, Delay: time.Hour}
	if d.cmd.Aggregate {
		genesis.Aggregates = []string{circuits.AggregateShape{Inner: d.cmd.Shape, Slots: demoSlots}.Name()}
	}
	for _, v := range genesis.verifiers() {
		d.progress.step(fmt.Sprintf("keys of the circuit %s, shape %s (the first run makes them)", v.Circuit, v.Shape))
		if err := d.timed(&d.timings.Keys, func() error { _, err := d.setupKeys(keys, v.Circuit, v.Shape); return err }); err != nil {
			return err
		}
	}
	d.progress.step("a private Postgres and a development chain")
	if err := d.timed(&d.timings.Start, d.start); err != nil {
		return err
	}
	d.progress.step("verifier, rollup and genesis")
	return d.timed(&d.timings.Deploy, func() (err error) {
		if d.genesis, d.keys, err = demoGenesis(); err != nil {
			return err
		}
		d.deployment, err = d.deploy(d.db, d.node, l1Flags{}, keys, genesis, feeFlags{}, d.genesis, adoption{})
		return err
	})
}

func (d *demoRun) timed(seconds *float64, step func() error) error {
	begun := time.Now()
	err := step()
	*seconds += time.Since(begun).Seconds()
	return err
}

func (d *demoRun) start() error {
	server, err := postgres.Start(d.ctx, postgres.Config{})
	if err != nil {
		return err
	}
	if d.db, err = d.connect(server.URL(), true, server.Stop); err != nil {
		return err
	}
	key, err := devchain.DevKey(0)
	if err != nil {
		return err
	}
	node, err := devchain.Start(d.ctx, devchain.Config{})
	if err != nil {
		return err
	}
	d.node = &chain{url: node.URL(), key: key, stop: node.Close}
	return nil
}

func (d *demoRun) close() error {
	var err error
	if d.node != nil {
		err = d.node.close()
	}
	if d.db != nil {
		err = errors.Join(err, d.db.close())
	}
	return err
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
			Owner: keys[i].Public(), Token: token, Balance: settle.NewAmount(demoBalance), L1: developmentAddress(i),
		})
		if i < demoTokens {
			genesis.FeeAccounts = append(genesis.FeeAccounts, state.GenesisFeeAccount{Token: token, Index: settle.AccountIndex(i)})
		}
	}
	return genesis, keys, genesis.Validate()
}

// drive submits the transfers over TCP and waits until all are settled.
func (d *demoRun) drive(ctx context.Context) (*demoReport, error) {
	d.progress.step(fmt.Sprintf("%d signed transfers over REST", d.cmd.Transfers))
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
	bar := d.progress.bar("settled", transfers)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := d.client.Status(ctx)
		if err != nil {
			return fmt.Errorf("wait for settlement: %w", errors.Join(err, context.Cause(ctx)))
		}
		t := status.Transactions
		bar.update(int(t.Settled+t.Final), fmt.Sprintf("executed %d, proven %d, settled", total-t.Accepted, t.Proven+t.Settled+t.Final))
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
		return d.printJSON(r)
	}
	return r.table(d.stdout)
}
