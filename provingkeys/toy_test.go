package provingkeys_test

import (
	"errors"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/provingkeys"
)

// toy has the public face of our circuits, a hint of its own and Size products.
type toy struct {
	C    frontend.Variable `gnark:",public"`
	Zeta frontend.Variable `gnark:",public"`
	V    frontend.Variable `gnark:",public"` // c + ζ·root^(2^Size)
	Root frontend.Variable // its square is c
	Size int               `gnark:"-"`
}

func (t *toy) Define(api frontend.API) error {
	committer, ok := api.(frontend.Committer)
	if !ok {
		return errors.New("builder without commitments")
	}
	half, err := api.Compiler().NewHint(halfHint, 1, t.C)
	if err != nil {
		return err
	}
	api.AssertIsEqual(api.Mul(half[0], 2), t.C)
	api.AssertIsEqual(api.Mul(t.Root, t.Root), t.C)
	power := t.Root
	for range t.Size {
		power = api.Mul(power, power)
	}
	api.AssertIsEqual(t.V, api.Add(t.C, api.Mul(t.Zeta, power)))
	challenge, err := committer.Commit(t.Root, half[0])
	if err != nil {
		return err
	}
	api.AssertIsDifferent(challenge, 0)
	return nil
}

// halfHint must be registered before a stored system is solved.
func halfHint(field *big.Int, in, out []*big.Int) error {
	two := new(big.Int).ModInverse(big.NewInt(2), field)
	out[0].Mul(in[0], two).Mod(out[0], field)
	return nil
}

const toySize = 5

func compileToy(size int) func() (constraint.ConstraintSystem, error) {
	return func() (constraint.ConstraintSystem, error) {
		return frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &toy{Size: size})
	}
}

func toyWitness(t require.TestingT, root uint64) witness.Witness {
	var r, c, power, v fr.Element
	r.SetUint64(root)
	c.Square(&r)
	power.Set(&r)
	for range toySize {
		power.Square(&power)
	}
	v.Double(&power).Double(&v).Add(&v, &c) // ζ = 4
	w, err := frontend.NewWitness(&toy{C: c, Zeta: 4, V: v, Root: r}, ecc.BN254.ScalarField())
	require.NoError(t, err)
	return w
}

func toyID(t require.TestingT, size int) provingkeys.ID {
	system, err := compileToy(size)()
	require.NoError(t, err)
	fingerprint, err := circuits.FingerprintOf(system)
	require.NoError(t, err)
	return provingkeys.ID{Circuit: "toy", Shape: "tiny", Fingerprint: fingerprint}
}

func registerToyHints() { solver.RegisterHint(halfHint) }
