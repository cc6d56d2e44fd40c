package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// verifierCmd changes the registry of a rollup that runs already.
type verifierCmd struct {
	Propose  verifierProposeCmd  `cmd:"" help:"Deploy a verifier for a key and propose to register it; signed by the governor."`
	Activate verifierActivateCmd `cmd:"" help:"Register a proposed verifier once the timelock is over, and write it to the database; signed by the governor."`
	List     verifierListCmd     `cmd:"" help:"List registered and proposed verifiers, and from when these can be activated."`
}

// registryFlags name a key and the rollup that is to know it.
type registryFlags struct {
	dataFlags
	l1Flags
	feeFlags
	keysFlags
	keysSelection
}

type verifierProposeCmd struct{ registryFlags }

// Run goes on where an earlier run ended, and changes nothing when all is done.
func (c verifierProposeCmd) Run(a *app) error {
	return c.register(a, func(r *l1.Registrar, k l1.VerifierKey) (l1.Registration, error) {
		registration, err := r.Propose(a.ctx, k)
		if err == nil && registration.Standing != l1.StandingRegistered {
			a.log.Info("proposed; activate it in time (settle verifier activate)", "from", registration.ReadyAt, "until", registration.Expires)
		}
		return registration, err
	})
}

type verifierActivateCmd struct{ registryFlags }

// Run goes on where an earlier run ended, and changes nothing when all is done.
func (c verifierActivateCmd) Run(a *app) error {
	return c.register(a, func(r *l1.Registrar, k l1.VerifierKey) (l1.Registration, error) {
		return r.Activate(a.ctx, k.Circuit, k.Shape, k.Hash)
	})
}

// register opens everything around act. A verifier that is registered by then is
// written to the database.
func (c registryFlags) register(a *app, act func(*l1.Registrar, l1.VerifierKey) (l1.Registration, error)) error {
	circuit, shape, err := c.circuit()
	if err != nil {
		return err
	}
	fees, err := c.policy(a)
	if err != nil {
		return err
	}
	key, err := a.verifierKey(c.keysFlags, circuit, shape)
	if err != nil {
		return err
	}
	return a.withDatabase(c.dataFlags, func(db *database) (err error) {
		rollup, err := a.rollup(a.ctx, db)
		if err != nil {
			return err
		}
		node, err := a.openChain(c.dataFlags, c.l1Flags)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, node.close()) }()
		client, err := c.dial(a, node.url, rollup.ChainID)
		if err != nil {
			return err
		}
		defer client.Close()
		if err := c.checkInner(a, client, rollup); err != nil {
			return err
		}
		registrar, err := l1.NewRegistrar(a.ctx, client, node.key, l1.RegistrarConfig{
			ChainID: rollup.ChainID, Rollup: rollup.Address, DeployBlock: rollup.DeployBlock, Fees: fees, Logger: a.log,
		})
		if err != nil {
			return err
		}
		registration, err := act(registrar, key)
		if err != nil {
			return err
		}
		known := registration.Standing == l1.StandingRegistered
		if known {
			v := store.Verifier{Circuit: circuit, Shape: shape, KeyHash: registration.KeyHash, Address: registration.Verifier}
			if err := db.store.AddVerifier(a.ctx, v); err != nil {
				return fmt.Errorf("the verifier is registered, but not in the database (run this again): %w", err)
			}
			a.log.Info("registered; roles know it once they are started again", "circuit", circuit, "shape", shape)
		}
		return a.printJSON(viewOf(registration, known))
	})
}

// checkInner refuses an aggregate for proofs that the rollup does not take.
func (c registryFlags) checkInner(a *app, node l1.Node, rollup store.Rollup) error {
	if c.Aggregate == "" {
		return nil
	}
	shape, err := circuits.ParseAggregateShape(c.Aggregate)
	if err != nil {
		return err
	}
	id, err := a.keysID(c.keysFlags, settle.CircuitAggregate, c.Aggregate)
	if err != nil {
		return err
	}
	_, err = l1.NewClient(node, rollup.Address).FindKey(a.ctx, settle.CircuitTransition, shape.Inner, id.Inner)
	if errors.Is(err, l1.ErrUnregistered) || errors.Is(err, l1.ErrKeyMismatch) {
		return settle.Refuse(l1.CodeInnerKey, "%s folds proofs of shape %s under key %s: %v", c.Aggregate, shape.Inner, id.Inner, err)
	}
	return err
}

