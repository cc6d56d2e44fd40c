package verifier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// hostileKeys breaks a key in each way that the design lists.
func hostileKeys(t *testing.T) map[string]func(*groth16bn254.VerifyingKey) {
	t.Helper()
	_, _, g1, g2 := bn254.Generators()
	outside := toycircuit.OffSubgroup()
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
	for i := range 5 {
		broken["K"+strconv.Itoa(i)+" at infinity"] = func(k *key) { k.G1.K[i] = bn254.G1Affine{} }
		broken["K"+strconv.Itoa(i)+" off the curve"] = func(k *key) { k.G1.K[i].Y.Add(&k.G1.K[i].Y, &g1.X) }
	}
	return broken
}

// TestBadKeysAreRefused gives each hostile key, made of a key of groth16.Setup and of
// one of a ceremony, to every door: the check, the verifier, a folder of keys that is
// otherwise in order, and the contract.
func TestBadKeysAreRefused(t *testing.T) {
	for kind, p := range provers(t) {
		env := envelope(t, p, randomInputs())
		for name, breakIt := range hostileKeys(t) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				k := clone(t, p.VerifyingKey)
				breakIt(k)
				require.ErrorIs(t, verifier.CheckKey(k), verifier.ErrBadKey)
				_, err := verifier.NewKey(settle.CircuitTransition, shape, k)
				require.ErrorIs(t, err, verifier.ErrBadKey)
				named := env
				named.KeyHash, err = verifier.KeyHash(k)
				require.NoError(t, err)
				require.ErrorIs(t, verifier.Verify(named, k), verifier.ErrBadKey)

				dir, id := keyFolder(t, p, k, provingkeys.SetupCeremony)
				_, _, err = provingkeys.OpenVerifyingKey(dir, id, provingkeys.Options{})
				require.True(t, errors.Is(err, provingkeys.ErrBadKey) || errors.Is(err, provingkeys.ErrCorrupt), "%v", err)
				_, err = provingkeys.Open(t.Context(), dir, id, provingkeys.Options{})
				require.True(t, errors.Is(err, provingkeys.ErrBadKey) || errors.Is(err, provingkeys.ErrCorrupt), "%v", err)

				words, err := verifier.Words(k)
				require.NoError(t, err)
				_, ret, err := newEVM(t).deploy(creation(t, words[:]))
				require.Error(t, err)
				require.NotNil(t, revert(ret), "deployment failed without a custom error")
			})
		}
	}
}

// TestGoodKeysAreAccepted: by every door, and what is proven with the keys of the folder
// holds natively and on L1. A ceremony's γ is the generator, and its keys need no flag.
func TestGoodKeysAreAccepted(t *testing.T) {
	_, _, _, g2 := bn254.Generators()
	for kind, p := range provers(t) {
		t.Run(kind, func(t *testing.T) {
			vk := p.VerifyingKey.(*groth16bn254.VerifyingKey)
			require.Equal(t, kind == "ceremony", vk.G2.Gamma.Equal(&g2))
			require.NoError(t, verifier.CheckKey(vk))
			setup, opts := provingkeys.SetupUnsafeDev, provingkeys.Options{AllowUnsafeDev: true}
			if kind == "ceremony" {
				setup, opts = provingkeys.SetupCeremony, provingkeys.Options{}
			}
			dir, id := keyFolder(t, p, vk, setup)
			if kind == "setup" {
				_, err := provingkeys.Open(t.Context(), dir, id, provingkeys.Options{})
				require.ErrorIs(t, err, provingkeys.ErrUnsafeDev)
			}
			for _, fromDump := range []bool{false, true} {
				keys, err := provingkeys.Open(t.Context(), dir, id, opts)
				require.NoError(t, err)
				require.Equal(t, fromDump, keys.FromDump)
				stored := &toycircuit.Prover{System: keys.System, ProvingKey: keys.ProvingKey, VerifyingKey: keys.VerifyingKey}
				env := envelope(t, stored, randomInputs())
				require.Equal(t, keys.Manifest.KeyHash, env.KeyHash)
				require.NoError(t, verifier.Verify(env, vk))
				words, err := verifier.Words(keys.VerifyingKey)
				require.NoError(t, err)
				calldata, err := verifier.Calldata(env.Proof)
				require.NoError(t, err)
				machine := newEVM(t)
				ret, err := machine.verify(machine.ours(words), calldata, env.Inputs)
				require.NoError(t, err, "%v", revert(ret))
			}
		})
	}
}

// TestManifestNamesTheKey: another key of the same circuit, which would verify its own
// proofs, is refused by the hash in the manifest.
func TestManifestNamesTheKey(t *testing.T) {
	all := provers(t)
	dir, id := keyFolder(t, all["ceremony"], all["ceremony"].VerifyingKey, provingkeys.SetupCeremony)
	manifest := readManifest(t, dir, id)
	manifest.VerifyingKey = writeKeyFile(t, id.Folder(dir), manifest.VerifyingKey.Name, all["setup"].VerifyingKey)
	writeManifest(t, dir, id, manifest)
	_, _, err := provingkeys.OpenVerifyingKey(dir, id, provingkeys.Options{})
	require.ErrorIs(t, err, provingkeys.ErrCorrupt)
	require.ErrorContains(t, err, "the manifest says")

	// And where the manifest is changed too, by the proving key, which is of another setup.
	hash, err := verifier.KeyHash(all["setup"].VerifyingKey)
	require.NoError(t, err)
	manifest.KeyHash = hash
	writeManifest(t, dir, id, manifest)
	_, err = provingkeys.Open(t.Context(), dir, id, provingkeys.Options{})
	require.ErrorContains(t, err, "different setups")
}

