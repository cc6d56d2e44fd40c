package bench

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
)

// results writes a result of a benchmark that measured these values.
func results(t *testing.T, common Common, benchmark string, values ...record.Value) {
	t.Helper()
	_, err := common.run(benchmark, nil, []record.Task{{
		Name: benchmark, Repeats: 1,
		Run: func(_ context.Context, s *record.Sample) error {
			for _, v := range values {
				v.Source = record.Measured
				s.Add(v)
			}
			return nil
		},
	}}).Do(t.Context())
	require.NoError(t, err)
}

func TestGrowth(t *testing.T) {
	common := testCommon(t)
	common.Machine.Cores = 2
	cfg := GrowthConfig{Workers: []int{1, 10}, Rates: []float64{1000}, Load: 0.8, Settle: 12 * time.Second, Seed: 1}
	_, err := Growth(t.Context(), common, cfg)
	require.ErrorIs(t, err, errGrowthInput)
	require.ErrorContains(t, err, "settle-bench prove")

	seconds := func(name string, v float64, labels ...string) record.Value {
		return record.Value{Name: name, Labels: labelled(labels), Unit: "seconds", Value: v}
	}
	of := []string{"shape", "demo", "parallel", "1"}
	results(t, common, "prove",
		seconds("prove", 1.8, of...), seconds("assign", 0.1, of...), seconds("verify", 0.02, of...),
		record.Value{Name: "peak memory", Labels: labelled(of), Unit: "bytes", Value: 1 << 30})
	_, err = Growth(t.Context(), common, cfg)
	require.ErrorContains(t, err, "settle-bench pipeline")
	step := func(name string, v float64) record.Value {
		return seconds("job", v, "workers", "1", "step", name, "quantile", "p50")
	}
	results(t, common, "pipeline", step("claim", 0.02), step("talk to the proving process", 0.01), step("read input and store", 0.05))
	_, err = Growth(t.Context(), common, cfg)
	require.ErrorContains(t, err, "settle-bench gas")
	results(t, common, "gas", record.Value{
		Name: "gas per transfer", Unit: "gas", Value: 16_000,
		Labels: map[string]string{"shape": "demo", "route": routeDirect, "load": string(loadTransfers), "batches": "1"},
	})

	f, err := Growth(t.Context(), common, cfg)
	require.NoError(t, err)
	get := func(name string, labels ...string) record.Measurement {
		m, ok := f.Find(name, append([]string{"shape", "demo"}, labels...)...)
		require.True(t, ok, "%s %v", name, labels)
		return m
	}
	const job = 1.8 + 0.1 + 0.02 + 0.01 + 0.05 + 0.02
	for workers, n := range map[string]float64{"1": 1, "10": 10} {
		m := get(ThroughputName, "workers", workers, "claims", "side by side")
		require.Equal(t, record.Simulated, m.Source)
		require.InEpsilon(t, n*21/job, m.Median, 1e-6)
	}
	require.Less(t, get(WaitName, "workers", "10", "quantile", "p99").Median, get(WaitName, "workers", "1", "quantile", "p99").Median)
	workers := get("workers", "rate", "1000")
	require.Equal(t, record.Projected, workers.Source)
	require.InDelta(t, 120, workers.Median, 0) // 1000/21 batches of 2 s at 0.8: 119.05
	require.InDelta(t, 240, get("cores of workers", "rate", "1000").Median, 0)
	require.InDelta(t, 120<<30, get("memory of workers", "rate", "1000").Median, 0)
	require.InEpsilon(t, 3.2, get("share of L1's gas", "rate", "1000", "route", routeDirect, "batches", "1").Median, 1e-9)
	require.Greater(t, get("row writes per second", "rate", "1000").Median, 9000.0)

	cfg.Shapes = []string{"small"}
	_, err = Growth(t.Context(), common, cfg)
	require.ErrorIs(t, err, errGrowthInput)
	cfg.Load = 1
	_, err = Growth(t.Context(), common, cfg)
	require.ErrorContains(t, err, "load between 0 and 1")
}