type verifierListCmd struct {
	dataFlags
	nodeFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// verifierView is a verifier as it is shown.
type verifierView struct {
	Circuit     string         `json:"circuit"`
	Shape       string         `json:"shape"`
	Version     uint32         `json:"version"`
	Standing    l1.Standing    `json:"standing"`
	ReadyAt     *time.Time     `json:"ready_at,omitempty"` // of a proposal
	Expires     *time.Time     `json:"expires,omitempty"`  // of a proposal
	Verifier    settle.Address `json:"verifier"`
	KeyHash     settle.KeyHash `json:"key_hash"`
	CodeChanged bool           `json:"code_changed"` // since it was registered or proposed
	InDatabase  bool           `json:"in_database"`  // so that roles use it
}

func viewOf(r l1.Registration, inDatabase bool) verifierView {
	v := verifierView{
		Circuit: r.Circuit, Shape: r.Shape, Version: r.Version, Standing: r.Standing, Verifier: r.Verifier, KeyHash: r.KeyHash,
		CodeChanged: r.CodeChanged, InDatabase: inDatabase,
	}
	if r.Standing != l1.StandingRegistered {
		v.ReadyAt, v.Expires = &r.ReadyAt, &r.Expires
	}
	return v
}

// Run reads the registry from L1, needs no key and changes nothing.
func (c verifierListCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *database) error {
		rollup, err := a.rollup(a.ctx, db)
		if err != nil {
			return err
		}
		u := c.nodeURL()
		if u == "" {
			return fmt.Errorf("the registry is on L1: set %s", envL1)
		}
		node, err := c.dial(a, u, rollup.ChainID)
		if err != nil {
			return err
		}
		defer node.Close()
		views, err := registryOf(a.ctx, node, rollup)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(views)
		}
		return a.printRegistry(views)
	})
}

func registryOf(ctx context.Context, node l1.Node, rollup store.Rollup) ([]verifierView, error) {
	all, err := l1.NewClient(node, rollup.Address).Registry(ctx, rollup.DeployBlock, time.Now())
	if err != nil {
		return nil, err
	}
	views := make([]verifierView, len(all))
	for i, r := range all {
		views[i] = viewOf(r, slices.ContainsFunc(rollup.Verifiers, func(v store.Verifier) bool {
			return v.Circuit == r.Circuit && v.Shape == r.Shape && v.KeyHash == r.KeyHash && v.Address == r.Verifier
		}))
	}
	return views, nil
}

func (a *app) printRegistry(views []verifierView) error {
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "circuit\tshape\tversion\tstanding\tverifier\tkey\tnote")
	for _, v := range views {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", v.Circuit, v.Shape, v.Version, v.Standing, v.Verifier, v.KeyHash, v.note())
	}
	return table.Flush()
}

// note says what an operator has to know or to do.
func (v verifierView) note() string {
	switch {
	case v.CodeChanged && v.Standing == l1.StandingRegistered:
		return "ITS CODE HAS CHANGED: it settles nothing until it has the registered code again"
	case v.CodeChanged && v.Standing != l1.StandingExpired:
		// An account that delegates can show other code while its proposal waits.
		return "IT HAS OTHER CODE THAN WHAT WAITS: with the proposed code again it can be activated from " +
			v.ReadyAt.Format(time.RFC3339) + " until " + v.Expires.Format(time.RFC3339)
	case v.Standing == l1.StandingRegistered && !v.InDatabase:
		return "not in the database: run settle verifier activate"
	case v.Standing == l1.StandingWaiting:
		return "can be activated from " + v.ReadyAt.Format(time.RFC3339)
	case v.Standing == l1.StandingReady:
		return "can be activated until " + v.Expires.Format(time.RFC3339)
	case v.Standing == l1.StandingExpired:
		return "propose it again"
	}
	return ""
}
