package verifier_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

const shape = "toy"

// provers returns one prover per kind of key: their verifying keys differ in shape.
func provers(t *testing.T) map[string]*toycircuit.Prover {
	t.Helper()
	setup, err := toycircuit.Setup()
	require.NoError(t, err)
	ceremony, err := toycircuit.Ceremony()
	require.NoError(t, err)
	return map[string]*toycircuit.Prover{"setup": setup, "ceremony": ceremony}
}

func envelope(t *testing.T, p *toycircuit.Prover, inputs [3]settle.Element) settle.ProofEnvelope {
	t.Helper()
	raw, err := p.Prove(inputs)
	require.NoError(t, err)
	hash, err := verifier.KeyHash(p.VerifyingKey)
	require.NoError(t, err)
	return settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: shape, KeyHash: hash, Proof: raw, Inputs: inputs}
}

func randomInputs() (out [3]settle.Element) {
	for i := range out {
		var e fr.Element
		e.MustSetRandom()
		out[i] = e.Bytes()
	}
	return out
}

func requireInvalid(t *testing.T, err error) {
	t.Helper()
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "%v is no refusal", err)
	require.Equal(t, settle.CodeInvalidProof, refusal.Code)
}

func TestNativeAndContractAcceptFreshProofs(t *testing.T) {
	for name, p := range provers(t) {
		t.Run(name, func(t *testing.T) {
			env := envelope(t, p, randomInputs())
			require.NoError(t, verifier.Verify(env, p.VerifyingKey))

			words, err := verifier.Words(p.VerifyingKey)
			require.NoError(t, err)
			machine := newEVM(t)
			contract := machine.ours(words)
			calldata, err := verifier.Calldata(env.Proof)
			require.NoError(t, err)
			require.Len(t, calldata, verifier.CalldataProofBytes)
			ret, err := machine.verify(contract, calldata, env.Inputs)
			require.NoError(t, err, "%v", revert(ret))

			ret, err = machine.call(contract, bindings.NewGroth16Verifier().PackKeyHash())
			require.NoError(t, err)
			require.Equal(t, env.KeyHash[:], ret)
		})
	}
}

func TestVerifierFindsKeysByHash(t *testing.T) {
	all := provers(t)
	env := envelope(t, all["setup"], randomInputs())
	known, err := verifier.NewKey(settle.CircuitTransition, shape, all["setup"].VerifyingKey)
	require.NoError(t, err)
	other, err := verifier.NewKey(settle.CircuitTransition, shape, all["ceremony"].VerifyingKey)
	require.NoError(t, err)

	require.NoError(t, verifier.New(known, other).Verify(env))
	require.ErrorIs(t, verifier.New(other).Verify(env), verifier.ErrUnknownKey)

	changed := env
	changed.Circuit = "aggregate"
	requireInvalid(t, verifier.New(known).Verify(changed))
	changed = env
	changed.Shape = "demo"
	requireInvalid(t, verifier.New(known).Verify(changed))
	changed = env
	changed.KeyHash = other.Hash
	requireInvalid(t, verifier.New(known, other).Verify(changed))
	for _, at := range []int{0, len(env.KeyHash) - 1} { // a key that is asked by hand compares the whole hash
		changed = env
		changed.KeyHash[at] ^= 1
		requireInvalid(t, known.Verify(changed))
	}
	require.NoError(t, known.Verify(env))
}

