package bench

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
)

func gasChainFor(t *testing.T, name string, slots int) *gasChain {
	t.Helper()
	shape, err := circuits.ShapeByName(name)
	require.NoError(t, err)
	proofs, err := newToyProofs(shape, slots, toycircuit.Setup)
	require.NoError(t, err)
	chain, err := newGasChain(t.Context(), shape, 1, proofs)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, chain.close()) })
	return chain
}

// TestPartsOfGas: they sum to the receipt, each is where it must be, and nowhere else.
func TestPartsOfGas(t *testing.T) {
	const slots = 3
	g := gasChainFor(t, "demo", slots)
	for _, route := range []struct {
		batches int
		settle  func(context.Context, gasLoad) (gasSettled, error)
	}{
		{1, g.direct},
		{slots, func(ctx context.Context, l gasLoad) (gasSettled, error) { return g.group(ctx, l, slots) }},
	} {
		settled := map[gasLoad]gasSettled{}
		for _, l := range gasLoads() {
			s, err := route.settle(t.Context(), l)
			require.NoError(t, err)
			opens, exits := l.counts(g.shape)
			require.Equal(t, []int{route.batches, route.batches * g.shape.Transfers, route.batches * opens, route.batches * exits},
				[]int{s.batches, s.transfers, s.opens, s.exits})
			require.EqualValues(t, s.used, s.sum())
			require.GreaterOrEqual(t, s.used, s.floor)
			for part, gas := range s.parts {
				switch part {
				case gasExitsTree, gasExitsRoot:
					require.Equal(t, exits > 0, gas > 0, "%s: %s", l, part)
				case gasFloor, gasRefund:
					require.Zero(t, gas, "%s: %s", l, part)
				default:
					require.Positive(t, gas, "%s: %s", l, part)
				}
			}
			require.EqualValues(t, 6*34_000+45_000, s.parts[gasPairing], "EIP-1108, six pairs")
			require.EqualValues(t, 6*6000+5*150, s.parts[gasPoints], "EIP-1108, four multiplications and five additions for the inputs, two for the commitment")
			require.LessOrEqual(t, s.bytes-uint64(groupBytes(s.batches, s.words)), uint64(envelopeBytes))
			settled[l] = s
		}
		// A slot written from zero, and one written before, whose first access in the transaction is cold.
		require.EqualValues(t, route.batches*22_100, settled[loadExits].parts[gasExitsRoot])
		require.EqualValues(t, 2_100+2_900+(route.batches-1)*(100+100), settled[loadTransfers].parts[gasRoot])
		require.Equal(t, settled[loadTransfers].parts[gasRegistry], settled[loadMixed].parts[gasRegistry])
		more := settled[loadExits].parts[gasEvaluation] - settled[loadTransfers].parts[gasEvaluation]
		require.Positive(t, more, "exits are words of D")
	}
}

// TestGasOfCalldata: exact by EIP-2028 and EIP-7623, and where the floor binds the
// parts still sum to it.
func TestGasOfCalldata(t *testing.T) {
	data := append(bytes.Repeat([]byte{0}, 10), bytes.Repeat([]byte{7}, 100)...)
	gas, floor := calldataGas(data)
	require.EqualValues(t, 10*4+100*16, gas)
	require.EqualValues(t, 21_000+10*10+100*40, floor)
	for _, row := range []struct {
		execution     int64
		used          uint64
		refund, extra int64
	}{
		{3000, 21_000 + 1640 + 3000, 0, 0},
		{3000, 21_000 + 1640 + 2900, -100, 0},
		{1000, 25_100, 0, 25_100 - 21_000 - 1640 - 1000},
	} {
		u := gasUse{used: row.used, parts: map[string]int64{gasRest: row.execution}}
		require.NoError(t, u.join(data))
		require.Equal(t, []int64{row.refund, row.extra}, []int64{u.parts[gasRefund], u.parts[gasFloor]})
		require.EqualValues(t, row.used, u.sum())
	}
	u := gasUse{used: 30_000, parts: map[string]int64{gasRest: 1000}}
	require.ErrorContains(t, u.join(data), "in no part")
}

