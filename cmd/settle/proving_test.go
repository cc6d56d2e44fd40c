package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// poisoned gives replays another witness input than the stored one.
type poisoned struct {
	*store.Store
	change func(*state.Trace)
}

func (p poisoned) WitnessInput(ctx context.Context, n settle.BatchNumber) (store.WitnessInput, error) {
	w, err := p.Store.WitnessInput(ctx, n)
	if err != nil {
		return w, err
	}
	trace, err := state.DecodeTrace(w.Data)
	if err != nil {
		return w, err
	}
	p.change(trace)
	w.Data, err = state.EncodeTrace(trace)
	w.Hash = sha256.Sum256(w.Data)
	return w, err
}

// TestReplayNamesWhatFails replays a sealed batch as it is and with poisoned inputs.
func TestReplayNamesWhatFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	r.submit(2)
	r.sealedAfter(0)
	env := testcmd.Environment(t, r.settings)
	require.Contains(t, string(testcmd.Succeed(t, env, "replay", "1")), "OK: batch 1")
	require.Contains(t, testcmd.Refuse(t, env, "replay", "77"), "there is no batch 77")

	circuits.RegisterHints() // as main does
	for name, c := range map[string]struct {
		change func(*state.Trace)
		steps  string   // before those of rules
		rules  []string // that it names, among others
	}{
		"an overdraft that the balances hide": {func(tr *state.Trace) {
			tr.Transactions[0].Sender.Before.Balance = settle.NewAmount(0)
		}, "solve", []string{"transfer: sender balance has 128 bits", "bus: memory"}},
		"a balance out of nothing": {func(tr *state.Trace) {
			tr.Accounts[0].New.Balance = settle.NewAmount(5)
		}, "solve", []string{"bus: memory", "bus: tree"}},
		"a signature":        {func(tr *state.Trace) { tr.Transactions[0].Transaction.Signature.S[31] ^= 1 }, "signature assign", nil},
		"a node of the tree": {func(tr *state.Trace) { tr.Nodes[0].Level = 2 }, "solve", []string{"bus: tree"}},
		"a root":             {func(tr *state.Trace) { tr.Header.NewRoot.SetOne() }, "batch batch solve", []string{"bus: tree"}},
		"another's nonce":    {func(tr *state.Trace) { tr.Transactions[0].Receiver.Before.Nonce++ }, "solve", []string{"bus: memory"}},
		"a fee account of nobody": {func(tr *state.Trace) {
			tr.Transactions[0].Fee.Before.Owner.SetZero()
		}, "solve", []string{"transfer: fee account exists", "bus: memory"}},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := replay(t.Context(), poisoned{r.store, c.change}, 1)
			require.NoError(t, err)
			require.False(t, report.OK)
			var steps, rules []string
			for _, f := range report.Findings {
				if f.Step == "rule" {
					require.NotNil(t, f.Place)
					rules = append(rules, f.Rule)
					continue
				}
				steps = append(steps, f.Step)
				require.Equal(t, f.Step == "solve", f.Constraint != nil)
			}
			require.Equal(t, c.steps, strings.Join(steps, " "))
			require.Subset(t, rules, c.rules)
			var text strings.Builder
			require.NoError(t, report.write(&text))
			t.Log(text.String())
			for _, rule := range c.rules {
				require.Contains(t, text.String(), fmt.Sprintf("rule %q, place 0: ", rule))
			}
		})
	}
}

func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	require.NoError(t, err)
	var pids []int
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(data)) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestKilledProvingProcess: the process in which a worker proves is killed while it
// is at a batch. The worker lives, the failure is one of resources, the batch is
// proven, and no process and no zombie stays.
func TestKilledProvingProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	worker := r.role("worker")
	var killed settle.BatchNumber
	for last := settle.BatchNumber(0); killed == 0; {
		r.submit(2)
		last = r.sealedAfter(last)
		r.await("the worker is at the batch", func() bool {
			held, _ := maybe[bool](r, "select status = 'running' from proof_jobs where batch = $1", last)
			return held || r.proven(last)
		})
		for _, pid := range childrenOf(t, worker.Cmd.Process.Pid) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		r.await("it is proven", func() bool { return r.proven(last) })
		failures, err := r.store.ProofFailures(t.Context(), last)
		require.NoError(t, err)
		if len(failures) > 0 {
			require.Equal(t, store.FailResource, failures[0].Class)
			require.Contains(t, failures[0].Detail, "SIGKILL")
			killed = last
		}
	}
	require.Len(t, childrenOf(t, worker.Cmd.Process.Pid), 1)
	r.awaitSettled()
	require.Equal(t, worker.Holder(t), r.worker(killed))

	var shown []jobView
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, testcmd.Environment(t, r.settings), "jobs", "show", "--batch", fmt.Sprint(killed), "--json"), &shown))
	require.Len(t, shown, 1)
	require.True(t, shown[0].Proven)
	require.Equal(t, store.FailResource, shown[0].History[0].Class)
	require.Contains(t, string(testcmd.Succeed(t, testcmd.Environment(t, r.settings), "jobs", "list")), "completed")

	child := childrenOf(t, worker.Cmd.Process.Pid)[0]
	r.release(worker)
	worker.Kill() // waits for all that hold its standard error
	testcmd.Await(t, "the proving process is gone", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d", child))
		return os.IsNotExist(err)
	})
}

// TestWorkerTooSmall: a worker that could prove nothing says so at its start.
func TestWorkerTooSmall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	env := testcmd.Environment(t, r.settings)
	require.Contains(t, testcmd.Refuse(t, append(env, "SETTLE_WORKER_MEMORY=1MiB"), "worker"), "raise --memory")
}

// limitMemory keeps a running process from taking more memory than it has, as a
// control group or the machine would.
func limitMemory(t *testing.T, pid int) {
	t.Helper()
	for _, resource := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		require.Zero(t, failed, "%v", failed)
	}
}

// TestMemoryDeathGoesToALargerWorker: the proving process of a small worker runs out
// of memory for real. That is a failure of resources, and a larger worker goes next.
func TestMemoryDeathGoesToALargerWorker(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	small := r.role("worker", "--memory", "1GiB")
	small.Await(workerReady)
	r.await("its child is there", func() bool { return len(childrenOf(t, small.Cmd.Process.Pid)) == 1 })
	limitMemory(t, childrenOf(t, small.Cmd.Process.Pid)[0])
	r.submit(2)
	small.Await(`msg="proof not made".*batch=1.*job=1.*class=resource`)
	var failures []store.ProofFailure
	r.await("the failure is stored", func() bool { // after it was said
		var err error
		failures, err = r.store.ProofFailures(t.Context(), 1)
		require.NoError(t, err)
		return len(failures) > 0
	})
	require.Equal(t, store.FailResource, failures[0].Class)
	require.Contains(t, failures[0].Detail, "memory ran out in the proving process")
	r.await("the job is kept for more memory", func() bool {
		above, found := maybe[int64](r, "select memory_above from proof_jobs where memory_above is not null")
		return found && above == 1<<30
	})

	large := r.role("worker", "--memory", "2GiB")
	r.awaitSettled()
	require.Equal(t, large.Holder(t), r.worker(1))
	require.Equal(t, 1, r.batch(1).FailedAttempts)
	require.True(t, small.Running(), "the worker has outlived its child")
}
