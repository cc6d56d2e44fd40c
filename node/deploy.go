package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// CommandPatience is how long a command that runs once asks again what is unavailable. A
// role looks again by itself.
const CommandPatience = time.Minute

// DeployConfig says what a new rollup starts with.
type DeployConfig struct {
	ChainID    uint64 // expected; 0: the node's
	Genesis    *state.Genesis
	MinFees    map[settle.TokenID]settle.Amount
	Shapes     []string // to register verifiers for
	Aggregates []string // aggregate shapes, likewise
	Delay      time.Duration
	Governor   settle.Address
	Operators  []settle.Address
	Fees       l1.FeePolicy

	Adopt     settle.Address // a rollup that is deployed already and has settled nothing; zero: deploy one
	AdoptFrom uint64         // block at which the search for it begins
}

// Verifiers are the circuits that the rollup is to have verifiers for.
func (c DeployConfig) Verifiers() []store.Verifier {
	var out []store.Verifier
	for _, shape := range c.Shapes {
		out = append(out, store.Verifier{Circuit: settle.CircuitTransition, Shape: shape})
	}
	for _, shape := range c.Aggregates {
		out = append(out, store.Verifier{Circuit: settle.CircuitAggregate, Shape: shape})
	}
	return out
}

// EnsureRollup deploys where the database has no rollup yet, from the configuration that
// config returns; it makes the keys first, which takes development keys. A rollup that is
// there must have verifiers for the aggregate shapes that are named, and keys here.
func (n *Node) EnsureRollup(ctx context.Context, aggregateShapes []string, config func() (DeployConfig, error)) error {
	rollup, err := n.DB.Store.Rollup(ctx)
	if err == nil {
		for _, shape := range aggregateShapes {
			if !slices.ContainsFunc(rollup.Verifiers, func(v store.Verifier) bool { return v.Circuit == settle.CircuitAggregate && v.Shape == shape }) {
				return fmt.Errorf("--aggregate %s: the rollup has no verifier for it: register one (settle verifier propose --aggregate %[1]s)", shape)
			}
		}
		_, err := n.Keys.Usable(rollup)
		return err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	cfg, err := config()
	if err != nil {
		return fmt.Errorf("the database has no rollup yet: %w", err)
	}
	for _, v := range cfg.Verifiers() {
		if _, err := n.Keys.Setup(ctx, v.Circuit, v.Shape); err != nil {
			return err
		}
	}
	_, err = n.Deploy(ctx, cfg)
	return err
}

// hasNoRollup is an error where the database has a rollup.
func (n *Node) hasNoRollup(ctx context.Context) error {
	existing, err := n.DB.Store.Rollup(ctx)
	switch {
	case err == nil:
		return fmt.Errorf("this database belongs to the rollup %s on chain %d already: use another database for another rollup", existing.Address, existing.ChainID)
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("look for a rollup in the database: %w", err)
	}
	return nil
}

// Deploy puts verifiers and rollup on L1 and writes genesis to the database. A run that
// broke off is gone on with. A database that has a rollup already is refused before
// anything is sent.
func (n *Node) Deploy(ctx context.Context, cfg DeployConfig) (_ l1.Deployment, err error) {
	if err := n.hasNoRollup(ctx); err != nil {
		return l1.Deployment{}, err
	}
	// A second run would sign at the same nonces, and neither would know of the other's transactions.
	role, err := n.DB.Store.AcquireWriter(ctx, store.RoleSubmitter, leader.Holder())
	if errors.Is(err, store.ErrWriterHeld) {
		return l1.Deployment{}, fmt.Errorf("another process deploys on this database: wait until it is done: %w", err)
	}
	if err != nil {
		return l1.Deployment{}, fmt.Errorf("keep others from deploying: %w", err)
	}
	defer func() { err = errors.Join(err, role.Release(context.WithoutCancel(ctx))) }()
	if err := n.hasNoRollup(ctx); err != nil { // the other run may be done by now
		return l1.Deployment{}, err
	}
	initial, err := cfg.Genesis.State(poseidon.New(), fr.Element{})
	if err != nil {
		return l1.Deployment{}, err
	}
	deployment, err := n.deployOnL1(ctx, cfg, initial)
	if err != nil {
		return l1.Deployment{}, fmt.Errorf("deploy: %w", err)
	}
	n.Log.Info("deployed", "rollup", deployment.Rollup, "chain_id", deployment.ChainID, "genesis_root", deployment.GenesisRoot, "gas", deployment.GasUsed)
	if err := n.writeGenesis(ctx, genesisRows(initial, deployment, cfg)); err != nil {
		return l1.Deployment{}, fmt.Errorf("the rollup %s is deployed and not in the database; run this again, which sends nothing twice: %w", deployment.Rollup, err)
	}
	return deployment, nil
}

func (n *Node) deployOnL1(ctx context.Context, cfg DeployConfig, initial *state.State) (l1.Deployment, error) {
	config := l1.DeployConfig{
		ChainID: cfg.ChainID, GenesisRoot: initialRoot(initial), GenesisHash: cfg.Genesis.Hash(),
		Governor: cfg.Governor, Operators: cfg.Operators, Delay: cfg.Delay, UnsafeDevKeys: n.Keys.UnsafeDev,
		Fees: cfg.Fees, Journal: n.DB.Store,
	}
	for _, v := range cfg.Verifiers() {
		key, err := n.Keys.Verifier(v.Circuit, v.Shape)
		if err != nil {
			return l1.Deployment{}, err
		}
		config.Keys = append(config.Keys, key)
	}
	client, err := n.L1.Dial(ctx, cfg.ChainID, l1.WithPatience(CommandPatience))
	if err != nil {
		return l1.Deployment{}, err
	}
	defer client.Close()
	if cfg.Adopt != (settle.Address{}) {
		return l1.Adopt(ctx, client, cfg.Adopt, cfg.AdoptFrom, config)
	}
	return l1.Deploy(ctx, client, n.L1.Key, config)
}

func initialRoot(s *state.State) settle.Element {
	root := s.Root()
	return root.Bytes()
}

// writeGenesis waits for a database that is away for moments.
func (n *Node) writeGenesis(ctx context.Context, rows store.Genesis) error {
	for until := time.Now().Add(CommandPatience); ; {
		_, err := n.DB.Store.InitGenesis(ctx, rows)
		if err == nil || !store.IsUnavailable(err) || time.Now().After(until) {
			return err
		}
		n.Log.Warn("the database is away; genesis is written when it is back", "error", err)
		if outage.Pause(ctx, time.Second) != nil {
			return err
		}
	}
}

func genesisRows(initial *state.State, d l1.Deployment, cfg DeployConfig) store.Genesis {
	rows := store.Genesis{Rollup: store.Rollup{
		Domain: d.Domain, ChainID: d.ChainID, Address: d.Rollup, DeployBlock: d.Block,
		GenesisRoot: d.GenesisRoot, GenesisHash: d.GenesisHash, UnsafeDev: d.UnsafeDevKeys,
	}}
	for _, v := range d.Verifiers {
		rows.Rollup.Verifiers = append(rows.Rollup.Verifiers, store.Verifier{Circuit: v.Circuit, Shape: v.Shape, KeyHash: v.KeyHash, Address: v.Verifier})
	}
	for i, account := range cfg.Genesis.Accounts {
		index := settle.AccountIndex(i)
		leaf := initial.Leaf(index)
		rows.Accounts = append(rows.Accounts, store.Account{
			Index: index, Owner: account.Owner.Element(), Token: account.Token, Balance: account.Balance, L1: account.L1, Leaf: leaf.Bytes(),
		})
	}
	for _, f := range cfg.Genesis.FeeAccounts {
		rows.FeeAccounts = append(rows.FeeAccounts, store.FeeAccount{Token: f.Token, Index: f.Index, MinFee: cfg.MinFees[f.Token]})
	}
	return rows
}
