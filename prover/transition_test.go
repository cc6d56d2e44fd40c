package prover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/constraint"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/verifier"
)

const (
	childKeys  = "SETTLE_TEST_KEYS"
	childTrace = "SETTLE_TEST_TRACE"
	tiny       = "tiny"
)

var dev = provingkeys.Options{AllowUnsafeDev: true}

// TestMain is also two other programs: a proving child of the toy circuit, and a
// worker that has compiled nothing: it loads keys and trace from files, proves, and
// prints the envelope.
func TestMain(m *testing.M) {
	if dir := os.Getenv(serveKeys); dir != "" {
		if err := serveToy(dir, os.Getenv(serveFingerprint)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(childKeys); dir != "" {
		if err := child(dir, os.Getenv(childTrace)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(dir, tracePath string) error {
	circuits.RegisterHints()
	blob, err := os.ReadFile(tracePath)
	if err != nil {
		return err
	}
	tr, err := state.DecodeTrace(blob)
	if err != nil {
		return err
	}
	keys := provingkeys.NewCache(provingkeys.CacheConfig{Dir: dir, Fingerprint: provingkeys.Committed, Options: dev})
	result, err := prover.NewTransition(keys, nil).Prove(context.Background(), tiny, tr)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func TestFreshProcessProvesABatch(t *testing.T) {
	id, err := provingkeys.TransitionID(tiny)
	require.NoError(t, err)
	shape, err := circuits.ShapeByName(tiny)
	require.NoError(t, err)
	dir := t.TempDir()
	manifest, err := provingkeys.Setup(t.Context(), dir, id, func() (constraint.ConstraintSystem, error) { return circuits.Compile(shape) }, dev)
	require.NoError(t, err)

	tr := batch(t)
	blob, err := state.EncodeTrace(tr)
	require.NoError(t, err)
	path := filepath.Join(dir, "trace")
	require.NoError(t, os.WriteFile(path, blob, 0o600))
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childKeys+"="+dir, childTrace+"="+path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.Bytes())
	var result prover.Result
	require.NoError(t, json.Unmarshal(out, &result))

	vk, _, err := provingkeys.OpenVerifyingKey(dir, id, dev)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(result.Proof, vk))
	require.Equal(t, manifest.KeyHash, result.Proof.KeyHash)
	inputs, err := tr.Data().PublicInputs(poseidon.New(), shape.Capacity)
	require.NoError(t, err)
	for i := range inputs {
		require.EqualValues(t, inputs[i].Bytes(), result.Proof.Inputs[i], "public input %d", i)
	}
	require.Positive(t, result.Timings.Solve)
	t.Logf("assign %v, solve %v, prove %v, keys %v, peak %d MiB", result.Timings.Assign, result.Timings.Solve,
		result.Timings.Prove, result.Timings.Keys, result.PeakMemory>>20)
}

// batch is one signed transfer between two accounts.
func batch(t *testing.T) *state.Trace {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	var keys []schnorr.PrivateKey
	var accounts []state.Indexed
	for i := range settle.AccountIndex(3) {
		key, err := schnorr.GenerateKey(random)
		require.NoError(t, err)
		keys = append(keys, key)
		accounts = append(accounts, state.Indexed{Index: i, Account: state.Account{
			Owner: key.Public().X, Balance: settle.NewAmount(1000), L1: settle.Address{19: byte(i + 1)},
		}})
	}
	s, err := state.Load(poseidon.New(), publicdata.Domain(1337, settle.Address{1}), 0, accounts, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(t, err)
	amount, err := state.NewFloat40(settle.NewAmount(100))
	require.NoError(t, err)
	fee, err := state.NewFloat16(settle.NewAmount(1))
	require.NoError(t, err)
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: 1, To: 2, Amount: amount, Fee: fee,
		ToOwner: accounts[2].Owner, ToL1: accounts[2].L1, PublicKey: accounts[1].Owner,
	}
	tx.Signature, err = schnorr.Sign(keys[1], tx.Message(s.Domain()), random)
	require.NoError(t, err)
	b := s.Begin()
	require.NoError(t, b.Step(tx))
	tr, err := b.Seal()
	require.NoError(t, err)
	return tr
}
