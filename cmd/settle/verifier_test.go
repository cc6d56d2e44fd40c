package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
)

const lateAggregate = "tiny-2"

// copiedKeys is a folder of its own with the transition keys alone.
func copiedKeys(t *testing.T) string {
	t.Helper()
	all, err := testcmd.TinyKeys()
	require.NoError(t, err)
	id, err := provingkeys.TransitionID("tiny")
	require.NoError(t, err)
	dir := testcmd.NewDir(t)
	require.NoError(t, os.CopyFS(id.Folder(dir), os.DirFS(id.Folder(all))))
	return dir
}

// TestAggregationOnARunningRollup rehearses "Start to aggregate on a running rollup" of
// the runbook. The aggregate circuit is a toy, by which the test folds as a worker does.
func TestAggregationOnARunningRollup(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	r.settings["SETTLE_TIMELOCK"], r.settings["SETTLE_KEYS_DIR"] = "30s", copiedKeys(t)
	r.deploy()
	sequencer, submitter, worker := r.role("sequencer"), r.role("submitter"), r.role("worker")
	r.serve("api")
	r.submit(2)
	r.awaitSettled()
	require.Contains(t, testcmd.Refuse(t, r.env(), "aggregator"), "settle verifier propose")
	require.Contains(t, testcmd.Refuse(t, r.env("SETTLE_AGGREGATE", lateAggregate), "up"), "settle verifier propose --aggregate tiny-2")

	folding := newToyFolder(t)
	governor := r.env("SETTLE_KEYS_DIR", folding.dir)
	change := func(verb string) verifierView {
		var v verifierView
		require.NoError(t, json.Unmarshal(testcmd.Succeed(t, governor, "verifier", verb, "--aggregate", lateAggregate), &v))
		return v
	}
	stranger, err := devchain.DevKey(1)
	require.NoError(t, err)
	thief := r.env("SETTLE_KEYS_DIR", folding.dir, node.EnvL1Key, hex.EncodeToString(crypto.FromECDSA(stranger)))
	require.Contains(t, testcmd.Refuse(t, thief, "verifier", "propose", "--aggregate", lateAggregate), string(l1.CodeNotGovernor))
	require.Contains(t, testcmd.Refuse(t, governor, "verifier", "activate", "--aggregate", lateAggregate), string(l1.CodeNotProposed))
	require.Contains(t, testcmd.Refuse(t, r.env(), "verifier", "propose", "--aggregate", lateAggregate), "settle keys setup --aggregate tiny-2")
	require.Contains(t, testcmd.Refuse(t, governor, "verifier", "propose"), "--aggregate")

	proposed := change("propose")
	require.Equal(t, folding.hash, proposed.KeyHash)
	require.Equal(t, l1.StandingWaiting, proposed.Standing)
	require.False(t, proposed.InDatabase)
	require.Contains(t, testcmd.Refuse(t, governor, "verifier", "activate", "--aggregate", lateAggregate), string(l1.CodeTooEarly))
	again := change("propose")
	require.Equal(t, proposed.Verifier, again.Verifier)
	require.Equal(t, proposed.ReadyAt, again.ReadyAt)
	require.Regexp(t, `aggregate +tiny-2 +1 +(waiting|ready) `, string(testcmd.Succeed(t, r.env(), "verifier", "list")))
	require.Len(t, r.rollupRow().Verifiers, 1)

	testcmd.Await(t, "the timelock is over", func() bool { return !time.Now().Before(*proposed.ReadyAt) })
	require.Equal(t, verifierView{
		Circuit: settle.CircuitAggregate, Shape: lateAggregate, Version: 1, Standing: l1.StandingRegistered,
		Verifier: proposed.Verifier, KeyHash: proposed.KeyHash, InDatabase: true,
	}, change("activate"))
	// As if the database had been away at the end.
	_, err = r.pool.Exec(t.Context(), "delete from verifiers where circuit = 'aggregate'")
	require.NoError(t, err)
	require.Contains(t, string(testcmd.Succeed(t, r.env(), "verifier", "list")), "not in the database")
	require.True(t, change("activate").InDatabase)
	require.Equal(t, l1.StandingRegistered, change("propose").Standing)
	var listed []verifierView
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(), "verifier", "list", "--json"), &listed))
	require.Len(t, listed, 2)
	require.True(t, listed[0].InDatabase && listed[1].InDatabase)
	require.Len(t, r.rollupRow().Verifiers, 2)

	for _, p := range []*testcmd.Process{worker, submitter} {
		r.stopped(p, nil)
	}
	r.role("worker")
	r.role("submitter")
	r.role("aggregator", "--fold-wait", "1h")
	r.submit(4)
	r.await("a group is planned", func() bool { return one[int](r, "select count(*) from batch_groups where last > first") > 0 })
	first := settle.BatchNumber(one[int64](r, "select min(first) from batch_groups where last > first"))
	folding.fold(r, first)
	r.await("the group is settled", func() bool { return r.status().Settled.Batch > first })
	require.Equal(t, r.batch(first).Settlement.TxHash, r.batch(first+1).Settlement.TxHash, "by one transaction")
	r.requireRoots()
	require.True(t, sequencer.Running())
}

