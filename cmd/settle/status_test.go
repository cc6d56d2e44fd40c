package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

// look is settle status, as text and as JSON.
func (r *rig) look(changes ...string) (string, pipeline) {
	r.t.Helper()
	text := string(testcmd.Succeed(r.t, r.env(changes...), "status"))
	var p pipeline
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(changes...), "status", "--json"), &p))
	return text, p
}

// TestStatusOfABlockedBatch: a batch that nobody tries to prove any more stops no
// other proof, and everybody says that settlement waits for it.
func TestStatusOfABlockedBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.role("sequencer")
	r.role("submitter")
	ops := r.serve("api", "--ops-listen", "127.0.0.1:0").Await(`msg="metrics and health are served" url=(http://\S+)/metrics`)[1]
	r.submit(2)
	r.sealedAfter(0)
	require.Nil(t, r.status().SettlementWaits)
	text, look := r.look()
	require.NotContains(t, text, "SETTLEMENT WAITS")
	require.Nil(t, look.SettlementWaits)

	testcmd.Succeed(t, r.env(), "jobs", "discard", "--batch", "1")
	worker := r.role("worker")
	r.submit(2)
	r.await("the next batch is proven", func() bool { return r.proven(2) })
	waits := r.status().SettlementWaits
	require.NotNil(t, waits)
	require.Equal(t, settle.BatchNumber(1), waits.Batch)
	require.EqualValues(t, 1, waits.ProvenBehind)
	text, look = r.look()
	require.Contains(t, text, "SETTLEMENT WAITS FOR BATCH 1: its proof job is a dead letter; 1 proven batches wait behind it")
	require.Contains(t, text, "DEAD LETTER: job 1, batch 1")
	require.Equal(t, settle.BatchNumber(1), look.SettlementWaits.Batch)
	require.EqualValues(t, 1, look.SettlementWaits.Job)
	worker.Await(`level=ERROR msg="settlement waits for a batch whose proof job is a dead letter".*batch=1`)
	require.Contains(t, r.scrape(ops), "\nsettle_blocked_batch 1\n")

	require.Zero(t, r.status().Settled.Batch)
	testcmd.Succeed(t, r.env(), "jobs", "retry", "--batch", "1")
	r.awaitSettled()
	require.Nil(t, r.status().SettlementWaits)
	require.Contains(t, r.scrape(ops), "\nsettle_blocked_batch 0\n")
}

// TestStatusWithoutL1: what the contract has settled is not known, and that is said.
func TestStatusWithoutL1(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	text, look := r.look()
	require.Contains(t, text, "settled on L1 batch 0")
	require.Equal(t, node.VerdictEqual, look.L1.Verdict)

	text, look = r.look(node.EnvL1, "")
	require.Contains(t, text, "settled on L1 not asked: set "+node.EnvL1)
	require.Nil(t, look.L1)

	text, look = r.look(node.EnvL1, "http://"+unreachable+"/hush-hush")
	require.Contains(t, text, "settled on L1 UNKNOWN: ")
	require.Contains(t, text, "connection refused")
	require.NotContains(t, text, "hush-hush")
	require.Empty(t, look.L1.Verdict)
	require.NotEmpty(t, look.L1.Error)

	other, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	text, _ = r.look(node.EnvL1, other.URL())
	require.Contains(t, text, "settled on L1 UNKNOWN: ", "a chain without the contract")
}

// TestStatusAfterAReorg: L1 has lost a settlement. The submitter settles it again.
func TestStatusAfterAReorg(t *testing.T) {
	t.Parallel()
	r, chain := manualRig(t)
	submitter := r.role("submitter")
	r.role("sequencer")
	r.role("worker")
	r.serve("api")
	r.submit(2)
	client := r.dial()
	pool, err := ethclient.DialContext(t.Context(), r.nodeURL)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	settled := func() bool {
		// A block for each transaction, not for each look: 32 would make the batch final.
		waiting, err := pool.PendingTransactionCount(t.Context())
		require.NoError(t, err)
		if waiting > 0 {
			chain.Commit()
		}
		return r.status().Settled.Batch == 1
	}
	r.await("the batch is settled", settled)
	r.stopped(submitter, nil)
	head, err := client.BlockNumber(t.Context())
	require.NoError(t, err)
	mined := one[int64](r, "select block_number from settlements where status = 'mined'")
	require.NoError(t, chain.Reorg(head-uint64(mined)+1))
	text, look := r.look()
	require.Contains(t, text, "(BEHIND the database: a reorg, which the submitter mends, or a chain that lost blocks)")
	require.Equal(t, node.VerdictBehind, look.L1.Verdict)

	r.role("submitter").Await(`msg=reorg`)
	r.await("the batch is settled again", settled)
	_, look = r.look()
	require.Equal(t, node.VerdictEqual, look.L1.Verdict)
}

// manualRig is a rollup on a chain that makes blocks when the test does; changes are of
// its deployment's environment.
func manualRig(t *testing.T, changes ...string) (*rig, *devchain.Chain) {
	t.Helper()
	node, err := devchain.Start(t.Context(), devchain.Config{Mining: devchain.Manual})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	r := rigOn(t, testdb.Empty(t).URL, node.URL())
	deploying := testcmd.Launch(t, r.env(changes...), "deploy", "--genesis", r.genesisFile())
	testcmd.Await(t, "the rollup is deployed", func() bool {
		node.Commit()
		return !deploying.Running()
	})
	deploying.Wait()
	require.Zero(t, deploying.Cmd.ProcessState.ExitCode(), deploying.Stderr())
	require.NoError(t, json.Unmarshal(deploying.Stdout.Bytes(), &r.deployment))
	node.Finalize() // the next 31 blocks leave it at that
	return r, node
}

