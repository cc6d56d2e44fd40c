package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/store"
)

// stopBound is far more than a role needs to stop beyond its grace for a proof, and
// less than the limits by which it would be forced to.
const stopBound = 12 * time.Second

// stopped asks the process to stop, whatever it is at, and returns when that was. It
// ends soon, without an error and with all that it started.
func (r *rig) stopped(p *testcmd.Process, meanwhile func()) time.Time {
	r.t.Helper()
	r.release(p)
	asked := time.Now()
	p.Signal(syscall.SIGTERM)
	p.Await("asked to stop")
	if meanwhile != nil {
		meanwhile()
	}
	p.Wait()
	require.Zero(r.t, p.Cmd.ProcessState.ExitCode(), "settle %s: %s", p.Name, p.Stderr())
	require.Less(r.t, time.Since(asked), stopBound)
	r.t.Logf("settle %s stopped in %s", p.Name, time.Since(asked).Round(time.Millisecond))
	return asked
}

// workerReady is the worker's own word that its proving process has answered and that
// it takes jobs. "keys are loaded" is that of the proving process, which may be stopped
// before its answer has gone out; then the worker waits for it for ever.
const workerReady = `msg="the worker takes jobs"`

// freeze stops the proving process of a worker that is idle and has its keys, so that
// its next proof takes as long as the test likes.
func (r *rig) freeze(worker int) (prover int) {
	r.t.Helper()
	r.await("the worker has a proving process", func() bool { return len(childrenOf(r.t, worker)) == 1 })
	prover = childrenOf(r.t, worker)[0]
	require.NoError(r.t, syscall.Kill(prover, syscall.SIGSTOP))
	return prover
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	require.ErrorIs(t, err, os.ErrNotExist, "process %d", pid)
}

// TestWorkerStops in the middle of a proof. It finishes the proof within its grace, or
// hands the job back, and then another worker has it at once, without a reaper. A
// second signal waits for neither.
func TestWorkerStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.roles()
	begin := func(changes ...string) (worker *testcmd.Process, prover int) {
		worker = testcmd.Launch(t, r.env(changes...), "worker")
		r.alive = append(r.alive, worker)
		worker.Await(workerReady)
		return worker, r.freeze(worker.Cmd.Process.Pid)
	}
	const job = "select status || ' ' || attempt from proof_jobs where batch = $1"

	first, prover := begin()
	r.submit(2)
	first.Await(`msg="proof begun".*batch=1.*job=1`)
	r.stopped(first, func() {
		require.True(t, first.Running())
		require.NoError(t, syscall.Kill(prover, syscall.SIGCONT))
	})
	require.Equal(t, first.Holder(t), one[string](r, "select worker from proofs where batch = 1"))
	require.Equal(t, "completed 1", one[string](r, job, 1))
	requireGone(t, prover)

	second, prover := begin("SETTLE_STOP_GRACE", "300ms")
	r.submit(2)
	second.Await(`msg="proof begun".*batch=2`)
	third := r.role("worker")
	third.Await(workerReady)
	asked := r.stopped(second, nil)
	second.Await(`msg="job handed back: the worker stops".*batch=2.*job=2.*attempt=1`)
	requireGone(t, prover)
	r.await("the other worker proves it", func() bool { return r.proven(2) })
	require.Equal(t, third.Holder(t), one[string](r, "select worker from proofs where batch = 2"))
	require.Less(t, one[time.Time](r, "select begun_at from proof_jobs where batch = 2").Sub(asked), 7*time.Second, "a lease lives for 10 s")
	require.NotContains(t, third.Stderr(), "silent worker")
	require.NotContains(t, third.Stderr(), "without a worker")
	require.Zero(t, one[int](r, "select count(*) from proof_failures"), "stopping is no failure")
	r.await("the job is completed", func() bool { return one[string](r, job, 2) == "completed 1" }) // to stop costs no attempt
	r.stopped(third, nil)

	// Nobody else is there: the rows say that the job is free.
	fourth, _ := begin("SETTLE_STOP_GRACE", "0s")
	r.submit(2)
	fourth.Await(`msg="proof begun".*batch=3`)
	r.stopped(fourth, nil)
	require.Equal(t, "available 0", one[string](r, job, 3))
	require.True(t, one[bool](r, "select due_at <= now() from proof_jobs where batch = 3"))

	fifth, prover := begin()
	fifth.Await(`msg="proof begun".*batch=3`)
	r.release(fifth)
	fifth.Signal(syscall.SIGINT)
	fifth.Await("asked to stop")
	forced := time.Now()
	fifth.Signal(syscall.SIGINT)
	<-fifth.Ended
	require.False(t, fifth.Cmd.ProcessState.Exited(), "ended by the signal")
	require.Less(t, time.Since(forced), 5*time.Second)
	require.NoError(t, syscall.Kill(prover, syscall.SIGCONT)) // what is stopped cannot end by itself
	fifth.Wait()
	require.Equal(t, "running 1", one[string](r, job, 3))
	r.role("worker") // its reaper takes the job
	r.awaitSettled()
}

