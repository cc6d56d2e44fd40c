package provingkeys_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
)

const (
	childDir         = "SETTLE_TEST_KEYS"
	childFingerprint = "SETTLE_TEST_FINGERPRINT"
	childProof       = "proof: "
	childCompiled    = "fingerprint: "
)

// TestMain is also the fresh process of TestFreshProcess: it proves from the
// stored system before anything there was compiled, then prints its own fingerprint.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(exiting{}, dir)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// exiting ends the process at the first failure: there is no test to fail.
type exiting struct{}

func (exiting) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }
func (exiting) FailNow()                          { os.Exit(1) }

func child(t require.TestingT, dir string) {
	registerToyHints()
	var fingerprint settle.Fingerprint
	require.NoError(t, fingerprint.UnmarshalText([]byte(os.Getenv(childFingerprint))))
	id := provingkeys.ID{Circuit: "toy", Shape: "tiny", Fingerprint: fingerprint}
	keys, err := provingkeys.Open(context.Background(), dir, id, dev)
	require.NoError(t, err)
	proof, err := groth16.Prove(keys.System, keys.ProvingKey, toyWitness(t, 3), backend.WithProverHashToFieldFunction(sha256.New()))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = proof.WriteRawTo(&out)
	require.NoError(t, err)
	_, err = os.Stdout.WriteString(childProof + hex.EncodeToString(out.Bytes()) + "\n" + childCompiled + toyID(t, toySize).Fingerprint.String() + "\n")
	require.NoError(t, err)
}

func TestFreshProcessProvesFromTheStoredSystem(t *testing.T) {
	dir, id, _ := setup(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFingerprint+"="+id.Fingerprint.String())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, stderr.Bytes())

	var encoded string
	for line := range bytes.Lines(out) {
		if hexed, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte(childProof)); ok {
			encoded = string(hexed)
		}
	}
	require.Contains(t, string(out), childCompiled+id.Fingerprint.String(), "another process compiles to the same bytes")
	data, err := hex.DecodeString(encoded)
	require.NoError(t, err)
	proof := new(groth16bn254.Proof)
	_, err = proof.ReadFrom(bytes.NewReader(data))
	require.NoError(t, err)

	vk, _, err := provingkeys.OpenVerifyingKey(dir, id, dev)
	require.NoError(t, err)
	public, err := toyWitness(t, 3).Public()
	require.NoError(t, err)
	require.NoError(t, groth16.Verify(proof, vk, public, backend.WithVerifierHashToFieldFunction(sha256.New())))
	other, err := toyWitness(t, 4).Public()
	require.NoError(t, err)
	require.Error(t, groth16.Verify(proof, vk, other, backend.WithVerifierHashToFieldFunction(sha256.New())))
}

func TestFingerprintIsDeterministic(t *testing.T) {
	require.Equal(t, toyID(t, toySize), toyID(t, toySize))
	require.NotEqual(t, toyID(t, toySize), toyID(t, toySize+1))
}
