package transition

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/state"
)

type pair = [2]settle.AccountIndex

func TestValidBatches(t *testing.T) {
	cases := map[string][]pair{
		"empty":                       {},
		"one transfer":                {{3, 4}},
		"full":                        {{3, 4}, {5, 6}},
		"chain":                       {{3, 4}, {4, 5}},
		"hot account":                 {{3, 4}, {3, 4}},
		"self-transfer":               {{3, 3}},
		"self-transfer twice":         {{3, 3}, {3, 3}},
		"fee account pays":            {{0, 4}, {4, 3}},
		"fee account receives":        {{4, 0}},
		"fee account pays itself":     {{0, 0}},
		"back and forth":              {{3, 4}, {4, 3}},
		"accounts of far-off parents": {{1, 20}, {20, 17}},
	}
	shape := mustShape(t, "tiny")
	ccs := system(t, shape)
	for name, pairs := range cases {
		t.Run(name, func(t *testing.T) {
			c := mustAssign(t, shape, newWorld(t, 21, 1, 1).batch(pairs...))
			require.NoError(t, engine(shape, c))
			require.NoError(t, solve(t, ccs, c))
		})
	}
}

// TestNativeAndCircuitAgree: whatever batch Apply accepts, the circuit accepts
// with Apply's public inputs; a trace with another new root it refuses.
func TestNativeAndCircuitAgree(t *testing.T) {
	shape := mustShape(t, "tiny")
	ccs := system(t, shape)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rapid.IntRange(1, 30).Draw(rt, "accounts"), 1, rapid.Uint64().Draw(rt, "seed"))
		b := w.state.Begin()
		for range rapid.IntRange(0, shape.Transfers).Draw(rt, "transfers") {
			index := rapid.IntRange(0, len(w.keys)-1)
			from, to := settle.AccountIndex(index.Draw(rt, "from")), settle.AccountIndex(index.Draw(rt, "to"))
			amount := rapid.Uint64Range(0, 600_000).Draw(rt, "amount")
			limit := rapid.SampledFrom([]settle.BatchNumber{0, b.Number(), b.Number() + 1, 1<<32 - 1}).Draw(rt, "validUntil")
			tx := w.transfer(b, from, to, amount, 0, func(tx *state.Transaction) {
				tx.ValidUntil = limit
				tx.Fee = state.Float16(rapid.Uint16Range(0, 2047).Draw(rt, "fee"))
			})
			if err := b.Step(tx); err != nil {
				_, refused := settle.AsRefusal(err)
				require.True(t, refused, "%v", err)
			}
		}
		trace, err := b.Seal()
		require.NoError(t, err)
		c := mustAssign(t, shape, trace)
		require.NoError(t, solve(t, ccs, c))

		wrong := trace.Header.NewRoot
		wrong.Add(&wrong, &wrong)
		c.Header.NewRoot = wrong
		publish(t, c)
		require.Error(t, solve(t, ccs, c))
	})
}

func TestAssignRefusesWhatDoesNotFit(t *testing.T) {
	shape := mustShape(t, "tiny")
	trace := newWorld(t, 8, 1, 1).batch(pair{3, 4}, pair{5, 6}, pair{1, 2})
	_, err := Assign(shape, trace)
	require.ErrorIs(t, err, ErrCapacity)
}

func TestCompileRefusesSlotsWithoutChip(t *testing.T) {
	shape := mustShape(t, "tiny")
	shape.L1Ops = 1
	_, err := Compile(shape)
	require.ErrorContains(t, err, "no chip")
}

// TestSchema: unknown tag options would silently turn public into secret.
func TestSchema(t *testing.T) {
	schema, err := frontend.NewSchema(ecc.BN254.ScalarField(), New(mustShape(t, "tiny")))
	require.NoError(t, err)
	require.Equal(t, gadget.PublicInputs, schema.NbPublic)
}

func TestDemoShapeSolves(t *testing.T) {
	shape := mustShape(t, "demo")
	ccs := system(t, shape)
	w := newWorld(t, 1024, 2, 3)
	r := rand.New(rand.NewPCG(5, 6))
	var pairs []pair
	for len(pairs) < shape.Transfers {
		token := r.IntN(2)
		pairs = append(pairs, pair{settle.AccountIndex(r.IntN(512)*2 + token), settle.AccountIndex(r.IntN(512)*2 + token)})
	}
	require.NoError(t, solve(t, ccs, mustAssign(t, shape, w.batch(pairs...))))
	require.NoError(t, solve(t, ccs, mustAssign(t, shape, w.batch(pairs[:1]...))))
}
