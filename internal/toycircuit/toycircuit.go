// Package toycircuit is the smallest circuit with the public face of ours: the
// public inputs (c, ζ, v) and one Groth16 commitment. It proves any inputs, in
// milliseconds, so that verifiers, contracts and the submitter can be tested
// with real proofs. Keys come from groth16.Setup or from a ceremony, whose keys
// differ in shape: γ and the commitment's base are the generator of G2.
package toycircuit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/zksettle/settle"
)

type circuit struct {
	C    frontend.Variable `gnark:",public"`
	Zeta frontend.Variable `gnark:",public"`
	V    frontend.Variable `gnark:",public"`
	X    frontend.Variable // c + 2ζ + 3v, committed
}

// Define ties every public input to the committed wire, so that none of the
// key's points is at infinity.
func (c *circuit) Define(api frontend.API) error {
	committer, ok := api.(frontend.Committer)
	if !ok {
		return errors.New("builder without commitments")
	}
	api.AssertIsEqual(c.X, api.Add(c.C, api.Mul(c.Zeta, 2), api.Mul(c.V, 3)))
	challenge, err := committer.Commit(c.X)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	api.AssertIsDifferent(challenge, 0)
	return nil
}

// Prover is the compiled circuit with one pair of keys.
type Prover struct {
	System       constraint.ConstraintSystem
	ProvingKey   groth16.ProvingKey
	VerifyingKey groth16.VerifyingKey
}

// Compile returns the constraint system.
func Compile() (constraint.ConstraintSystem, error) {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, new(circuit))
	if err != nil {
		return nil, fmt.Errorf("compile toy circuit: %w", err)
	}
	return system, nil
}

// Setup makes keys by groth16.Setup.
func Setup() (*Prover, error) {
	system, err := Compile()
	if err != nil {
		return nil, err
	}
	pk, vk, err := groth16.Setup(system)
	if err != nil {
		return nil, fmt.Errorf("set up toy circuit: %w", err)
	}
	return &Prover{system, pk, vk}, nil
}

// Ceremony makes keys by gnark's multi-party setup with one contribution.
func Ceremony() (*Prover, error) {
	system, err := Compile()
	if err != nil {
		return nil, err
	}
	pk, vk := Contribute(system)
	return &Prover{system, pk, vk}, nil
}

// Contribute makes keys of a system by gnark's multi-party setup with one contribution.
func Contribute(system constraint.ConstraintSystem) (groth16.ProvingKey, groth16.VerifyingKey) {
	phase1 := mpcsetup.NewPhase1(ecc.NextPowerOfTwo(uint64(system.GetNbConstraints())))
	phase1.Contribute()
	commons := phase1.Seal([]byte("toy phase 1"))
	var phase2 mpcsetup.Phase2
	evaluations := phase2.Initialize(system.(*cs.R1CS), &commons)
	phase2.Contribute()
	return phase2.Seal(&commons, &evaluations, []byte("toy phase 2"))
}

// Witness returns the full witness for the inputs (c, ζ, v).
func Witness(inputs [3]settle.Element) (witness.Witness, error) {
	var e [3]fr.Element
	for i := range e {
		if err := e[i].SetBytesCanonical(inputs[i][:]); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	var x, term fr.Element
	x.Set(&e[0])
	x.Add(&x, term.Double(&e[1]))
	x.Add(&x, term.Double(&e[2])).Add(&x, &e[2])
	w, err := frontend.NewWitness(&circuit{C: e[0], Zeta: e[1], V: e[2], X: x}, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("assign toy circuit: %w", err)
	}
	return w, nil
}

// Prove returns a proof of the inputs (c, ζ, v) in gnark's raw encoding, with
// SHA-256 as hash-to-field.
func (p *Prover) Prove(inputs [3]settle.Element) ([]byte, error) {
	w, err := Witness(inputs)
	if err != nil {
		return nil, err
	}
	proof, err := groth16.Prove(p.System, p.ProvingKey, w, backend.WithProverHashToFieldFunction(sha256.New()))
	if err != nil {
		return nil, fmt.Errorf("prove toy circuit: %w", err)
	}
	var buf bytes.Buffer
	if _, err := proof.WriteRawTo(&buf); err != nil {
		return nil, fmt.Errorf("encode toy proof: %w", err)
	}
	return buf.Bytes(), nil
}