// TestFloorBindsForLargeBatches, and the projection keeps to it.
func TestFloorBindsForLargeBatches(t *testing.T) {
	g := gasChainFor(t, "small", 16)
	direct, err := g.direct(t.Context(), loadTransfers)
	require.NoError(t, err)
	require.Greater(t, direct.used, direct.floor)
	group, err := g.group(t.Context(), loadTransfers, 16)
	require.NoError(t, err)
	require.Equal(t, group.used, group.floor)
	// More gas of verification takes from what is up to the floor, until it binds no more.
	for verification, binds := range map[int64]bool{0: true, 1_000: true, 10_000_000: false} {
		u := group.withVerification(map[string]int64{gasPairing: verification, gasPoints: 0, gasVerifier: 0})
		require.EqualValues(t, u.used, u.sum())
		require.Equal(t, binds, u.used == u.floor)
		require.Equal(t, binds, u.parts[gasFloor] > 0)
	}
	require.Equal(t, group.used, group.withVerification(map[string]int64{}).used)
}

func TestGroupsThatFitATransaction(t *testing.T) {
	for name, least := range map[string]int{"demo": 16, "small": 16, "medium": 16, "large": 2} {
		shape, err := circuits.ShapeByName(name)
		require.NoError(t, err)
		fits := fittingBatches(shape)
		require.GreaterOrEqual(t, fits, least, name)
		t.Logf("%s: %d", name, fits)
	}
}

// TestGasBench runs all of it at the smallest shape with real proofs of its circuit; the
// projection of that shape must be what was measured, to 1 %.
func TestGasBench(t *testing.T) {
	circuits.RegisterHints()
	cfg := GasConfig{KeysDir: t.TempDir(), Shape: "tiny", Projected: []string{"tiny", "demo"}, Groups: []int{2}, Seed: 1}
	f, err := Gas(t.Context(), Common{Folder: t.TempDir(), Repeats: 1}, cfg)
	require.NoError(t, err)
	for _, l := range gasLoads() {
		labels := []string{"shape", "tiny", "route", routeDirect, "load", string(l), "batches", "1"}
		measured, ok := f.Find("gas", labels...)
		require.True(t, ok)
		require.Equal(t, record.Measured, measured.Source)
		require.Len(t, measured.Values, 1)
		foreseen, ok := f.Find("projected gas", labels...)
		require.True(t, ok)
		require.Equal(t, record.Projected, foreseen.Source)
		require.NotEmpty(t, foreseen.Note)
		require.InEpsilon(t, measured.Median, foreseen.Median, 0.01, "%s", l)
		ratio, ok := f.Find("projection over measurement", "shape", "tiny", "load", string(l))
		require.True(t, ok)
		require.InEpsilon(t, 1, ratio.Median, 0.01)
		for i, gas := range measured.Values {
			require.InDelta(t, gas, sumOfParts(f, i, "gas by part", labels), 0)
		}
	}
	group, ok := f.Find("projected gas per batch", "shape", "demo", "route", routeGroup, "load", "mixed", "batches", "2")
	require.True(t, ok)
	alone, ok := f.Find("projected gas per batch", "shape", "demo", "route", routeDirect, "load", "mixed", "batches", "1")
	require.True(t, ok)
	require.Less(t, group.Median, 0.7*alone.Median)
	transfers, ok := f.Find("projected gas per 1,000 transfers", "shape", "demo", "route", routeDirect, "load", "mixed", "batches", "1")
	require.True(t, ok)
	require.InDelta(t, alone.Median*1000/21, transfers.Median, 1)
	for _, name := range []string{"one party", "ceremony"} {
		pairing, ok := f.Find("gas of the verifier", "keys", name, "part", gasPairing)
		require.True(t, ok)
		require.InDelta(t, map[string]float64{"one party": 249_000, "ceremony": 215_000}[name], pairing.Median, 0)
	}
	word, ok := f.Find("gas of evaluating a word of D")
	require.True(t, ok)
	require.Greater(t, word.Median, 20.0)
	require.Less(t, word.Median, 200.0)
}

func sumOfParts(f *record.File, repetition int, name string, labels []string) float64 {
	total := 0.0
	for _, part := range gasParts() {
		if m, ok := f.Find(name, append(slices.Clone(labels), "part", part)...); ok {
			total += m.Values[repetition]
		}
	}
	return math.Round(total)
}
