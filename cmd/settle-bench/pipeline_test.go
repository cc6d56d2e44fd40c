package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/internal/testcmd"
)

// tinyBench runs a benchmark of processes in a tiny form, once, and returns its result.
// No value of it is compared with a bound: the machine is shared.
func tinyBench(t *testing.T, name string, args ...string) *record.File {
	t.Helper()
	out := testcmd.NewDir(t)
	testcmd.Succeed(t, benchEnvironment(t), append([]string{
		name, "--shape", "tiny", "--out", out, "--repeats", "1", "--warmups", "0",
	}, args...)...)
	f, err := record.Read(record.Path(out, name))
	require.NoError(t, err)
	require.False(t, f.Finished.IsZero())
	return f
}

// benchEnvironment has a folder of its own for everything temporary.
func benchEnvironment(t *testing.T) []string {
	t.Helper()
	temporary := testcmd.NewDir(t)
	t.Cleanup(func() {
		left, err := os.ReadDir(temporary)
		require.NoError(t, err)
		require.Empty(t, left, "the benchmark leaves something behind")
	})
	return testcmd.Environment(t, map[string]string{"TMPDIR": temporary})
}

func requireValue(t *testing.T, f *record.File, name string, labels ...string) {
	t.Helper()
	m, ok := f.Find(name, labels...)
	require.True(t, ok, "%s %v is not measured", name, labels)
	require.Positive(t, m.Median, m.Key())
}

// TestBenchPipeline: workers prove what waits in Postgres, and gnark proves the same.
func TestBenchPipeline(t *testing.T) {
	f := tinyBench(t, "pipeline", "--workers", "1,2", "--batches", "1")
	requireValue(t, f, "raw proofs", "workers", "1")
	for _, n := range []string{"1", "2"} {
		for _, name := range []string{"transfers proven", "proofs", "pipeline over raw"} {
			requireValue(t, f, name, "workers", n)
		}
		for _, step := range []string{"claim", "assign", "solve", "prove", "verify", "read input and store"} {
			requireValue(t, f, "job", "workers", n, "step", step, "quantile", "p50")
		}
		full, ok := f.Find("transfers per batch", "workers", n)
		require.True(t, ok)
		require.Equal(t, 2, int(full.Median))
	}
}

// TestBenchPipelineInterrupted: an interrupt ends all processes and removes everything.
func TestBenchPipelineInterrupted(t *testing.T) {
	p := testcmd.Launch(t, benchEnvironment(t), "pipeline", "--shape", "tiny", "--out", testcmd.NewDir(t), "--batches", "100")
	p.Await(`pipeline tiny, workers: 1 .*1 of 5`)
	p.Signal(syscall.SIGINT)
	p.Wait()
	require.Zero(t, p.Cmd.ProcessState.ExitCode(), p.Stderr())
}
