package main

import "testing"

// TestBenchEndToEnd: transfers go through all roles until they are settled, and cost
// gas and processor time.
func TestBenchEndToEnd(t *testing.T) {
	f := tinyBench(t, "e2e", "--rate", "4", "--duration", "1s", "--seal-age", "100ms")
	for _, name := range []string{"transfers submitted", "gas per transfer", "transfers per batch"} {
		requireValue(t, f, name)
	}
	requireValue(t, f, "submission to settled", "quantile", "p50")
	requireValue(t, f, "processor time per 1,000 transfers", "role", "worker")
	requireValue(t, f, "cost of 1,000 transfers", "part", "both")
}
