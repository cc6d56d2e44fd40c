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
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

// verifierCmd changes the registry of a rollup that runs already.
type verifierCmd struct {
	Propose  verifierProposeCmd  `cmd:"" help:"Deploy a verifier for a key and propose its registration. The governor signs."`
	Activate verifierActivateCmd `cmd:"" help:"Register a proposed verifier after the timelock, and write it to the database. The governor signs."`
	List     verifierListCmd     `cmd:"" help:"List registered and proposed verifiers, and when proposed ones can be activated."`
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
		registration, err := r.Propose(a.Ctx, k)
		if err == nil && registration.Standing != l1.StandingRegistered {
			a.Log.Info("proposed; activate it in time (settle verifier activate)", "from", registration.ReadyAt, "until", registration.Expires)
		}
		return registration, err
	})
}

type verifierActivateCmd struct{ registryFlags }

// Run goes on where an earlier run ended, and changes nothing when all is done.
func (c verifierActivateCmd) Run(a *app) error {
	return c.register(a, func(r *l1.Registrar, k l1.VerifierKey) (l1.Registration, error) {
		return r.Activate(a.Ctx, k.Circuit, k.Shape, k.Hash)
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
	key, err := c.keys(a).Verifier(circuit, shape)
	if err != nil {
		return err
	}
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		rollup, err := db.Rollup(a.Ctx)
		if err != nil {
			return err
		}
		signer, err := c.signer(a, c.dataFlags)
		if err != nil {
			return err
		}
		client, err := c.dial(a, signer.URL, rollup.ChainID)
		if err != nil {
			return err
		}
		defer client.Close()
		if err := c.checkInner(a, client, rollup); err != nil {
			return err
		}
		registrar, err := l1.NewRegistrar(a.Ctx, client, signer.Key, l1.RegistrarConfig{
			ChainID: rollup.ChainID, Rollup: rollup.Address, DeployBlock: rollup.DeployBlock, Fees: fees, Logger: a.Log,
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
			if err := db.Store.AddVerifier(a.Ctx, v); err != nil {
				return fmt.Errorf("the verifier is registered, but not in the database (run this again): %w", err)
			}
			a.Log.Info("registered; roles know it once they are started again", "circuit", circuit, "shape", shape)
		}
		return a.PrintJSON(viewOf(registration, known))
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
	id, err := c.keys(a).ID(settle.CircuitAggregate, c.Aggregate)
	if err != nil {
		return err
	}
	_, err = l1.NewClient(node, rollup.Address).FindKey(a.Ctx, settle.CircuitTransition, shape.Inner, id.Inner)
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
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		rollup, err := db.Rollup(a.Ctx)
		if err != nil {
			return err
		}
		u := c.nodeURL()
		if u == "" {
			return fmt.Errorf("the registry is on L1: set %s", node.EnvL1)
		}
		conn, err := c.dial(a, u, rollup.ChainID)
		if err != nil {
			return err
		}
		defer conn.Close()
		views, err := registryOf(a.Ctx, conn, rollup)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.PrintJSON(views)
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
	table := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
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
