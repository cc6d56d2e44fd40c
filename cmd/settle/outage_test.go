package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
)

// TestPostgresRestarts: in the middle of a run of ten batches Postgres restarts, and
// later crashes and stays away for a while. All roles go on by themselves.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	node, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	r := rigOn(t, server.URL(), node.URL())
	r.deploy()
	up := r.serve("up", "--workers", "2")

	const batches = 10
	submitted := make(chan error, 1)
	txs := r.sign(2 * batches)
	go func() {
		for i := range txs { // one by one, straight through the outages
			if _, err := r.client.Submit(t.Context(), txs[i]); err != nil {
				submitted <- err
				return
			}
		}
		submitted <- nil
	}()
	r.await("some batches are settled", func() bool { return r.status().Settled.Batch >= 2 })
	require.NoError(t, server.Restart(t.Context()))
	r.await("more batches are settled", func() bool { return r.status().Settled.Batch >= 5 })
	require.NoError(t, server.Kill())
	impatient, err := client.New(r.url)
	require.NoError(t, err)
	_, err = impatient.Status(t.Context())
	var problem *client.Error
	require.ErrorAs(t, err, &problem)
	require.Equal(t, http.StatusServiceUnavailable, problem.Status)
	require.NotZero(t, problem.RetryAfter)
	require.NoError(t, server.Resume(t.Context()))
	require.NoError(t, <-submitted)
	r.awaitSettled()
	require.GreaterOrEqual(t, r.status().Settled.Batch, settle.BatchNumber(batches))
	r.release(up)
	up.Stop()
}

// TestRestartFromPostgres stops everything, once asked to and once by force, and
// goes on from the database.
func TestRestartFromPostgres(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	up := r.serve("up")
	r.submit(4)
	r.awaitSettled()
	r.submit(3) // in flight, wherever they are
	r.release(up)
	up.Stop()

	up = r.serve("up")
	r.submit(2)
	r.awaitSettled()
	r.submit(3)
	r.release(up)
	up.Kill() // its worker ends by itself

	up = r.serve("up")
	r.submit(2)
	r.awaitSettled()
	before := r.status().Settled
	r.release(up)
	up.Stop()
	up = r.serve("up")
	require.Equal(t, before, r.status().Executed)
	r.release(up)
	up.Stop()
}

// TestWorkerOfUp: a worker process that dies is started again; one that hangs does
// not keep a second signal from ending everything at once.
func TestWorkerOfUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	up := r.serve("up")
	r.submit(2)
	r.awaitSettled()
	worker := r.prover(1)
	require.NotEqual(t, up.Cmd.Process.Pid, worker, "workers are processes of their own")
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", worker))
	require.NoError(t, err)
	require.Contains(t, string(environment), node.EnvDatabase)
	require.NotContains(t, string(environment), node.EnvL1Key, "the operator's key is no worker's business")
	require.NoError(t, syscall.Kill(worker, syscall.SIGKILL))
	up.Await("a worker process ended and is started again")
	r.submit(2)
	r.awaitSettled()
	next := r.prover(2)
	require.NotEqual(t, worker, next)

	require.NoError(t, syscall.Kill(next, syscall.SIGSTOP))
	r.release(up)
	up.Signal(syscall.SIGTERM)
	up.Await("asked to stop")
	up.Signal(syscall.SIGTERM)
	<-up.Ended
	require.False(t, up.Cmd.ProcessState.Exited(), "ended by the signal")
	up.Wait() // the kernel ends it with its parent, stopped or not
}

// prover is the id of the process that proved a batch.
func (r *rig) prover(n settle.BatchNumber) int {
	r.t.Helper()
	worker := r.worker(n)
	pid, err := strconv.Atoi(worker[strings.LastIndexByte(worker, ' ')+1:])
	require.NoError(r.t, err)
	return pid
}

// TestChainAway: while the node is down transactions are taken and batches proven;
// when it is back on its data, settling goes on.
func TestChainAway(t *testing.T) {
	t.Parallel()
	config := devchain.Config{DataDir: testcmd.NewDir(t)}
	node, err := devchain.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	config.Port = portOf(t, node.URL())
	r := rigOn(t, testdb.Empty(t).URL, node.URL())
	r.deploy()
	up := r.serve("up")
	r.submit(2)
	r.awaitSettled()

	require.NoError(t, node.Close())
	r.submit(4)
	r.await("all batches are proven", func() bool { return r.status().Transactions.Proven == 4 })
	require.Equal(t, settle.BatchNumber(1), r.status().Settled.Batch)
	up.Await("settling.*unavailable=true")
	node, err = devchain.Start(context.WithoutCancel(t.Context()), config)
	require.NoError(t, err)
	r.awaitSettled()
	r.release(up)
	up.Stop()
}

func portOf(t *testing.T, url string) int {
	t.Helper()
	port, err := strconv.Atoi(url[strings.LastIndexByte(url, ':')+1:])
	require.NoError(t, err)
	return port
}
