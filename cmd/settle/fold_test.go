package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/store"
)

// foldingRig has an aggregate verifier, of a toy circuit: real keys take minutes. What
// the aggregate circuit proves the toy refuses, so that every fold fails.
func foldingRig(t *testing.T) *rig {
	t.Helper()
	dir, err := testcmd.TinyKeys()
	require.NoError(t, err)
	dev := provingkeys.Options{AllowUnsafeDev: true}
	id, err := provingkeys.AggregateID(dir, "tiny-2", provingkeys.Committed, dev)
	require.NoError(t, err)
	_, err = provingkeys.Setup(t.Context(), dir, id, toycircuit.Compile, dev)
	require.NoError(t, err)
	r := bareRig(t)
	r.settings["SETTLE_AGGREGATE"] = "tiny-2"
	r.deploy()
	require.Len(t, r.deployment.Verifiers, 2)
	require.Equal(t, settle.CircuitAggregate, r.deployment.Verifiers[1].Circuit)
	return r
}

// TestFoldThatFails: groups are planned by one role and tried by a worker; what cannot
// be folded becomes a dead letter that holds nobody up.
func TestFoldThatFails(t *testing.T) {
	t.Parallel()
	r := foldingRig(t)
	r.roles()
	aggregator := r.role("aggregator", "--fold-wait", "1h", "--ops-listen", "127.0.0.1:0")
	r.role("worker")
	r.submit(4)
	r.await("a group is planned", func() bool { return one[int](r, "select count(*) from batch_groups where last > first") > 0 })
	shown := string(testcmd.Succeed(t, r.env(), "jobs", "list"))
	require.Contains(t, shown, "1 to 2")
	require.Contains(t, shown, "tiny-2")
	first, err := r.store.GroupOf(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(2), first.Last)
	require.Contains(t, testcmd.Refuse(t, r.env(), "aggregator"), "another aggregator holds this database")

	r.await("the group is given up", func() bool {
		g, err := r.store.GroupOf(t.Context(), 1)
		require.NoError(t, err)
		return g.Status == store.GroupDirect
	})
	var look pipeline
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(), "status", "--json"), &look))
	require.NotNil(t, look.Groups)
	r.await("its batches are settled", func() bool { return r.status().Settled.Batch >= 2 })
	require.NotEmpty(t, r.batch(1).Proofs)
	require.NotEqual(t, r.batch(1).Settlement.TxHash, r.batch(2).Settlement.TxHash)
	require.Contains(t, string(testcmd.Succeed(t, r.env(), "jobs", "show", "--batch", "1")), "aggregate, shape tiny-2")

	r.release(aggregator)
	aggregator.Stop()
	r.requireRoots()
}

// requireRoots compares the roots on L1 with an execution of its own.
func (r *rig) requireRoots() {
	r.t.Helper()
	roots, err := reexecute.Roots(r.t.Context(), r.client, r.deployment.Domain, r.genesis, r.ids)
	require.NoError(r.t, err)
	onL1 := r.settledOnL1(r.dial())
	require.GreaterOrEqual(r.t, len(onL1), 2)
	require.Equal(r.t, roots[:len(onL1)], onL1)
}

// TestSubmitterWithoutAggregator settles every batch by itself.
func TestSubmitterWithoutAggregator(t *testing.T) {
	t.Parallel()
	r := foldingRig(t)
	r.settings["SETTLE_FOLD_PATIENCE"] = "1s"
	r.roles()
	r.role("worker")
	r.submit(4)
	r.awaitSettled()
	require.Zero(t, one[int](r, "select count(*) from batch_groups"), "nobody decided anything")
	require.Contains(t, testcmd.Refuse(t, r.env("SETTLE_AGGREGATE", "tiny-3"), "up"), "--aggregate tiny-3")
	require.Contains(t, testcmd.Refuse(t, r.env(), "aggregator", "--fold-wait=-1s"), "below 0")
	require.Contains(t, testcmd.Refuse(t, r.env(), "aggregator", "--fold-low-gas", "2", "--fold-high-gas", "1"), "high price of gas")
}

// TestAggregateKeys names what is missing.
func TestAggregateKeys(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"keys", "setup"}, "--aggregate"},
		{[]string{"keys", "show", "--shape", "tiny", "--aggregate", "tiny-2"}, "--aggregate"},
		{[]string{"keys", "show", "--aggregate", "tiny"}, "demo-2"},
		{[]string{"keys", "show", "--aggregate", "tiny-7"}, "settle keys setup --aggregate tiny-7"},
		{[]string{"keys", "show", "--aggregate", "small-2", "--keys-dir", testcmd.NewDir(t)}, "settle keys setup --shape small"},
	} {
		require.Contains(t, testcmd.Refuse(t, env, c.args...), c.want, fmt.Sprint(c.args))
	}
}

// TestStatusShowsGroups of unsettled batches, to people and programs.
func TestStatusShowsGroups(t *testing.T) {
	p := pipeline{Groups: []pipelineGroup{
		{First: 3, Last: 4, Status: store.GroupPlanned, Shape: "demo-2", Reason: "full", AgeSeconds: 61},
		{First: 5, Last: 5, Status: store.GroupDirect, Reason: "deadline"},
	}}
	var out strings.Builder
	p.writeGroups(&out)
	require.Regexp(t, `3 to 4 +planned +demo-2 +1m1s ago +full`, out.String())
	require.Regexp(t, `5 to 5 +direct +0s ago +deadline`, out.String())
	encoded, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"groups":[{"first":3,"last":4,"status":"planned","shape":"demo-2","reason":"full","age_seconds":61}`)
}
