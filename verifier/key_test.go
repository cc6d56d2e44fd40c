package verifier_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/gnarkcodec"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

func TestKeyHashIsOfTheWords(t *testing.T) {
	for _, p := range provers(t) {
		words, err := verifier.Words(p.VerifyingKey)
		require.NoError(t, err)
		h := sha256.New()
		for _, w := range words {
			h.Write(w.FillBytes(make([]byte, 32)))
		}
		hash, err := verifier.KeyHash(p.VerifyingKey)
		require.NoError(t, err)
		require.Equal(t, h.Sum(nil), hash[:])
	}
}

func TestWrongNumbersOfWordsAreRefusedOnL1(t *testing.T) {
	for _, p := range provers(t) {
		words, err := verifier.Words(p.VerifyingKey)
		require.NoError(t, err)
		for _, other := range [][]*big.Int{nil, words[:31], append(words[:], big.NewInt(1))} {
			_, ret, err := newEVM(t).deploy(creation(t, other))
			require.Error(t, err)
			require.IsType(t, new(bindings.Groth16VerifierWrongKeyLength), revert(ret))
		}
	}
}

// otherFace has `Public` inputs and commits `Commitments` times.
type otherFace struct {
	Public      []frontend.Variable `gnark:",public"`
	Secret      frontend.Variable
	Commitments int  `gnark:"-"`
	CommitToOne bool `gnark:"-"` // commit a public input too
}

func (c *otherFace) Define(api frontend.API) error {
	for _, p := range c.Public {
		api.AssertIsDifferent(api.Mul(p, c.Secret), 0)
	}
	for range c.Commitments {
		toCommit := []frontend.Variable{c.Secret}
		if c.CommitToOne {
			toCommit = append(toCommit, c.Public[0])
		}
		x, err := api.(frontend.Committer).Commit(toCommit...)
		if err != nil {
			return err
		}
		api.AssertIsDifferent(x, 0)
	}
	return nil
}

func TestKeysOfOtherFacesAreRefused(t *testing.T) {
	for name, c := range map[string]*otherFace{
		"two inputs":       {Public: make([]frontend.Variable, 2), Commitments: 1},
		"four inputs":      {Public: make([]frontend.Variable, 4), Commitments: 1},
		"no commitment":    {Public: make([]frontend.Variable, 3)},
		"two commitments":  {Public: make([]frontend.Variable, 2), Commitments: 2},
		"committed public": {Public: make([]frontend.Variable, 3), Commitments: 1, CommitToOne: true},
	} {
		t.Run(name, func(t *testing.T) {
			system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
			require.NoError(t, err)
			_, setup, err := groth16.Setup(system)
			require.NoError(t, err)
			_, ceremony := toycircuit.Contribute(system)
			for _, vk := range []groth16.VerifyingKey{setup, ceremony} {
				_, err = verifier.Words(vk)
				require.ErrorIs(t, err, verifier.ErrBadKey)
				_, err = verifier.KeyHash(vk)
				require.ErrorIs(t, err, verifier.ErrBadKey)
				require.ErrorIs(t, verifier.CheckKey(vk), verifier.ErrBadKey)
				_, err = verifier.NewKey("transition", "tiny", vk)
				require.ErrorIs(t, err, verifier.ErrBadKey)
				var raw bytes.Buffer
				_, err = vk.WriteRawTo(&raw)
				require.NoError(t, err)
				_, err = gnarkcodec.VerifyingKey(raw.Bytes())
				require.ErrorIs(t, err, gnarkcodec.ErrEncoding)
			}
		})
	}
	_, err := verifier.Words(groth16.NewVerifyingKey(ecc.BLS12_381))
	require.ErrorIs(t, err, verifier.ErrBadKey)
}

func clone(t *testing.T, vk groth16.VerifyingKey) *groth16bn254.VerifyingKey {
	t.Helper()
	var buf bytes.Buffer
	_, err := vk.WriteRawTo(&buf)
	require.NoError(t, err)
	out := groth16.NewVerifyingKey(ecc.BN254)
	_, err = out.ReadFrom(&buf)
	require.NoError(t, err)
	return out.(*groth16bn254.VerifyingKey)
}