// TestAPIStops in the middle of a request: it is answered, and no new one is taken.
func TestAPIStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.serve("api")
	address := strings.TrimPrefix(r.url, "http://")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	body, err := json.Marshal(r.sign(1)[0])
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "POST /v1/transactions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", address, len(body))
	require.NoError(t, err)
	answer := bufio.NewReader(conn)
	line, err := answer.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "the handler waits for the body")
	_, err = answer.ReadString('\n')
	require.NoError(t, err)
	_, err = conn.Write(body[:len(body)/2])
	require.NoError(t, err)

	r.stopped(api, func() {
		testcmd.Await(t, "new connections are refused", func() bool {
			another, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
				return true
			}
			return another.Close() != nil
		})
		require.True(t, api.Running())
		_, err := conn.Write(body[len(body)/2:])
		require.NoError(t, err)
		reply, err := http.ReadResponse(answer, nil)
		require.NoError(t, err)
		defer reply.Body.Close()
		text, err := io.ReadAll(reply.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, reply.StatusCode, "%s", text)
		var result wire.Result
		require.NoError(t, json.Unmarshal(text, &result))
		require.Equal(t, r.ids[0], *result.ID)
	})
	require.Equal(t, "accepted", one[string](r, "select status from transactions"))
}

// TestSequencerStops in the middle of a pass, in which the database keeps it waiting:
// nothing of the batch is written, and the next one executes the transactions.
func TestSequencerStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sequencer := r.role("sequencer")
	r.role("submitter")
	r.role("worker")
	r.serve("api")
	lock, err := r.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "lock table batches in share row exclusive mode")
	require.NoError(t, err)
	r.submit(2)
	r.await("the sequencer writes a batch", func() bool {
		return one[bool](r, "select exists (select from pg_locks where relation = 'batches'::regclass and not granted)")
	})
	r.stopped(sequencer, nil)
	require.NoError(t, lock.Rollback(t.Context()))
	require.Zero(t, one[int](r, "select count(*) from batches"))
	require.Equal(t, 2, one[int](r, "select count(*) from transactions where status = 'accepted'"))
	r.role("sequencer")
	r.awaitSettled()
}

// TestSubmitterStops with a transaction in flight: the next one records it and sends
// no other.
func TestSubmitterStops(t *testing.T) {
	t.Parallel()
	r, node := manualRig(t)
	submitter := r.role("submitter")
	r.role("sequencer")
	r.role("worker")
	r.serve("api")
	r.submit(2)
	inFlight := func() bool {
		_, found := maybe[int64](r, "select id from settlements where status = 'sent'")
		return found
	}
	r.await("a settlement is in flight", inFlight)
	r.stopped(submitter, nil)
	require.True(t, inFlight())
	node.Commit()
	require.Equal(t, settle.BatchNumber(0), r.status().Settled.Batch, "nobody looks")
	r.role("submitter")
	r.awaitSettled()
	require.Equal(t, 1, one[int](r, "select count(*) from settlements"))
}

// TestUpStops under load, by an interrupt that reaches all processes as from a
// terminal, with both workers in the middle of proofs that will not end.
func TestUpStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	up := r.serve("up", "--workers", "2", "--stop-grace", "300ms", "--memory", "1GiB", "--prove-timeout", "20m")
	var provers []int
	r.await("both workers prove nothing yet", func() bool {
		return strings.Count(up.Stderr(), workerReady) == 2 && len(childrenOf(t, up.Cmd.Process.Pid)) == 2
	})
	for _, worker := range childrenOf(t, up.Cmd.Process.Pid) {
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", worker))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(arguments), "\x00", " ")
		for _, passed := range []string{"--stop-grace 300ms", "--memory 1073741824", "--prove-timeout 20m0s"} {
			require.Contains(t, text, passed)
		}
		provers = append(provers, r.freeze(worker))
	}
	r.submit(6)
	r.await("both workers prove", func() bool { return one[int](r, "select count(*) from proof_jobs where status = 'running'") == 2 })
	r.submit(4) // for the sequencer
	r.release(up)
	asked := time.Now()
	require.NoError(t, syscall.Kill(-up.Cmd.Process.Pid, syscall.SIGINT))
	up.Wait()
	require.Zero(t, up.Cmd.ProcessState.ExitCode(), up.Stderr())
	require.Less(t, time.Since(asked), stopBound)
	t.Logf("settle up stopped in %s", time.Since(asked).Round(time.Millisecond))
	for _, prover := range provers {
		requireGone(t, prover)
	}
	require.Zero(t, one[int](r, "select count(*) from proof_jobs where status = 'running'"))
	require.Zero(t, one[int](r, "select count(*) from proof_jobs where status not in ('available', 'completed')"))
	require.Zero(t, one[int](r, "select count(*) from proof_failures"))
	role, err := r.store.AcquireWriter(t.Context(), store.RoleSequencer, "the test")
	require.NoError(t, err, "the roles are free")
	require.NoError(t, errors.Join(role.Release(t.Context())))

	r.serve("up", "--workers", "2")
	r.awaitSettled()
}
