package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// genesisFlags say what a new rollup starts with.
type genesisFlags struct {
	Genesis string            `help:"Genesis file (docs/protocol.md)." env:"SETTLE_GENESIS" type:"path"`
	MinFee  map[string]string `help:"Smallest fee taken, by token, for example 0=10; 0 for tokens not named." env:"SETTLE_MIN_FEE"`
	Shapes  []string          `help:"Shapes to register verifiers for." default:"demo" env:"SETTLE_SHAPES"`
	// Aggregates are the aggregate circuits of a deployment.
	Aggregates []string      `name:"aggregate" help:"Aggregate shapes to register verifiers for, for example demo-2, which folds up to 2 proofs of shape demo into one; none: every batch settles by itself." env:"SETTLE_AGGREGATE" placeholder:"SHAPE"`
	Delay      time.Duration `help:"Timelock of the contract; 7 days or more unless the keys are development keys." default:"168h" env:"SETTLE_TIMELOCK"`

	Governor  settle.Address   `help:"Address that governs the contract's registry. Needed unless the keys are development keys, and then its key must neither deploy nor settle." env:"SETTLE_GOVERNOR" placeholder:"ADDRESS"`
	Operators []settle.Address `help:"Addresses that may settle; empty: the one that deploys." env:"SETTLE_OPERATORS" placeholder:"ADDRESS"`
}

type deployCmd struct {
	dataFlags
	migrateFlags
	l1Flags
	keysFlags
	genesisFlags
	feeFlags
	Adopt     settle.Address `help:"Write the record of this rollup, which is deployed already and has settled nothing, instead of deploying one; flags as when it was deployed." placeholder:"ADDRESS"`
	AdoptFrom uint64         `help:"Block at which the search for the rollup of --adopt begins." default:"0"`
}

// Run deploys and writes genesis, once for a database. A run that broke off is gone on with.
func (c deployCmd) Run(a *app) (err error) {
	db, err := c.openMigrated(a, c.dataFlags, databaseIsPrivate())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	node, err := a.openChain(c.dataFlags, c.l1Flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.close()) }()
	genesis, err := readGenesis(c.Genesis)
	if err != nil {
		return err
	}
	adoption := adoption{rollup: c.Adopt, from: c.AdoptFrom}
	deployment, err := a.deploy(db, node, c.l1Flags, c.keysFlags, c.genesisFlags, c.feeFlags, genesis, adoption)
	if err != nil {
		return err
	}
	return a.printJSON(deployment)
}

func readGenesis(path string) (*state.Genesis, error) {
	if path == "" {
		return nil, errors.New("name a genesis file with --genesis (settle wallet genesis makes one for development)")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read genesis: %w", err)
	}
	return state.ParseGenesis(file)
}

// hasNoRollup is an error where the database has a rollup.
func (a *app) hasNoRollup(db *database) error {
	existing, err := db.store.Rollup(a.ctx)
	switch {
	case err == nil:
		return fmt.Errorf("this database belongs to the rollup %s on chain %d already: use another database for another rollup", existing.Address, existing.ChainID)
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("look for a rollup in the database: %w", err)
	}
	return nil
}

// deploy puts verifiers and rollup on L1 and writes genesis to the database. A
// database that has a rollup already is refused before anything is sent.
func (a *app) deploy(db *database, node *chain, flags l1Flags, keys keysFlags, g genesisFlags, fee feeFlags, genesis *state.Genesis, adopt adoption) (_ l1.Deployment, err error) {
	fees, err := fee.policy(a)
	if err != nil {
		return l1.Deployment{}, err
	}
	if err := a.hasNoRollup(db); err != nil {
		return l1.Deployment{}, err
	}
	// A second run would sign at the same nonces, and neither would know of the other's transactions.
	role, err := db.store.AcquireWriter(a.ctx, store.RoleSubmitter, holder())
	if errors.Is(err, store.ErrWriterHeld) {
		return l1.Deployment{}, fmt.Errorf("another process deploys on this database: wait until it is done: %w", err)
	}
	if err != nil {
		return l1.Deployment{}, fmt.Errorf("keep others from deploying: %w", err)
	}
	defer func() { err = errors.Join(err, role.Release(context.WithoutCancel(a.ctx))) }()
	if err := a.hasNoRollup(db); err != nil { // the other run may be done by now
		return l1.Deployment{}, err
	}
	initial, err := genesis.State(poseidon.New(), fr.Element{})
	if err != nil {
		return l1.Deployment{}, err
	}
	minFees, err := g.minFees()
	if err != nil {
		return l1.Deployment{}, err
	}
	var verifiers []l1.VerifierKey
	for _, v := range g.verifiers() {
		key, err := a.verifierKey(keys, v.Circuit, v.Shape)
		if err != nil {
			return l1.Deployment{}, err
		}
		verifiers = append(verifiers, key)
	}
	client, err := flags.dial(a, node.url, flags.ChainID)
	if err != nil {
		return l1.Deployment{}, err
	}
	defer client.Close()
	config := l1.DeployConfig{
		ChainID: flags.ChainID, GenesisRoot: element(initial.Root()), GenesisHash: genesis.Hash(),
		Governor: g.Governor, Operators: g.Operators, Delay: g.Delay, UnsafeDevKeys: keys.UnsafeDev, Keys: verifiers,
		Fees: fees, Journal: db.store,
	}
	var deployment l1.Deployment
	if adopt.rollup != (settle.Address{}) {
		deployment, err = l1.Adopt(a.ctx, client, adopt.rollup, adopt.from, config)
	} else {
		deployment, err = l1.Deploy(a.ctx, client, node.key, config)
	}
	if err != nil {
		return l1.Deployment{}, fmt.Errorf("deploy: %w", err)
	}
	a.log.Info("deployed", "rollup", deployment.Rollup, "chain_id", deployment.ChainID, "genesis_root", deployment.GenesisRoot, "gas", deployment.GasUsed)
	if err := a.writeGenesis(db, genesisRows(initial, deployment, genesis, minFees)); err != nil {
		return l1.Deployment{}, fmt.Errorf("the rollup %s is deployed and not in the database; run this again, which sends nothing twice: %w", deployment.Rollup, err)
	}
	return deployment, nil
}

