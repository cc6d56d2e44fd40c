// Package bench measures Settle: its circuits, its prover, its pipeline, its API and
// what it costs on L1, beside baselines that run on the same machine in the same run.
// A benchmark is a list of tasks for package record; each says what it measured,
// counted, simulated or projected.
package bench
