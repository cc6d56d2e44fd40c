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

// batch opens an account and spends from it: the open, and a transfer that the new
// owner signs before the account stands in any tree.
func batch(t *testing.T) *state.Trace {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	key := func() schnorr.PrivateKey {
		k, err := schnorr.GenerateKey(random)
		require.NoError(t, err)
		return k
	}
	payer, newcomer := key(), key()
	accounts := []state.Indexed{
		{Index: 0, Account: state.Account{Owner: key().Public().X, L1: settle.Address{19: 1}}},
		{Index: 1, Account: state.Account{Owner: payer.Public().X, Balance: settle.NewAmount(1000), L1: settle.Address{19: 2}}},
	}
	const opened settle.AccountIndex = 2
	s, err := state.Load(poseidon.New(), publicdata.Domain(1337, settle.Address{1}), 0, accounts, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(t, err)
	amount := func(v uint64) state.Float40 {
		f, err := state.NewFloat40(settle.NewAmount(v))
		require.NoError(t, err)
		return f
	}
	fee, err := state.NewFloat16(settle.NewAmount(1))
	require.NoError(t, err)
	b := s.Begin()
	step := func(by schnorr.PrivateKey, tx state.Transaction) {
		tx.Fee, tx.PublicKey = fee, by.Public().X
		tx.Signature, err = schnorr.Sign(by, tx.Message(s.Domain()), random)
		require.NoError(t, err)
		require.NoError(t, b.Step(tx))
	}
	step(payer, state.Transaction{
		Kind: settle.KindOpen, From: 1, Assigned: opened, Amount: amount(100), ToOwner: newcomer.Public().X, ToL1: settle.Address{19: 3},
	})
	step(newcomer, state.Transaction{
		Kind: settle.KindTransfer, From: opened, To: 1, Amount: amount(60), ToOwner: payer.Public().X, ToL1: settle.Address{19: 2},
	})
	tr, err := b.Seal()
	require.NoError(t, err)
	require.Equal(t, settle.Usage{Transfers: 2, Accounts: 3, Nodes: 16, FeeAccounts: 1, Opens: 1}, tr.Usage())
	require.Equal(t, settle.NewAmount(39), tr.Accounts[2].New.Balance)
	return tr
}