// adoption names a rollup that is deployed already; zero: none.
type adoption struct {
	rollup settle.Address
	from   uint64
}

// writeGenesis waits for a database that is away for moments.
func (a *app) writeGenesis(db *database, rows store.Genesis) error {
	for until := time.Now().Add(commandPatience); ; {
		_, err := db.store.InitGenesis(a.ctx, rows)
		if err == nil || !store.IsUnavailable(err) || time.Now().After(until) {
			return err
		}
		a.log.Warn("the database is away; genesis is written when it is back", "error", err)
		select {
		case <-a.ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// verifiers are the circuits that the rollup is to have verifiers for.
func (g genesisFlags) verifiers() []store.Verifier {
	var out []store.Verifier
	for _, shape := range g.Shapes {
		out = append(out, store.Verifier{Circuit: settle.CircuitTransition, Shape: shape})
	}
	for _, shape := range g.Aggregates {
		out = append(out, store.Verifier{Circuit: settle.CircuitAggregate, Shape: shape})
	}
	return out
}

func (a *app) verifierKey(flags keysFlags, circuit, shape string) (l1.VerifierKey, error) {
	id, err := a.keysID(flags, circuit, shape)
	if err != nil {
		return l1.VerifierKey{}, err
	}
	vk, manifest, err := provingkeys.OpenVerifyingKey(flags.KeysDir, id, flags.options(a))
	if err != nil {
		return l1.VerifierKey{}, err
	}
	words, err := verifier.Words(vk)
	if err != nil {
		return l1.VerifierKey{}, err
	}
	return l1.VerifierKey{
		Circuit: circuit, Shape: shape, Words: words, Hash: manifest.KeyHash,
		UnsafeDev: manifest.Setup == provingkeys.SetupUnsafeDev,
	}, nil
}

func (g genesisFlags) minFees() (map[settle.TokenID]settle.Amount, error) {
	out := map[settle.TokenID]settle.Amount{}
	for token, fee := range g.MinFee {
		id, ok := new(big.Int).SetString(token, 10)
		if !ok || id.Sign() < 0 || id.BitLen() > settle.TokenBits {
			return nil, fmt.Errorf("--min-fee %s=%s: the token is not a number of 32 bits", token, fee)
		}
		amount, err := settle.ParseAmount(fee)
		if err != nil {
			return nil, fmt.Errorf("--min-fee %s=%s: %w", token, fee, err)
		}
		if _, err := state.NewFloat16(amount); err != nil {
			return nil, fmt.Errorf("--min-fee %s=%s: %w", token, fee, err)
		}
		out[settle.TokenID(id.Uint64())] = amount
	}
	return out, nil
}

func genesisRows(initial *state.State, d l1.Deployment, g *state.Genesis, minFees map[settle.TokenID]settle.Amount) store.Genesis {
	rows := store.Genesis{Rollup: store.Rollup{
		Domain: d.Domain, ChainID: d.ChainID, Address: d.Rollup, DeployBlock: d.Block,
		GenesisRoot: d.GenesisRoot, GenesisHash: d.GenesisHash, UnsafeDev: d.UnsafeDevKeys,
	}}
	for _, v := range d.Verifiers {
		rows.Rollup.Verifiers = append(rows.Rollup.Verifiers, store.Verifier{Circuit: v.Circuit, Shape: v.Shape, KeyHash: v.KeyHash, Address: v.Verifier})
	}
	for i, account := range g.Accounts {
		index := settle.AccountIndex(i)
		rows.Accounts = append(rows.Accounts, store.Account{
			Index: index, Owner: account.Owner.Element(), Token: account.Token, Balance: account.Balance,
			L1: account.L1, Leaf: element(initial.Leaf(index)),
		})
	}
	for _, f := range g.FeeAccounts {
		rows.FeeAccounts = append(rows.FeeAccounts, store.FeeAccount{Token: f.Token, Index: f.Index, MinFee: minFees[f.Token]})
	}
	return rows
}

func element(e fr.Element) settle.Element { return e.Bytes() }

// rollup reads the rollup that the database belongs to.
func (a *app) rollup(ctx context.Context, db *database) (store.Rollup, error) {
	r, err := db.store.Rollup(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return r, errors.New("the database has no rollup: run settle deploy first")
	}
	return r, err
}
