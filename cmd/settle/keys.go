package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/provingkeys"
)

type keysFlags struct {
	KeysDir   string `help:"Folder of proving keys, by fingerprint." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
	UnsafeDev bool   `help:"Accept development keys: whoever made them can forge proofs." env:"SETTLE_UNSAFE_DEV"`
}

func (f keysFlags) options(a *app) provingkeys.Options {
	return provingkeys.Options{AllowUnsafeDev: f.UnsafeDev, Log: a.log}
}

type keysCmd struct {
	Setup keysSetupCmd `cmd:"" help:"Make the keys of a shape by a development setup, unless they are there."`
	Show  keysShowCmd  `cmd:"" help:"Print the manifest of a shape's keys."`
}

// keysSelection names the keys of one circuit.
type keysSelection struct {
	Shape     string `help:"Shape of the transition circuit (settle circuits stats lists them)."`
	Aggregate string `help:"Shape of the aggregate circuit instead, for example demo-2: it folds up to 2 proofs of shape demo." placeholder:"SHAPE"`
}

// circuit returns circuit and shape.
func (s keysSelection) circuit() (circuit, shape string, err error) {
	switch {
	case (s.Shape == "") == (s.Aggregate == ""):
		return "", "", errors.New("name either a shape by --shape, or an aggregate shape by --aggregate")
	case s.Shape != "":
		return settle.CircuitTransition, s.Shape, nil
	}
	return settle.CircuitAggregate, s.Aggregate, nil
}

type keysSetupCmd struct {
	keysSelection
	keysFlags
}

// Run makes keys and prints their manifest.
func (c keysSetupCmd) Run(a *app) error {
	circuit, shape, err := c.circuit()
	if err != nil {
		return err
	}
	manifest, err := a.setupKeys(c.keysFlags, circuit, shape)
	if err != nil {
		return err
	}
	return a.printJSON(manifest)
}

type keysShowCmd struct {
	keysSelection
	keysFlags
}

// Run prints the manifest after checking that it is of the circuit.
func (c keysShowCmd) Run(a *app) error {
	circuit, shape, err := c.circuit()
	if err != nil {
		return err
	}
	manifest, err := a.manifest(c.keysFlags, circuit, shape)
	if err != nil {
		return err
	}
	return a.printJSON(manifest)
}

// keysID names the keys of a circuit's shape. Those of an aggregate are for the
// inner keys in the same folder.
func (a *app) keysID(flags keysFlags, circuit, shape string) (provingkeys.ID, error) {
	if circuit == settle.CircuitAggregate {
		return provingkeys.AggregateID(flags.KeysDir, shape, provingkeys.Committed, flags.options(a))
	}
	return provingkeys.TransitionID(shape)
}

// manifest reads the manifest of a shape's keys.
func (a *app) manifest(flags keysFlags, circuit, shape string) (*provingkeys.Manifest, error) {
	id, err := a.keysID(flags, circuit, shape)
	if err != nil {
		return nil, err
	}
	return provingkeys.ReadManifest(flags.KeysDir, id, flags.options(a))
}

// setupKeys makes a shape's keys unless the folder has them; for an aggregate shape
// the inner keys first.
func (a *app) setupKeys(flags keysFlags, circuit, shapeName string) (*provingkeys.Manifest, error) {
	if circuit == settle.CircuitAggregate {
		shape, err := circuits.ParseAggregateShape(shapeName)
		if err != nil {
			return nil, err
		}
		if _, err := a.setupKeys(flags, settle.CircuitTransition, shape.Inner); err != nil {
			return nil, err
		}
		id, err := a.keysID(flags, circuit, shapeName)
		if err != nil {
			return nil, err
		}
		return provingkeys.Setup(a.ctx, flags.KeysDir, id, provingkeys.CompileAggregate(flags.KeysDir, shapeName, flags.options(a)), flags.options(a))
	}
	shape, err := circuits.ShapeByName(shapeName)
	if err != nil {
		return nil, err
	}
	id, err := a.keysID(flags, circuit, shapeName)
	if err != nil {
		return nil, err
	}
	compile := func() (constraint.ConstraintSystem, error) { return circuits.Compile(shape) }
	return provingkeys.Setup(a.ctx, flags.KeysDir, id, compile, flags.options(a))
}

func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
