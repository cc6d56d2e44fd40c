package main

import "testing"

// TestBenchAPI: a load generator in another process submits arrays and single transfers.
func TestBenchAPI(t *testing.T) {
	f := tinyBench(t, "api", "--accounts", "16", "--transfers", "20", "--arrays", "5,0", "--connections", "2", "--rate", "100")
	for _, load := range [][]string{{"array", "5"}, {"array", "none"}, {"array", "5", "load", "100/s"}} {
		requireValue(t, f, "latency", append(load, "quantile", "p50")...)
	}
	requireValue(t, f, "transfers accepted", "array", "5")
	requireValue(t, f, "transfers accepted", "array", "none")
}
