package baseline

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/logger"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/diagnosis"
)

type pair = [2]settle.AccountIndex

// TestValidBatches solves the whole circuit with what Apply accepts.
func TestValidBatches(t *testing.T) {
	whole := new(systems)
	for name, pairs := range map[string][]pair{
		"one":                   {{1, 2}},
		"self-transfer":         {{3, 3}},
		"operator pays himself": {{0, 0}},
		"chain":                 {{1, 2}, {2, 3}},
		"twice":                 {{1, 2}, {1, 2}},
		"operator on each side": {{0, 4}, {4, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, whole.solve(t, mustAssign(t, mustWorld(t).batch(t, pairs...))))
		})
	}
	t.Run("digest of other data", func(t *testing.T) {
		b := mustWorld(t).batch(t, pair{1, 2})
		c := mustAssign(t, b)
		for at := range b.Data() {
			data := b.Data()
			data[at] ^= 1
			sum := sha256.Sum256(data)
			var digest fr.Element
			c.Digest = *digest.SetBytes(sum[:])
			if at%29 == 0 { // a byte of each field
				require.Error(t, whole.solve(t, c), "byte %d", at)
			}
		}
	})
	t.Run("other assignments", func(t *testing.T) {
		for name, mutate := range map[string]func(*Circuit){
			"domain":   func(c *Circuit) { c.Domain = 1338 },
			"old root": func(c *Circuit) { c.OldRoot = 1 },
			"fee":      func(c *Circuit) { c.Transfers[0].Fee = 11 },
			"receiver": func(c *Circuit) { c.Transfers[0].Receiver.Index = 3 },
			"operator": func(c *Circuit) { c.Operator.Index = 1 },
		} {
			c := mustAssign(t, mustWorld(t).batch(t, pair{1, 2}))
			mutate(c)
			require.Error(t, whole.solve(t, c), name)
		}
	})
}

// TestNativeAndCircuitAgree: what Apply accepts leads to the same root in the circuit;
// what it refuses has no batch.
func TestNativeAndCircuitAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := mustWorld(t)
		index := rapid.Uint32Range(0, 7)
		var transfers []Transfer
		needs := map[settle.AccountIndex]*big.Int{}
		for range rapid.IntRange(1, 2).Draw(rt, "transfers") {
			from, to := settle.AccountIndex(index.Draw(rt, "from")), settle.AccountIndex(index.Draw(rt, "to"))
			exponent := rapid.Uint64Range(0, 16).Draw(rt, "exponent")
			amount := exponent<<35 | rapid.Uint64Range(0, 1<<35-1).Draw(rt, "mantissa")
			tr := w.mustTransfer(t, from, to, amount, rapid.Uint16Range(0, 1<<14).Draw(rt, "fee"))
			transfers = append(transfers, tr)
			if needs[from] == nil {
				needs[from] = new(big.Int)
			}
			needs[from].Add(needs[from], tr.amount()).Add(needs[from], tr.fee())
		}
		old := w.rollup.Root()
		b, err := w.rollup.Apply(transfers)
		if err != nil {
			refusal, ok := settle.AsRefusal(err)
			require.True(t, ok, "%v", err)
			require.Equal(t, settle.CodeInsufficientBalance, refusal.Code)
			require.Equal(t, old, w.rollup.Root())
			return
		}
		require.NoError(t, transition(mustAssign(t, b), b.NewRoot, ""))
		var wrong fr.Element
		wrong.Double(&b.NewRoot)
		require.Error(t, transition(mustAssign(t, b), wrong, ""))
		sum := new(big.Int)
		for _, a := range w.rollup.accounts {
			sum.Add(sum, a.Balance.Big())
		}
		require.Equal(t, new(big.Int).Lsh(big.NewInt(8), 50), sum, "payments neither make nor lose money")
	})
}

// TestBenchmarkDepth: one transfer at the depth that is compared, in a rollup of some
// hundred accounts, solves.
func TestBenchmarkDepth(t *testing.T) {
	logger.Disable()
	ccs, err := Compile(1)
	require.NoError(t, err)
	b, err := Random(1, 300, 1)
	require.NoError(t, err)
	w, err := Witness(b)
	require.NoError(t, err)
	require.NoError(t, diagnosis.Solve(ccs, w))
	again, err := Random(1, 300, 1)
	require.NoError(t, err)
	require.Equal(t, b, again)
	require.Equal(t, ccs.GetNbConstraints(), ConstraintsPerTransfer(ccs, 1))
}

func TestSchema(t *testing.T) {
	schema, err := frontend.NewSchema(ecc.BN254.ScalarField(), New(1))
	require.NoError(t, err)
	require.Equal(t, 1, schema.NbPublic)
}

// TestCompression compares the tree's compression with gnark-crypto's own.
func TestCompression(t *testing.T) {
	p := poseidon2.NewDefaultPermutation()
	a, b := fr.NewElement(3), fr.NewElement(5)
	got, err := compress(p, a, b)
	require.NoError(t, err)
	want, err := p.Compress(a.Marshal(), b.Marshal())
	require.NoError(t, err)
	require.Equal(t, want, got.Marshal())
}

// TestLargestWithin searches sizes that grow with steps.
func TestLargestWithin(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fixed, slope := rapid.IntRange(0, 300_000).Draw(rt, "fixed"), rapid.IntRange(1, 50_000).Draw(rt, "slope")
		step, every := rapid.IntRange(0, 40_000).Draw(rt, "step"), rapid.IntRange(1, 9).Draw(rt, "every")
		limit := 1 << rapid.IntRange(8, 21).Draw(rt, "domain")
		calls := 0
		size := func(n int) (int, error) {
			calls++
			return fixed + slope*n + step*(n/every), nil
		}
		count := func(n int) int { s, _ := size(n); return s }
		n, err := largestWithin(limit, size)
		if count(1) > limit {
			require.ErrorIs(t, err, ErrDomain)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, count(n), limit)
		require.Greater(t, count(n+1), limit)
	})
	_, err := Compile(0)
	require.ErrorIs(t, err, ErrSystem)
}