func (r *rig) rollupRow() store.Rollup {
	r.t.Helper()
	rollup, err := r.store.Rollup(r.t.Context())
	require.NoError(r.t, err)
	return rollup
}

// toyFolder folds by a toy circuit whose keys lie where those of the aggregate circuit do.
type toyFolder struct {
	t    *testing.T
	dir  string
	keys *provingkeys.Keys
	hash settle.KeyHash
}

func newToyFolder(t *testing.T) *toyFolder {
	t.Helper()
	f := &toyFolder{t: t, dir: copiedKeys(t)}
	dev := provingkeys.Options{AllowUnsafeDev: true}
	id, err := provingkeys.AggregateID(f.dir, lateAggregate, provingkeys.Committed, dev)
	require.NoError(t, err)
	manifest, err := provingkeys.Setup(t.Context(), f.dir, id, toycircuit.Compile, dev)
	require.NoError(t, err)
	f.hash = manifest.KeyHash
	f.keys, err = provingkeys.Open(t.Context(), f.dir, id, dev)
	require.NoError(t, err)
	return f
}

// fold stores the proof of a planned group as a worker does.
func (f *toyFolder) fold(r *rig, first settle.BatchNumber) {
	f.t.Helper()
	ctx := f.t.Context()
	group, err := r.store.GroupInput(ctx, first)
	require.NoError(f.t, err)
	var inputs [][3]fr.Element
	for _, p := range group.Proofs {
		var in [3]fr.Element
		for i := range in {
			in[i], err = reexecute.Element(p.Inputs[i])
			require.NoError(f.t, err)
		}
		inputs = append(inputs, in)
	}
	shape, err := circuits.ParseAggregateShape(lateAggregate)
	require.NoError(f.t, err)
	out, err := publicdata.AggregateInputs(poseidon.New(), shape.Slots, inputs)
	require.NoError(f.t, err)
	proof := settle.ProofEnvelope{
		Circuit: settle.CircuitAggregate, Shape: lateAggregate, KeyHash: f.hash,
		Inputs: [3]settle.Element{element(out[0]), element(out[1]), element(out[2])},
	}
	toy := toycircuit.Prover{System: f.keys.System, ProvingKey: f.keys.ProvingKey, VerifyingKey: f.keys.VerifyingKey}
	proof.Proof, err = toy.Prove(proof.Inputs)
	require.NoError(f.t, err)
	stored, err := r.store.StoreProof(ctx, testdb.MustLease(f.t, r.store, group.ProofKey()), proof, store.ProofStats{})
	require.NoError(f.t, err)
	require.True(f.t, stored.Stored)
}

// TestNotesOfVerifiers: other code than what waits is no reason to feel safe, as it can change back.
func TestNotesOfVerifiers(t *testing.T) {
	ready := time.Date(2030, 1, 8, 0, 0, 0, 0, time.UTC)
	expires := ready.AddDate(0, 0, 14)
	for _, tc := range []struct {
		standing   l1.Standing
		changed    bool
		want, lack string
	}{
		{l1.StandingRegistered, true, "until it has the registered code again", "activated"},
		{l1.StandingWaiting, true, "with the proposed code again it can be activated from 2030-01-08T00:00:00Z until 2030-01-22T00:00:00Z", "nothing"},
		{l1.StandingReady, true, "until 2030-01-22T00:00:00Z", "nothing"},
		{l1.StandingExpired, true, "propose it again", "CODE"},
		{l1.StandingWaiting, false, "can be activated from 2030-01-08T00:00:00Z", "CODE"},
	} {
		note := verifierView{Standing: tc.standing, CodeChanged: tc.changed, ReadyAt: &ready, Expires: &expires}.note()
		require.Contains(t, note, tc.want)
		require.NotContains(t, note, tc.lack)
	}
}
