package verifier_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

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

// TestBadKeysAreRefused breaks a key in each way that the design lists: the
// native check and the contract's constructor must both refuse.
func TestBadKeysAreRefused(t *testing.T) {
	p, err := toycircuit.Setup()
	require.NoError(t, err)
	ceremony, err := toycircuit.Ceremony()
	require.NoError(t, err)
	_, _, g1, g2 := bn254.Generators()
	off := loadFixtures(t).OffSubgroup
	var outside bn254.G2Affine
	for i, c := range []*fp.Element{&outside.X.A1, &outside.X.A0, &outside.Y.A1, &outside.Y.A0} {
		c.SetBytes(off[i][:])
	}
	negated := func(p bn254.G2Affine) bn254.G2Affine { return *new(bn254.G2Affine).Neg(&p) }
	type key = groth16bn254.VerifyingKey
	broken := map[string]func(*key){
		"alpha generator":         func(k *key) { k.G1.Alpha = g1 },
		"alpha negated generator": func(k *key) { k.G1.Alpha.Neg(&g1) },
		"beta generator":          func(k *key) { k.G2.Beta = g2 },
		"beta negated generator":  func(k *key) { k.G2.Beta = negated(g2) },
		"beta gamma":              func(k *key) { k.G2.Beta = k.G2.Gamma },
		"beta delta":              func(k *key) { k.G2.Beta = k.G2.Delta },
		"delta gamma":             func(k *key) { k.G2.Delta = k.G2.Gamma },
		"delta negated gamma":     func(k *key) { k.G2.Delta = negated(k.G2.Gamma) },
		"delta generator":         func(k *key) { k.G2.Delta = g2 },
		"delta negated generator": func(k *key) { k.G2.Delta = negated(g2) },
		"GSigmaNeg equals G":      func(k *key) { k.CommitmentKeys[0].GSigmaNeg = k.CommitmentKeys[0].G },
		"GSigmaNeg equals -G":     func(k *key) { k.CommitmentKeys[0].GSigmaNeg = negated(k.CommitmentKeys[0].G) },
		"alpha at infinity":       func(k *key) { k.G1.Alpha = bn254.G1Affine{} },
		"beta at infinity":        func(k *key) { k.G2.Beta = bn254.G2Affine{} },
		"gamma at infinity":       func(k *key) { k.G2.Gamma = bn254.G2Affine{} },
		"delta at infinity":       func(k *key) { k.G2.Delta = bn254.G2Affine{} },
		"G at infinity":           func(k *key) { k.CommitmentKeys[0].G = bn254.G2Affine{} },
		"GSigmaNeg at infinity":   func(k *key) { k.CommitmentKeys[0].GSigmaNeg = bn254.G2Affine{} },
		"K0 at infinity":          func(k *key) { k.G1.K[0] = bn254.G1Affine{} },
		"K4 at infinity":          func(k *key) { k.G1.K[4] = bn254.G1Affine{} },
		"alpha off the curve":     func(k *key) { k.G1.Alpha.X.Add(&k.G1.Alpha.X, &g1.X) },
		"K3 off the curve":        func(k *key) { k.G1.K[3].Y.Add(&k.G1.K[3].Y, &g1.X) },
		"gamma off the curve":     func(k *key) { k.G2.Gamma.X.A0.Add(&k.G2.Gamma.X.A0, &g1.X) },
		"gamma outside subgroup":  func(k *key) { k.G2.Gamma = outside },
		"delta outside subgroup":  func(k *key) { k.G2.Delta = outside },
		"G outside the subgroup":  func(k *key) { k.CommitmentKeys[0].G = outside },
		"GSigmaNeg outside":       func(k *key) { k.CommitmentKeys[0].GSigmaNeg = outside },
		"beta outside subgroup":   func(k *key) { k.G2.Beta = outside },
	}
	for name, breakIt := range broken {
		t.Run(name, func(t *testing.T) {
			k := clone(t, p.VerifyingKey)
			breakIt(k)
			require.ErrorIs(t, verifier.CheckKey(k), verifier.ErrBadKey)
			words, err := verifier.Words(k)
			require.NoError(t, err)
			_, ret, err := newEVM(t).deploy(creation(t, words[:]))
			require.Error(t, err)
			require.NotNil(t, revert(ret), "deployment failed without a custom error")
		})
	}
	require.NoError(t, verifier.CheckKey(p.VerifyingKey))
	require.NoError(t, verifier.CheckKey(ceremony.VerifyingKey), "a ceremony's γ is the generator")
	gamma := ceremony.VerifyingKey.(*key).G2.Gamma
	require.True(t, gamma.Equal(&g2))
}

func TestWrongNumbersOfWordsAreRefusedOnL1(t *testing.T) {
	p, err := toycircuit.Setup()
	require.NoError(t, err)
	words, err := verifier.Words(p.VerifyingKey)
	require.NoError(t, err)
	for _, other := range [][]*big.Int{nil, words[:31], append(words[:], big.NewInt(1))} {
		_, ret, err := newEVM(t).deploy(creation(t, other))
		require.Error(t, err)
		require.IsType(t, new(bindings.Groth16VerifierWrongKeyLength), revert(ret))
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
			_, vk, err := groth16.Setup(system)
			require.NoError(t, err)
			_, err = verifier.Words(vk)
			require.ErrorIs(t, err, verifier.ErrBadKey)
			_, err = verifier.KeyHash(vk)
			require.ErrorIs(t, err, verifier.ErrBadKey)
			_, err = verifier.NewKey("transition", "tiny", vk)
			require.ErrorIs(t, err, verifier.ErrBadKey)
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
