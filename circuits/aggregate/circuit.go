// Package aggregate is the circuit that verifies up to n Groth16 proofs of one inner
// key and stands for them: one proof on L1 instead of n. docs/adr/0009-aggregation.md
// argues for it.
package aggregate

import (
	"fmt"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	"github.com/consensys/gnark/std/rangecheck"

	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/rules"
	"github.com/zksettle/settle/publicdata"
)

// Circuit verifies the proofs in its slots against the inner key, which is part of
// the circuit, and opens W, the inputs of the proofs in active slots, to L1.
type Circuit struct {
	C frontend.Variable `gnark:",public"` // digest of W (package publicdata)
	Z frontend.Variable `gnark:",public"` // challenge that L1 derives from C and W
	V frontend.Variable `gnark:",public"` // W evaluated at Z
	// Slots hold proofs; active ones come first. An inactive slot holds any valid
	// proof and is not in W.
	Slots []Slot

	key *Key

	// without names rules to leave out, so that a test can show that a forgery
	// works there and is refused here. Empty in every circuit that New returns.
	without []string
	decide  pairingCheck // tests: replaces the pairing check
}

// Slot is the witness of one proof.
type Slot struct {
	Active frontend.Variable
	Inputs [3]frontend.Variable // c, ζ, v
	Proof  Proof
}

// Proof is a Groth16 proof with one commitment, its points on G1 and G2 of BN254.
type Proof struct {
	A, C       pointG1
	B          sw_bn254.G2Affine
	Commitment pointG1 // D
	Knowledge  pointG1 // proof of knowledge of D
}

// pairingCheck constrains Π e(P_i, Q_i) = 1.
type pairingCheck interface {
	PairingCheck(p []*pointG1, q []*sw_bn254.G2Affine) error
}

// New returns the circuit of a number of slots for an inner key, to compile.
func New(key *Key, slots int) *Circuit {
	return &Circuit{Slots: make([]Slot, slots), key: key}
}

// Define implements frontend.Circuit.
func (c *Circuit) Define(api frontend.API) error {
	d, err := newDefinition(api, c)
	if err != nil {
		return err
	}
	if err := d.opening(); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	if err := d.points(); err != nil {
		return fmt.Errorf("points: %w", err)
	}
	if err := d.transcript(); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	if err := d.check(); err != nil {
		return fmt.Errorf("pairing check: %w", err)
	}
	d.curve.close()
	return nil
}

// definition is what the steps of Define share. Constraints are stated through its rules,
// each under the name of a rule; the tests have a forgery for each.
type definition struct {
	*Circuit
	*rules.Rules
	api      frontend.API
	poseidon *gadget.Poseidon
	ranges   frontend.Rangechecker
	curve    *curve
	pairing  *sw_bn254.Pairing

	coefficients []scalar // r_i
	rho          scalar   // ρ
}

func newDefinition(api frontend.API, c *Circuit) (*definition, error) {
	poseidon, err := gadget.NewPoseidon(api)
	if err != nil {
		return nil, err
	}
	stated := rules.New(api).Without(c.without...)
	curve, err := newCurve(api, stated)
	if err != nil {
		return nil, err
	}
	pairing, err := sw_bn254.NewPairing(api)
	if err != nil {
		return nil, fmt.Errorf("pairing: %w", err)
	}
	return &definition{Circuit: c, Rules: stated, api: api, poseidon: poseidon, ranges: rangecheck.New(api), curve: curve, pairing: pairing}, nil
}

// opening constrains the active flags and C, Z, V.
func (d *definition) opening() error {
	used, previous := frontend.Variable(0), frontend.Variable(1)
	words := make([]frontend.Variable, 0, 3*len(d.Slots))
	for i, slot := range d.Slots {
		d.Boolean("opening: active is boolean", slot.Active)
		if i == 0 {
			d.Equal("opening: slot 0 is used", slot.Active, 1)
		} else {
			d.Zero("opening: active slots are a prefix", d.api.Mul(slot.Active, d.api.Sub(1, previous)))
		}
		previous, used = slot.Active, d.api.Add(used, slot.Active)
		for _, in := range slot.Inputs {
			words = append(words, d.api.Mul(slot.Active, in))
		}
	}
	digest, err := d.poseidon.SpongeOf(publicdata.AggregateTag, used, words)
	if err != nil {
		return err
	}
	d.Equal("opening: C is the digest of W", d.C, digest)
	value := frontend.Variable(0)
	for i := len(words) - 1; i >= 0; i-- {
		value = d.api.Add(d.api.Mul(value, d.Z), words[i])
	}
	d.Equal("opening: V is W at Z", d.V, value)
	return nil
}

// points constrains every point of every proof to its curve, none at infinity. That
// B is in the subgroup follows in check, from its Miller loop.
func (d *definition) points() error {
	for i := range d.Slots {
		p := &d.Slots[i].Proof
		for _, g1 := range []struct {
			name  string
			point *pointG1
		}{{"A", &p.A}, {"C", &p.C}, {"D", &p.Commitment}, {"PoK", &p.Knowledge}} {
			if d.On("points: " + g1.name + " is on the curve") {
				d.curve.assertOnCurve(g1.point)
			}
		}
		// gnark's pairing takes (0, 0) for infinity. B is on the twist otherwise, whose
		// order is odd, so that y = 0 has no point.
		if d.On("points: B is not at infinity") {
			d.pairing.Ext2.Inverse(&p.B.P.Y)
		}
	}
	return nil
}