// TestStatusWatch looks again and again, also past an outage of Postgres.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Config{NoFsync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	node, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	r := rigOn(t, server.URL(), node.URL())
	r.deploy()

	exe, err := os.Executable()
	require.NoError(t, err)
	watch := exec.CommandContext(t.Context(), exe, "status", "--watch", "--json", "--interval", "20ms")
	watch.Env = r.env()
	out, err := watch.StdoutPipe()
	require.NoError(t, err)
	said, err := watch.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, watch.Start())
	views, complaints := bufio.NewReader(out), bufio.NewReader(said)
	view := func() (p pipeline) {
		line, err := views.ReadBytes('\n')
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(line, &p))
		return p
	}
	first := view()
	require.Equal(t, r.deployment.Rollup, first.Rollup)
	require.Greater(t, view().At, first.At)
	require.NoError(t, server.Kill())
	line, err := complaints.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "the database does not answer; looking again")
	away := time.Now()
	require.NoError(t, server.Resume(t.Context()))
	go func() { _, _ = complaints.WriteTo(new(strings.Builder)) }()
	for view().At.Before(away) { // what was printed before
	}
	require.NoError(t, watch.Process.Signal(syscall.SIGTERM))
	require.NoError(t, watch.Wait())
}

// copies makes copies of databases of one server, as a backup does.
type copies struct {
	t      *testing.T
	server *postgres.Server
}

func (c copies) url(name string) string {
	c.t.Helper()
	u, err := url.Parse(c.server.URL())
	require.NoError(c.t, err)
	u.Path = "/" + name
	return u.String()
}

// make copies a database that nobody is connected to.
func (c copies) make(to, from string) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.url("template1"))
	require.NoError(c.t, err)
	_, err = conn.Exec(c.t.Context(), "create database "+to+" template "+from)
	require.NoError(c.t, err)
	require.NoError(c.t, conn.Close(context.WithoutCancel(c.t.Context())))
}

// use has the rig's processes work on a database.
func (r *rig) use(databaseURL string) {
	r.t.Helper()
	r.pool.Close()
	r.settings[node.EnvDatabase] = databaseURL
	var err error
	r.pool, err = pgxpool.New(r.t.Context(), databaseURL)
	require.NoError(r.t, err)
	r.t.Cleanup(r.pool.Close)
	r.store = store.New(r.pool)
}

// TestBackup rehearses "Back up and restore" of the runbook: the newest copy goes on;
// an older one is told apart and refused.
func TestBackup(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Config{NoFsync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	db := copies{t, server}
	chain, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, chain.Close()) })
	r := rigOn(t, db.url("postgres"), chain.URL())
	r.deploy()
	settleTwo := func() {
		up := r.serve("up")
		r.submit(2)
		r.awaitSettled()
		r.release(up)
		up.Stop()
		r.pool.Reset() // nobody is connected
	}
	settleTwo()
	db.make("old", "postgres")
	ids, nonces := r.ids, r.nonces
	settleTwo()
	db.make("newest", "postgres")

	text, look := r.look(node.EnvDatabase, db.url("old"))
	require.Contains(t, text, "settled here  batch 1 ")
	require.Contains(t, text, "settled on L1 batch 2 ")
	require.Contains(t, text, "(NOT IN THE DATABASE, which is an old copy: stop all roles and restore a newer one)")
	require.Equal(t, node.VerdictOldCopy, look.L1.Verdict)
	for _, role := range []string{"up", "submitter"} {
		said := testcmd.Refuse(t, r.env(node.EnvDatabase, db.url("old")), role)
		require.Contains(t, said, "this database is an old copy: L1 has settled batch 2, which is not in it")
	}

	// A sequencer alone does not ask L1, and builds another batch 2.
	newest := r.ids
	r.use(db.url("old"))
	r.ids, r.nonces = ids, nonces
	sequencer, api := r.role("sequencer"), r.serve("api")
	r.submit(1)
	r.sealedAfter(1)
	text, look = r.look()
	require.Contains(t, text, "(ANOTHER ROOT: stop all roles and find out which database is the rollup's)")
	require.Equal(t, node.VerdictDiverged, look.L1.Verdict)
	require.Contains(t, testcmd.Refuse(t, r.env(), "submitter"), "this database and L1 have gone apart: after batch 2")
	for _, p := range []*testcmd.Process{sequencer, api} {
		r.release(p)
		p.Stop()
	}

	r.use(db.url("newest"))
	r.ids, r.nonces = newest, nonces
	r.nonces[2]++ // the two that were settled after the old copy
	r.nonces[3]++
	settleTwo()

	// A copy from before L1's last settlement which has the batch: the submitter records it.
	roles := []*testcmd.Process{r.role("sequencer"), r.role("worker"), r.serve("api")}
	r.submit(2)
	r.await("the batch is proven", func() bool { return r.proven(4) })
	for _, p := range roles {
		r.release(p)
		p.Stop()
	}
	r.pool.Reset()
	db.make("proven", "newest")
	r.serve("api")
	submitter := r.role("submitter")
	r.awaitSettled()
	r.release(submitter)
	submitter.Stop()
	r.use(db.url("proven"))
	text, look = r.look()
	require.Contains(t, text, "(ahead of the database, which has the batch: the submitter will record it)")
	require.Equal(t, node.VerdictRecording, look.L1.Verdict)
	r.serve("api")
	r.role("submitter")
	r.awaitSettled()
	_, look = r.look()
	require.Equal(t, node.VerdictEqual, look.L1.Verdict)
}