// TestAgreesWithGnarksContract puts proofs to the native verifier, to our
// contract and to the one that gnark exports, and requires one verdict.
func TestAgreesWithGnarksContract(t *testing.T) {
	f := loadFixtures(t).Setup
	vk := groth16.NewVerifyingKey(ecc.BN254)
	raw, err := os.ReadFile("contracts/testdata/setup.vk")
	require.NoError(t, err)
	_, err = vk.ReadFrom(bytes.NewReader(raw))
	require.NoError(t, err)
	words, err := verifier.Words(vk)
	require.NoError(t, err)
	require.Equal(t, f.words(), words)
	key, err := verifier.NewKey(settle.CircuitTransition, shape, vk)
	require.NoError(t, err)
	require.Equal(t, f.KeyHash, key.Hash)

	machine := newEVM(t)
	ours := machine.ours(words)
	gnarks, gnarkABI := machine.gnarks()
	verdict := func(raw []byte, inputs [3]settle.Element) bool {
		native := key.Verify(settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: shape, KeyHash: key.Hash, Proof: raw, Inputs: inputs})
		// The four bytes are a count that calldata does not have.
		calldata := bytes.Join([][]byte{raw[:256], raw[260:]}, nil)
		_, oursErr := machine.verify(ours, calldata, inputs)
		data, err := gnarkABI.Pack("verifyProof", calldata, bigs(inputs))
		require.NoError(t, err)
		_, gnarkErr := machine.call(gnarks, data)
		if native != nil {
			requireInvalid(t, native)
		}
		require.Equal(t, native == nil, oursErr == nil, "native: %v, ours: %v", native, oursErr)
		require.Equal(t, native == nil, gnarkErr == nil, "native: %v, gnark's: %v", native, gnarkErr)
		return native == nil
	}
	require.True(t, verdict(f.Raw, f.Inputs))
	require.True(t, verdict(rerandomise(t, f.Raw), f.Inputs), "proofs are malleable, and all verifiers know it")

	r := rand.New(rand.NewPCG(1, 2))
	for offset := range f.Raw {
		if offset >= 256 && offset < 260 {
			continue // the count: TestMalformedProofs
		}
		flipped := bytes.Clone(f.Raw)
		flipped[offset] ^= 1 << r.IntN(8)
		require.False(t, verdict(flipped, f.Inputs), "byte %d", offset)
	}
	for i := range f.Inputs {
		for range 8 {
			changed := f.Inputs
			changed[i] = randomInputs()[i]
			require.False(t, verdict(f.Raw, changed))
		}
		changed := f.Inputs
		changed[i] = addModulus(changed[i])
		require.False(t, verdict(f.Raw, changed), "input above the modulus")
	}
}

func TestAnyFlippedBitIsRefused(t *testing.T) {
	f := loadFixtures(t)
	machine := newEVM(t)
	for _, f := range []fixture{f.Setup, f.Ceremony} {
		contract := machine.ours(f.words())
		rapid.Check(t, func(t *rapid.T) {
			bit := rapid.IntRange(0, 8*len(f.Proof)-1).Draw(t, "bit")
			flipped := bytes.Clone(f.Proof)
			flipped[bit/8] ^= 1 << (bit % 8)
			ret, err := machine.verify(contract, flipped, f.Inputs)
			require.Error(t, err)
			require.IsType(t, new(bindings.Groth16VerifierInvalidProof), revert(ret))
		})
	}
}

func TestMalformedProofs(t *testing.T) {
	f := loadFixtures(t).Setup
	infinity := bytes.Clone(f.Raw)
	clear(infinity[260:324]) // the commitment alone
	flagged := bytes.Clone(f.Raw)
	clear(flagged[260:])
	flagged[260], flagged[324] = 0x40, 0x40 // gnark's flag of an uncompressed point at infinity
	for name, raw := range map[string][]byte{
		"empty":                  nil,
		"short":                  f.Raw[:len(f.Raw)-1],
		"long":                   append(bytes.Clone(f.Raw), 0),
		"no commitment":          withCount(f.Raw, 0),
		"two commitments":        withCount(f.Raw, 2),
		"hostile count":          withCount(f.Raw, 1<<32-1),
		"commitment at infinity": infinity,
		"flagged as infinity":    flagged,
		"zeros":                  make([]byte, len(f.Raw)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verifier.Calldata(raw)
			requireInvalid(t, err)
		})
	}
}

func withCount(raw []byte, n uint32) []byte {
	out := bytes.Clone(raw)
	out[256], out[257], out[258], out[259] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return out
}

func addModulus(e settle.Element) settle.Element {
	sum := bigs([3]settle.Element{e})[0]
	sum.Add(sum, fr.Modulus()).FillBytes(e[:])
	return e
}

func decodeRaw(t *testing.T, raw []byte) *groth16bn254.Proof {
	t.Helper()
	proof := new(groth16bn254.Proof)
	_, err := proof.ReadFrom(bytes.NewReader(raw))
	require.NoError(t, err)
	return proof
}

func encodeRaw(t *testing.T, proof *groth16bn254.Proof) []byte {
	t.Helper()
	var buf bytes.Buffer
	_, err := proof.WriteRawTo(&buf)
	require.NoError(t, err)
	return buf.Bytes()
}

// rerandomise returns another proof of the same inputs: (-A, -B).
func rerandomise(t *testing.T, raw []byte) []byte {
	t.Helper()
	proof := decodeRaw(t, raw)
	proof.Ar.Neg(&proof.Ar)
	proof.Bs.Neg(&proof.Bs)
	return encodeRaw(t, proof)
}
