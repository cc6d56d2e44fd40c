package main

import "testing"

// TestBenchAPI: a load generator in another process submits arrays and single transfers.
func TestBenchAPI(t *testing.T) {
	f := tinyBench(t, "api", "--accounts", "16", "--transfers", "20", "--arrays", "5,0", "--connections", "2")
	for _, array := range []string{"5", "none"} {
		requireValue(t, f, "transfers accepted", "array", array)
		for _, quantile := range []string{"p50", "p90", "p99"} {
			requireValue(t, f, "latency", "array", array, "quantile", quantile)
		}
	}
}
