package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSimulateClosedForms compares the simulation with what is known exactly.
func TestSimulateClosedForms(t *testing.T) {
	const proof, rest, claim = 3.0, 0.5, 0.25
	run := func(c FleetConfig) FleetResult {
		c.Seed = 1
		out, err := Simulate(c)
		require.NoError(t, err)
		return out
	}
	for _, workers := range []int{1, 2, 7, 100} {
		saturated := run(FleetConfig{Workers: workers, Proofs: []float64{proof}, Rest: rest, Batches: 50 * workers})
		require.InEpsilon(t, float64(workers)/(proof+rest), saturated.Rate, 1e-9)
		require.InDelta(t, 0, saturated.Idle, 1e-9, "a queue that never empties")
		beside := run(FleetConfig{Workers: workers, Proofs: []float64{proof}, Rest: rest, Claim: claim, Batches: 50 * workers})
		require.InEpsilon(t, float64(workers)/(proof+rest+claim), beside.Rate, 1e-9)
		require.InDelta(t, claim/(proof+rest+claim), beside.Idle, 0.01)
		single := run(FleetConfig{Workers: workers, Proofs: []float64{proof}, Rest: rest, Claim: claim, Single: true, Batches: 50 * workers})
		require.InEpsilon(t, min(float64(workers)/(proof+rest+claim), 1/claim), single.Rate, 0.01, "%d workers", workers)
	}

	// M/D/1: the mean wait at load ρ is ρ/(2(1-ρ)) of a service (Pollaczek and Khinchine).
	for _, load := range []float64{0.3, 0.6, 0.8} {
		queue := run(FleetConfig{Workers: 1, Proofs: []float64{1}, Every: 1 / load, Batches: 400_000})
		sum := 0.0
		for _, w := range queue.Waits {
			sum += w
		}
		require.InEpsilon(t, load/(2*(1-load)), sum/float64(len(queue.Waits)), 0.05)
		require.InEpsilon(t, load, queue.Rate, 0.02)
		require.InDelta(t, 1-load, queue.Idle, 0.02)
	}

	// Settlement waits for the slowest before it, and for the next round.
	one := run(FleetConfig{Workers: 2, Proofs: []float64{5}, Settle: 12, Batches: 2})
	require.Equal(t, []float64{12, 12}, one.Settled)
}

// TestSimulateProperties holds for any fleet: more workers are never slower, and none
// is faster than its bounds.
func TestSimulateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := FleetConfig{
			Workers: rapid.IntRange(1, 20).Draw(t, "workers"),
			Proofs:  rapid.SliceOfN(rapid.Float64Range(0.1, 30), 1, 8).Draw(t, "proofs"),
			Rest:    rapid.Float64Range(0, 2).Draw(t, "rest"),
			Claim:   rapid.Float64Range(0, 1).Draw(t, "claim"),
			Single:  rapid.Bool().Draw(t, "single"),
			Every:   rapid.Float64Range(0, 5).Draw(t, "every"),
			Settle:  rapid.SampledFrom([]float64{0, 12}).Draw(t, "settle"),
			Batches: rapid.IntRange(1, 300).Draw(t, "batches"),
			Seed:    rapid.Uint64().Draw(t, "seed"),
		}
		out, err := Simulate(c)
		require.NoError(t, err)
		more := c
		more.Workers += rapid.IntRange(1, 20).Draw(t, "more")
		faster, err := Simulate(more)
		require.NoError(t, err)
		const rounding = 1e-6
		require.LessOrEqual(t, faster.Last, out.Last+rounding)
		for i := range out.Waits {
			require.LessOrEqual(t, faster.Waits[i], out.Waits[i]+rounding)
			require.LessOrEqual(t, faster.Settled[i], out.Settled[i]+rounding+c.Settle)
		}
		require.GreaterOrEqual(t, out.Waits[0], c.Claim-rounding)
		require.GreaterOrEqual(t, out.Idle, 0.0)
		require.LessOrEqual(t, out.Idle, 1.0)
	})
}

// TestSimulateRefuses what makes no sense.
func TestSimulateRefuses(t *testing.T) {
	good := FleetConfig{Workers: 1, Proofs: []float64{1}, Batches: 1}
	for _, spoil := range []func(*FleetConfig){
		func(c *FleetConfig) { c.Workers = 0 }, func(c *FleetConfig) { c.Proofs = nil }, func(c *FleetConfig) { c.Batches = 0 },
		func(c *FleetConfig) { c.Proofs = []float64{0} }, func(c *FleetConfig) { c.Claim = -1 },
	} {
		c := good
		spoil(&c)
		_, err := Simulate(c)
		require.ErrorIs(t, err, errFleet)
	}
}
