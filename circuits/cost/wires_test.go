package cost_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/circuits/poseidon2"
)

// mixed has wires on either side alone, on both, and on none, and a commitment.
type mixed struct {
	X      [4]frontend.Variable
	Y      [3]frontend.Variable
	Unused frontend.Variable
	Sum    frontend.Variable `gnark:",public"`
}

func (c *mixed) Define(api frontend.API) error {
	challenge, err := api.Compiler().(frontend.Committer).Commit(c.X[0], c.Y[0])
	if err != nil {
		return err
	}
	p, err := poseidon2.New(api, len(c.X))
	if err != nil {
		return err
	}
	x := c.X[:]
	if err := p.Permute(x); err != nil {
		return err
	}
	api.AssertIsEqual(api.Mul(api.Add(c.Y[0], c.Y[1]), c.Y[2]), api.Mul(c.Unused, 5))
	api.AssertIsDifferent(api.Add(x[0], challenge), c.Sum)
	return nil
}

// TestWiresAgainstKey: the counts are those of the points that groth16.Setup puts into a proving key.
func TestWiresAgainstKey(t *testing.T) {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &mixed{})
	require.NoError(t, err)
	made, _, err := groth16.Setup(ccs)
	require.NoError(t, err)
	key := made.(*groth16bn254.ProvingKey)
	count := cost.WiresOf(ccs)
	require.Len(t, key.G1.A, count.A)
	require.Len(t, key.G1.B, count.B)
	require.Len(t, key.G2.B, count.B)
	require.NotEqual(t, count.A, count.B)
}

func TestWiresOfOtherSystems(t *testing.T) {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &product{})
	require.NoError(t, err)
	require.Zero(t, cost.WiresOf(ccs))
}

type product struct{ X, Y, Z frontend.Variable }

func (c *product) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.X, c.Y), c.Z)
	return nil
}
