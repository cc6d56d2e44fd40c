package verifier_test

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/gnarkcodec"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// ceremonyFixture is a batch of shape tiny, a transfer and an exit, that was proven with
// the transition circuit under keys of a ceremony with one contributor.
type ceremonyFixture struct {
	Fingerprint settle.Fingerprint `json:"fingerprint"`
	Deployer    settle.Address     `json:"deployer"`
	Key         hexutil.Bytes      `json:"key"`
	Proof       hexutil.Bytes      `json:"proof"`
	Inputs      [3]settle.Element  `json:"inputs"`
	Words       []settle.Element   `json:"words"`
}

// TestTransitionUnderACeremony settles that batch on a rollup with that key, and nothing
// else: not the batch with other data, nor with a proof whose PoK absorbs the change.
func TestTransitionUnderACeremony(t *testing.T) {
	data, err := os.ReadFile("contracts/testdata/ceremony.json")
	require.NoError(t, err)
	var f ceremonyFixture
	require.NoError(t, json.Unmarshal(data, &f))
	shapeOfKey, err := circuits.ShapeByName("tiny")
	require.NoError(t, err)
	current, err := circuits.Fingerprint(shapeOfKey)
	require.NoError(t, err)
	require.Equal(t, current, f.Fingerprint, "the keys are of a circuit of before: go run ./verifier/internal/fixtures ceremony verifier/contracts/testdata")
	vk, err := gnarkcodec.VerifyingKey(f.Key)
	require.NoError(t, err)
	_, _, _, g2 := bn254.Generators()
	require.True(t, vk.G2.Gamma.Equal(&g2) && vk.CommitmentKeys[0].G.Equal(&g2), "not a ceremony's key")
	key, err := verifier.NewKey(settle.CircuitTransition, "tiny", vk)
	require.NoError(t, err)
	env := settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: key.Hash, Proof: []byte(f.Proof), Inputs: f.Inputs}
	require.NoError(t, key.Verify(env))

	words, err := verifier.Words(vk)
	require.NoError(t, err)
	e := newEVM(t)
	e.cfg.Origin = common.Address(f.Deployer)
	root := func(i int) *big.Int { return new(big.Int).SetBytes(f.Words[i][:]) }
	rollup := e.rollupFor(e.ours(words), key.Hash, settle.CircuitTransition, "tiny", root(1))
	domain := publicdata.Domain(e.cfg.ChainConfig.ChainID.Uint64(), settle.Address(rollup))
	require.Equal(t, f.Words[3], settle.Element(domain.Bytes()))
	contract, shape := bindings.NewRollup(), [32]byte{'t', 'i', 'n', 'y'}
	settles := func(words []settle.Element, proof []byte) error {
		calldata, err := verifier.Calldata(proof)
		require.NoError(t, err)
		var integers []*big.Int
		for _, w := range words {
			integers = append(integers, new(big.Int).SetBytes(w[:]))
		}
		c := new(big.Int).SetBytes(f.Inputs[0][:])
		ret, err := e.call(rollup, contract.PackSettle(shape, 1, c, integers, calldata))
		if err != nil {
			require.IsType(t, new(bindings.Groth16VerifierInvalidProof), revert(ret))
		}
		return err
	}

	for i := range f.Words {
		if i == 0 || i == 1 || i == 3 || i == 4 {
			continue // refused before the proof is looked at
		}
		other := append([]settle.Element{}, f.Words...)
		other[i][31] ^= 1
		require.Error(t, settles(other, f.Proof), "word %d", i)

		forged := env
		forged.Inputs = publicInputs(f.Inputs[0], other)
		prover := &toycircuit.Prover{VerifyingKey: vk}
		forged.Proof, err = prover.ForgePoK(f.Proof, f.Inputs, forged.Inputs, fr.One())
		require.NoError(t, err)
		require.True(t, mergedCheck(t, vk, forged, fr.One()), "the forgery no longer works against the unsound variant")
		requireInvalid(t, key.Verify(forged))
		require.Error(t, settles(other, forged.Proof), "word %d", i)
	}
	require.NoError(t, settles(f.Words, f.Proof))
	ret, err := e.call(rollup, contract.PackRoot())
	require.NoError(t, err)
	require.Equal(t, f.Words[2][:], ret)

	for name, breakIt := range hostileKeys(t) {
		broken := *clone(t, vk)
		breakIt(&broken)
		require.ErrorIs(t, verifier.CheckKey(&broken), verifier.ErrBadKey, name)
	}
}

// publicInputs are those of a batch with these words and commitment.
func publicInputs(commitment settle.Element, words []settle.Element) [3]settle.Element {
	var c fr.Element
	c.SetBytes(commitment[:])
	elements := make([]fr.Element, len(words))
	for i := range words {
		elements[i].SetBytes(words[i][:])
	}
	zeta := publicdata.Challenge(c, elements)
	v := publicdata.Evaluate(elements, zeta)
	return [3]settle.Element{commitment, zeta.Bytes(), v.Bytes()}
}
