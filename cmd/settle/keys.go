package main

import (
	"encoding/json"
	"fmt"

	"github.com/consensys/gnark/constraint"

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

type keysSetupCmd struct {
	Shape string `help:"Shape of the transition circuit (settle circuits stats lists them)." required:""`
	keysFlags
}

// Run makes keys and prints their manifest.
func (c keysSetupCmd) Run(a *app) error {
	manifest, err := a.setupKeys(c.keysFlags, c.Shape)
	if err != nil {
		return err
	}
	return a.printJSON(manifest)
}

type keysShowCmd struct {
	Shape string `help:"Shape of the transition circuit." required:""`
	keysFlags
}

// Run prints the manifest after checking that it is of the committed circuit.
func (c keysShowCmd) Run(a *app) error {
	id, err := provingkeys.TransitionID(c.Shape)
	if err != nil {
		return err
	}
	manifest, err := provingkeys.ReadManifest(c.KeysDir, id, c.options(a))
	if err != nil {
		return err
	}
	return a.printJSON(manifest)
}

// setupKeys makes a shape's keys unless the folder has them.
func (a *app) setupKeys(flags keysFlags, shapeName string) (*provingkeys.Manifest, error) {
	shape, err := circuits.ShapeByName(shapeName)
	if err != nil {
		return nil, err
	}
	id, err := provingkeys.TransitionID(shapeName)
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
