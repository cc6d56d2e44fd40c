package main

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
)

// narrowNode is a node before another one that allows searches of the log over so many
// blocks; refused counts those over more.
func narrowNode(t *testing.T, upstream string, allowed uint64) (url string, refused *atomic.Int64) {
	t.Helper()
	node, err := faultnode.New(upstream)
	require.NoError(t, err)
	t.Cleanup(node.Close)
	refused = new(atomic.Int64)
	node.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method != "eth_getLogs" {
			return none
		}
		var search []struct{ FromBlock, ToBlock string }
		if json.Unmarshal(c.Params, &search) != nil || len(search) != 1 {
			return faultnode.Error(-32602, "unreadable")
		}
		first, err1 := strconv.ParseUint(search[0].FromBlock, 0, 64)
		last, err2 := strconv.ParseUint(search[0].ToBlock, 0, 64)
		if err1 != nil || err2 != nil || last-first >= allowed {
			refused.Add(1)
			return faultnode.Error(-32602, "up to a "+strconv.FormatUint(allowed, 10)+" block range")
		}
		return none
	})
	return node.URL(), refused
}

// TestAdoptAndRebuildOnANarrowNode: the record of a deployment is lost with its database.
// Another database adopts the rollup and works on, and its state is rebuilt from L1, all on
// a node that allows ten blocks for a search of the log.
func TestAdoptAndRebuildOnANarrowNode(t *testing.T) {
	t.Parallel()
	chain, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, chain.Close()) })
	url, refused := narrowNode(t, chain.URL(), 10)
	r := rigOn(t, testdb.Empty(t).URL, url)
	r.deploy()
	lost := r.deployment
	for range 50 {
		chain.Commit()
	}

	r = r.elsewhere(testdb.Empty(t).URL)
	adopt := func(more ...string) []string {
		return append([]string{"deploy", "--genesis", r.genesisFile(), "--adopt", lost.Rollup.String()}, more...)
	}
	require.Contains(t, testcmd.Refuse(t, r.env(), adopt("--adopt-from", strconv.FormatUint(lost.Block+1, 10))...), "begin at or before its block")
	require.Contains(t, testcmd.Refuse(t, r.env(), "deploy", "--genesis", r.genesisFile(), "--adopt", settle.Address{1}.String()), "no rollup contract")
	other := filepath.Join(testcmd.NewDir(t), "dev")
	testcmd.Succeed(t, r.env(), "wallet", "genesis", "--out", other, "--accounts", "1")
	require.Contains(t, testcmd.Refuse(t, r.env(), "deploy", "--genesis", filepath.Join(other, "genesis.json"), "--adopt", lost.Rollup.String()), "use the genesis file of the deployment")
	require.Positive(t, refused.Load())
	refused.Store(0)
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(), adopt("--log-window", "10")...), &r.deployment))
	require.Zero(t, refused.Load(), "it asks for no more than it is told to")
	want := lost
	want.GasUsed = 0 // nothing was sent
	require.Equal(t, want, r.deployment)
	require.Contains(t, testcmd.Refuse(t, r.env(), adopt()...), "this database belongs to the rollup "+lost.Rollup.String())
	sent, err := r.store.DeploymentTransactions(t.Context())
	require.NoError(t, err)
	require.Empty(t, sent)

	r.roles()
	r.role("worker")
	r.submit(2)
	r.awaitSettled()
	for range 25 {
		chain.Commit()
	}
	root := r.status().Settled.Root
	var before rebuildReport
	for _, window := range []string{"5000", "10", "3"} {
		refused.Store(0)
		var report rebuildReport
		args := []string{"rebuild", "--rollup", lost.Rollup.String(), "--genesis", r.genesisFile(), "--log-window", window}
		require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(node.EnvDatabase, "", node.EnvL1Key, ""), args...), &report))
		require.Equal(t, root, report.Root)
		require.Equal(t, 2, report.Transactions)
		require.Equal(t, window == "5000", refused.Load() > 0, "a window of %s", window)
		if before.Batches > 0 {
			require.Equal(t, before, report)
		}
		before = report
	}

	fresh := r.elsewhere(testdb.Empty(t).URL)
	require.Contains(t, testcmd.Refuse(t, fresh.env(), adopt()...), "restore its database")
}