// TestNativeAndContractRefuseTheSameKeys puts points in each other's places, negates them
// and moves them: whatever key comes of it, both give it one verdict and one hash.
func TestNativeAndContractRefuseTheSameKeys(t *testing.T) {
	all, outside := provers(t), toycircuit.OffSubgroup()
	_, _, g1, g2 := bn254.Generators()
	verdicts := map[bool]int{}
	rapid.Check(t, func(rt *rapid.T) {
		k := clone(t, all[rapid.SampledFrom([]string{"setup", "ceremony"}).Draw(rt, "setup")].VerifyingKey)
		g1s := []*bn254.G1Affine{&k.G1.Alpha}
		for i := range k.G1.K {
			g1s = append(g1s, &k.G1.K[i])
		}
		g2s := []*bn254.G2Affine{&k.G2.Beta, &k.G2.Gamma, &k.G2.Delta, &k.CommitmentKeys[0].G, &k.CommitmentKeys[0].GSigmaNeg}
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			p, p2 := rapid.SampledFrom(g1s).Draw(rt, "of G1"), rapid.SampledFrom(g2s).Draw(rt, "of G2")
			q, q2 := rapid.SampledFrom(g1s).Draw(rt, "from G1"), rapid.SampledFrom(g2s).Draw(rt, "from G2")
			switch rapid.IntRange(0, 15).Draw(rt, "change") {
			case 0, 1:
				p2.Set(q2)
			case 2, 3:
				p2.Neg(q2)
			case 4:
				p2.Add(p2, q2)
			case 5:
				p2.Set(&g2)
			case 6:
				p2.Neg(&g2)
			case 7:
				p2.Set(&outside)
			case 8:
				*p2 = bn254.G2Affine{}
			case 9:
				p2.Y.A1.Add(&p2.Y.A1, &g1.X)
			case 10:
				p.Set(q)
			case 11:
				p.Neg(q)
			case 12:
				p.Add(p, q)
			case 13:
				p.Set(&g1)
			case 14:
				*p = bn254.G1Affine{}
			case 15:
				p.X.Add(&p.X, &g1.X)
			}
		}
		native := verifier.CheckKey(k)
		words, err := verifier.Words(k)
		require.NoError(t, err)
		hash, err := verifier.KeyHash(k)
		require.NoError(t, err)
		machine := newEVM(t)
		contract, ret, err := machine.deploy(creation(t, words[:]))
		require.Equal(t, native == nil, err == nil, "native: %v, contract: %v", native, revert(ret))
		if verdicts[native == nil]++; native == nil {
			got, err := machine.call(contract, bindings.NewGroth16Verifier().PackKeyHash())
			require.NoError(t, err)
			require.Equal(t, hash[:], got)
		}
	})
	require.Len(t, verdicts, 2, "keys of one verdict only: %v", verdicts)
}

// keyFolder writes a folder of keys, in order but for vk, as a setup of this kind leaves it.
func keyFolder(t *testing.T, p *toycircuit.Prover, vk groth16.VerifyingKey, kind provingkeys.SetupKind) (dir string, id provingkeys.ID) {
	t.Helper()
	fingerprint, err := circuits.FingerprintOf(p.System)
	require.NoError(t, err)
	dir, id = t.TempDir(), provingkeys.ID{Circuit: settle.CircuitTransition, Shape: shape, Fingerprint: fingerprint}
	folder := id.Folder(dir)
	require.NoError(t, os.MkdirAll(folder, 0o755))
	hash, err := verifier.KeyHash(vk)
	require.NoError(t, err)
	m := provingkeys.Manifest{
		Version: 1, Circuit: id.Circuit, Shape: id.Shape, KeyHash: hash, Constraints: p.System.GetNbConstraints(),
		Domain: ecc.NextPowerOfTwo(uint64(p.System.GetNbConstraints())), PublicInputs: 3, Commitments: 1, Gnark: "of a test", Setup: kind,
		System:       writeKeyFile(t, folder, "system.bin", p.System),
		ProvingKey:   writeKeyFile(t, folder, "proving.key", p.ProvingKey),
		VerifyingKey: writeKeyFile(t, folder, "verifying.key", vk),
	}
	if kind == provingkeys.SetupCeremony {
		m.TranscriptHash = &settle.Hash{1}
	}
	writeManifest(t, dir, id, m)
	return dir, id
}

func writeKeyFile(t *testing.T, folder, name string, of io.WriterTo) provingkeys.File {
	t.Helper()
	var b bytes.Buffer
	write := of.WriteTo
	if key, ok := of.(interface {
		WriteRawTo(io.Writer) (int64, error)
	}); ok {
		write = key.WriteRawTo
	}
	_, err := write(&b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600))
	return provingkeys.File{Name: name, Bytes: int64(b.Len()), SHA256: sha256.Sum256(b.Bytes())}
}

func readManifest(t *testing.T, dir string, id provingkeys.ID) (m provingkeys.Manifest) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(id.Folder(dir), "manifest.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}

func writeManifest(t *testing.T, dir string, id provingkeys.ID, m provingkeys.Manifest) {
	t.Helper()
	data, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(id.Folder(dir), "manifest.json"), data, 0o600))
}
