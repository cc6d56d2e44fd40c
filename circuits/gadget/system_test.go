package gadget

import (
	"testing"

	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"
)

// committing commits what pick takes, once for each list, of three public inputs and a secret one.
type committing struct {
	A, B, C frontend.Variable `gnark:",public"`
	Secret  frontend.Variable
	pick    func(c *committing) [][]frontend.Variable
}

func (c *committing) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.A, c.B), api.Mul(c.C, c.Secret))
	for _, values := range c.pick(c) {
		challenge, err := api.(frontend.Committer).Commit(values...)
		if err != nil {
			return err
		}
		api.AssertIsDifferent(challenge, c.Secret)
	}
	return nil
}

type twoPublic struct {
	A, B   frontend.Variable `gnark:",public"`
	Secret frontend.Variable
}

func (c *twoPublic) Define(api frontend.API) error {
	challenge, err := api.(frontend.Committer).Commit(c.Secret)
	api.AssertIsEqual(api.Mul(c.A, c.B), challenge)
	return err
}

type misspelt struct {
	A, B, C frontend.Variable `gnark:",publik"`
}

func (c *misspelt) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.A, c.B), c.C)
	return nil
}

// TestCompileSystem: three public inputs, and one commitment to secret values alone.
func TestCompileSystem(t *testing.T) {
	compile := func(pick func(c *committing) [][]frontend.Variable) error {
		ccs, err := CompileSystem(func() frontend.Circuit { return &committing{pick: pick} })
		require.Equal(t, err == nil, ccs != nil)
		return err
	}
	require.NoError(t, compile(func(c *committing) [][]frontend.Variable { return [][]frontend.Variable{{c.Secret}} }))
	for name, pick := range map[string]func(c *committing) [][]frontend.Variable{
		"none":      func(*committing) [][]frontend.Variable { return nil },
		"two":       func(c *committing) [][]frontend.Variable { return [][]frontend.Variable{{c.Secret}, {c.Secret}} },
		"of public": func(c *committing) [][]frontend.Variable { return [][]frontend.Variable{{c.Secret, c.A}} },
	} {
		require.ErrorIs(t, compile(pick), ErrSystem, name)
	}
	_, err := CompileSystem(func() frontend.Circuit { return new(twoPublic) })
	require.ErrorIs(t, err, ErrSystem)
	_, err = CompileSystem(func() frontend.Circuit { return new(misspelt) })
	require.ErrorContains(t, err, "invalid gnark struct tag option on A")
}
