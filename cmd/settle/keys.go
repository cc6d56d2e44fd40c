package main

import (
	"errors"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/node"
)

type keysFlags struct {
	KeysDir   string `help:"Folder that holds the proving keys." default:"${keys}" env:"SETTLE_KEYS_DIR" type:"path"`
	UnsafeDev bool   `help:"Accept development keys. The maker of such keys can forge proofs." env:"SETTLE_UNSAFE_DEV"`
}

func (f keysFlags) keys(a *app) node.Keys {
	return node.Keys{Dir: f.KeysDir, UnsafeDev: f.UnsafeDev, Log: a.Log}
}

type keysCmd struct {
	Setup keysSetupCmd `cmd:"" help:"Make development keys for a shape, unless they exist."`
	Show  keysShowCmd  `cmd:"" help:"Print the manifest of a shape's keys."`
}

// keysSelection names the keys of one circuit.
type keysSelection struct {
	Shape     string `help:"Shape of the transition circuit. The command settle circuits stats lists the shapes."`
	Aggregate string `help:"Shape of the aggregate circuit, instead of --shape. For example, demo-2 combines up to 2 proofs of shape demo." placeholder:"SHAPE"`
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
	manifest, err := c.keys(a).Setup(a.Ctx, circuit, shape)
	if err != nil {
		return err
	}
	return a.PrintJSON(manifest)
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
	manifest, err := c.keys(a).Manifest(circuit, shape)
	if err != nil {
		return err
	}
	return a.PrintJSON(manifest)
}
