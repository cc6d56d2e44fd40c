package bench

import (
	"encoding/csv"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/schnorr"
)

// proveKeysEnv makes the test binary, run with TestProvingProcess alone, the proving
// process of TestProve.
const proveKeysEnv = "SETTLE_TEST_BENCH_KEYS"

func TestProvingProcess(t *testing.T) {
	dir := os.Getenv(proveKeysEnv)
	if dir == "" {
		return
	}
	circuits.RegisterHints()
	keys := provingkeys.NewCache(provingkeys.CacheConfig{Dir: dir, Fingerprint: provingkeys.Committed, Options: provingkeys.Options{AllowUnsafeDev: true}})
	require.NoError(t, prover.Serve(t.Context(), os.Stdin, os.Stdout, prover.NewTransition(keys, nil)))
	os.Exit(0) // before the test says anything on standard output
}

// TestProve runs the whole benchmark at the smallest shape: with two processes, with
// the pieces of a proof (the task fails unless they make a proof that verifies), and
// without the baseline, of which no single transfer fits.
func TestProve(t *testing.T) {
	circuits.RegisterHints()
	dir := t.TempDir()
	common := Common{Folder: t.TempDir(), Machine: record.Machine{CPU: "test"}, Repeats: 1}
	f, err := Prove(t.Context(), common, ProveConfig{
		Shapes: []string{"tiny"}, Parallel: []int{1, 2}, KeysDir: dir, Seed: 1,
		Child: func() (*exec.Cmd, error) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProvingProcess$")
			cmd.Env = append(os.Environ(), proveKeysEnv+"="+dir)
			return cmd, nil
		},
	})
	require.NoError(t, err)
	require.False(t, f.Finished.IsZero())
	find := func(name string, labels ...string) float64 {
		t.Helper()
		m, ok := f.Find(name, append([]string{"shape", "tiny"}, labels...)...)
		require.True(t, ok, "%s %v", name, labels)
		return m.Median
	}
	for _, name := range []string{"compile", "setup", "key load", RawProveName, "all pieces"} {
		require.Positive(t, find(name), name)
	}
	count := func(name string, labels ...string) int { return int(find(name, labels...)) }
	require.Equal(t, 2, count("transfers"))
	require.Equal(t, 1<<15, count("domain"))
	for _, n := range []string{"1", "2"} {
		for _, name := range []string{"assign", "solve", "prove", "verify", "proofs done", "proofs done, processor time", "peak memory"} {
			require.Positive(t, find(name, "parallel", n), name)
		}
		require.Less(t, find("solve", "parallel", n), find("prove", "parallel", n))
		require.Less(t, find("prove", "parallel", n), find("proofs done", "parallel", n))
	}
	pieces := 0.0
	for _, piece := range []string{
		partSolve, partCommitment, partKnowledge, partInverse, partCoset, partQuotient, partInverseCoset,
		partGather, partG1A, partG1B, partG1K, partG1Z, partG2B,
	} {
		pieces += find(PieceName, "piece", piece)
	}
	require.InDelta(t, find("all pieces"), pieces, 1e-6)
	require.Equal(t, 1<<15-1, count("size of a piece", "piece", partG1Z))
	require.Equal(t, 7<<15, count("size of a piece", "piece", partInverse)+count("size of a piece", "piece", partCoset)+count("size of a piece", "piece", partInverseCoset))
	require.Equal(t, count("size of a piece", "piece", partG1A)*g1Bytes, count("memory", "of", "key: G1 A"))
	_, there := f.Find(OverBaselineName, "shape", "tiny", "domain", "2^15")
	require.False(t, there)
}

// TestPiecesAreSums compares a multi-exponentiation with its definition.
func TestPiecesAreSums(t *testing.T) {
	const n = 40
	points, scalars := make([]bn254.G1Affine, n), make([]fr.Element, n)
	var want bn254.G1Jac
	for i := range points {
		points[i].ScalarMultiplicationBase(big.NewInt(int64(i) + 2))
		scalars[i] = fr.NewElement(uint64(i) % 3)
		if i%3 == 2 {
			scalars[i].SetInt64(-int64(i))
		}
		var term bn254.G1Affine
		term.ScalarMultiplication(&points[i], scalars[i].BigInt(new(big.Int)))
		want.AddMixed(&term)
	}
	var parts workParts
	var got bn254.G1Jac
	require.NoError(t, parts.msmG1("sum", &got, points, scalars))
	require.True(t, got.Equal(&want))
	require.Equal(t, n, parts[0].points)
	require.InDelta(t, 14.0/n, parts[0].zero, 1e-9)
	require.InDelta(t, 13.0/n, parts[0].short, 1e-9)
}

// TestDomains compares the domains that memory is foreseen by with the committed counts.
func TestDomains(t *testing.T) {
	data, err := os.Open(filepath.Join("..", "circuits", "testdata", "constraints.csv"))
	require.NoError(t, err)
	defer data.Close()
	rows, err := csv.NewReader(data).ReadAll()
	require.NoError(t, err)
	got := map[string]int{}
	for _, row := range rows {
		if row[0] == settle.CircuitTransition {
			got[row[1]], err = strconv.Atoi(row[6])
			require.NoError(t, err)
		}
	}
	want := map[string]int{}
	for name, log := range domainLogs() {
		want[name] = 1 << log
	}
	require.Equal(t, want, got)
}

func TestRandomBatchesAreFullAndRepeat(t *testing.T) {
	for _, name := range []string{"tiny", "demo"} {
		shape, err := circuits.ShapeByName(name)
		require.NoError(t, err)
		traces, err := randomBatches(shape, 7, 2)
		require.NoError(t, err)
		require.Len(t, traces, 2)
		again, err := randomBatches(shape, 7, 2)
		require.NoError(t, err)
		for i, trace := range traces {
			require.Equal(t, shape.Transfers, trace.Usage().Transfers)
			require.True(t, shape.Fits(trace.Usage()))
			require.Equal(t, trace.Data(), again[i].Data())
			for _, executed := range trace.Transactions {
				tx := executed.Transaction
				require.NoError(t, schnorr.Verify(tx.PublicKey, tx.Message(trace.Header.Domain), tx.Signature))
			}
		}
		require.Equal(t, traces[0].Header.NewRoot, traces[1].Header.OldRoot)
	}
}

func TestMemoryIsForeseen(t *testing.T) {
	shape, err := circuits.ShapeByName("large")
	require.NoError(t, err)
	common := Common{Folder: t.TempDir(), Repeats: 1, Memory: 1 << 30}
	_, err = Prove(t.Context(), common, ProveConfig{Shapes: []string{shape.Name}, Parallel: []int{1}, KeysDir: t.TempDir()})
	require.ErrorIs(t, err, record.ErrMemory)
	_, err = Prove(t.Context(), common, ProveConfig{Shapes: []string{"huge"}, Parallel: []int{1}})
	require.ErrorContains(t, err, "unknown shape")
	_, err = Prove(t.Context(), common, ProveConfig{Shapes: []string{"tiny"}, Parallel: []int{0}})
	require.Error(t, err)
}
