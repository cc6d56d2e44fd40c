package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
)

const aggregateShape = "tiny-3"

func aggregateKey() settle.KeyHash { return settle.KeyHash(digest("aggregate key")) }

func (f *fixture) planner() store.Epoch {
	f.t.Helper()
	if f.fold == 0 {
		f.fold = f.writer(store.RoleAggregator).Epoch()
	}
	return f.fold
}

func newGroup(first, last settle.BatchNumber) store.NewGroup {
	return store.NewGroup{First: first, Last: last, Shape: aggregateShape, KeyHash: aggregateKey(), Reason: "full"}
}

// plan stores a group that is to be folded.
func (f *fixture) plan(first, last settle.BatchNumber) {
	f.t.Helper()
	require.NoError(f.t, f.PlanGroup(f.t.Context(), f.planner(), newGroup(first, last)))
}

// folded stores the aggregate proof of the group that begins with first.
func (f *fixture) folded(first settle.BatchNumber) {
	f.t.Helper()
	out, err := f.StoreProof(f.t.Context(), f.claim(foldKey(first)), f.aggregated(first), store.ProofStats{})
	require.NoError(f.t, err)
	require.Equal(f.t, store.ProofOutcome{Stored: true}, out)
}

func foldKey(first settle.BatchNumber) store.ProofKey {
	return store.ProofKey{Batch: first, Circuit: settle.CircuitAggregate, KeyHash: aggregateKey()}
}

// aggregated is the proof of the group that begins with first, or of that batch alone.
func (f *fixture) aggregated(first settle.BatchNumber) settle.ProofEnvelope {
	f.t.Helper()
	last := first
	if g, err := f.GroupOf(f.t.Context(), first); err == nil {
		last = g.Last
	}
	var parts [][3]settle.Element
	for _, b := range f.sealed[first-1 : last] {
		parts = append(parts, envelope(b).Inputs)
	}
	inputs, err := publicdata.GroupInputs(digest("C", int(first)), parts)
	require.NoError(f.t, err)
	return settle.ProofEnvelope{
		Circuit: settle.CircuitAggregate, Shape: aggregateShape, KeyHash: aggregateKey(), Proof: []byte("folded"), Inputs: inputs,
	}
}

func spanning(first, last settle.BatchNumber, try int) store.NewSettlement {
	n := newSettlement(first, try)
	n.Last = last
	return n
}

func (f *fixture) group(n settle.BatchNumber) store.Group {
	f.t.Helper()
	g, err := f.GroupOf(f.t.Context(), n)
	require.NoError(f.t, err)
	return g
}

func (f *fixture) requireStatuses(want ...settle.BatchStatus) {
	f.t.Helper()
	for i, status := range want {
		require.Equal(f.t, status, f.batchStatus(settle.BatchNumber(i+1)), "batch %d", i+1)
	}
}

func TestGroupIsFoldedAndSettledAsOne(t *testing.T) {
	f, items := proven(t, 4)
	f.plan(1, 3)
	in, err := f.GroupInput(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, store.GroupPlanned, in.Status)
	require.Len(t, in.Proofs, 3)
	for i, p := range in.Proofs {
		require.Equal(t, settle.CircuitTransition, p.Circuit)
		require.Equal(t, digest("c", i+1), p.Inputs[0])
		require.Equal(t, []byte("proof"), p.Proof)
	}
	_, err = f.GroupInput(t.Context(), 2)
	require.ErrorIs(t, err, store.ErrNotFound, "no group begins there")

	_, err = f.NextToSettle(t.Context(), time.Hour)
	require.ErrorIs(t, err, store.ErrNotFound, "it is being folded")
	f.folded(1)
	require.Equal(t, store.GroupProven, f.group(2).Status)
	w, err := f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), w.Batch.Number)
	require.Equal(t, settle.BatchNumber(3), w.Last())
	require.Equal(t, f.aggregated(1), w.Proof)
	require.Len(t, w.Parts, 3)
	require.Equal(t, digest("c", 3), w.Parts[2].Commitment)
	require.Equal(t, digest("root", 3), w.Parts[2].NewRoot)
	require.Equal(t, digest("w", 3), w.Parts[2].Words[0])

	s, err := f.PrepareSettlement(t.Context(), f.submit, spanning(1, 3, 0))
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(3), s.Last)
	f.requireStatuses(settle.BatchSettling, settle.BatchSettling, settle.BatchSettling, settle.BatchProven)
	w, err = f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, s.TxHash, w.Live.TxHash)
	require.Equal(t, settle.BatchNumber(3), w.Last())
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, receipt(7)))
	require.Equal(t, store.GroupProven, f.group(3).Status)
	f.requireStatuses(settle.BatchSettled, settle.BatchSettled, settle.BatchSettled, settle.BatchProven)
	for _, item := range items[:3] {
		d, err := f.Transaction(t.Context(), item.ID)
		require.NoError(t, err)
		require.Equal(t, settle.TxSettled, d.Status)
		require.Equal(t, s.TxHash, d.Settlement.TxHash, "each batch shows the transaction that settled it")
	}

	done, err := f.FinalizeSettlements(t.Context(), f.submit, 2)
	require.NoError(t, err)
	require.Empty(t, done, "no part of a transaction is final alone")
	done, err = f.FinalizeSettlements(t.Context(), f.submit, 3)
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{1, 2, 3}, done)
	got, err := f.SettlementByHash(t.Context(), s.TxHash)
	require.NoError(t, err)
	require.Equal(t, store.SettlementFinal, got.Status)
	all, err := f.BatchSettlements(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, []store.Settlement{got}, all)
}

func TestReorgTakesTheWholeGroupBack(t *testing.T) {
	f, _ := proven(t, 4)
	f.settle(1)
	f.plan(2, 3)
	f.folded(2)
	s, err := f.PrepareSettlement(t.Context(), f.submit, spanning(2, 3, 0))
	require.NoError(t, err)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, receipt(7)))
	f.settle(4)
	back, err := f.RevertSettlements(t.Context(), f.submit, 3, "gone")
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{2, 3, 4}, back)
	f.requireStatuses(settle.BatchSettled, settle.BatchProven, settle.BatchProven, settle.BatchProven)
	w, err := f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(3), w.Last(), "its proof settles it again")
	require.Nil(t, w.Live)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, s.TxHash, receipt(8)), "mined again as it was")
	f.requireStatuses(settle.BatchSettled, settle.BatchSettled, settle.BatchSettled, settle.BatchProven)
}

func TestFailedGroupSettlement(t *testing.T) {
	f, _ := proven(t, 2)
	f.plan(1, 2)
	f.folded(1)
	s, err := f.PrepareSettlement(t.Context(), f.submit, spanning(1, 2, 0))
	require.NoError(t, err)
	require.NoError(t, f.FailSettlement(t.Context(), f.submit, s.TxHash, "reverted"))
	f.requireStatuses(settle.BatchProven, settle.BatchProven)
	w, err := f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(2), w.Last())
	require.Equal(t, 1, w.Attempts)
}

// One transaction of a group and one of its first batch on the same nonce: only one
// can be mined, and the rest of the group goes on by itself.
func TestDirectSettlementBreaksAGroup(t *testing.T) {
	f, _ := proven(t, 3)
	f.plan(1, 3)
	f.folded(1)
	whole, err := f.PrepareSettlement(t.Context(), f.submit, spanning(1, 3, 0))
	require.NoError(t, err)
	other := newSettlement(2, 1)
	_, err = f.PrepareSettlement(t.Context(), f.submit, other)
	require.ErrorIs(t, err, store.ErrIllegalTransition, "another nonce could settle a batch twice")
	alone, err := f.PrepareSettlement(t.Context(), f.submit, newSettlement(1, 1))
	require.NoError(t, err)
	f.requireStatuses(settle.BatchSettling, settle.BatchProven, settle.BatchProven)
	require.Equal(t, store.GroupDirect, f.group(2).Status)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, alone.TxHash, receipt(7)))
	w, err := f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(2), w.Batch.Number, "what is left of the group settles directly")
	require.Empty(t, w.Parts)
	require.ErrorIs(t, f.RecordMined(t.Context(), f.submit, whole.TxHash, receipt(8)), store.ErrIllegalTransition, "batch 1 is settled already")

	// The other way round: what was replaced is mined.
	back, err := f.RevertSettlements(t.Context(), f.submit, 1, "gone")
	require.NoError(t, err)
	require.Equal(t, []settle.BatchNumber{1}, back)
	require.NoError(t, f.RecordMined(t.Context(), f.submit, whole.TxHash, receipt(9)))
	f.requireStatuses(settle.BatchSettled, settle.BatchSettled, settle.BatchSettled)
}

// The submitter does not wait for a planner for ever, and what it settles is not
// folded any more.
func TestSubmitterWaitsForAPlanner(t *testing.T) {
	f, _ := proven(t, 3)
	_, err := f.NextToSettle(t.Context(), time.Hour)
	require.ErrorIs(t, err, store.ErrNotFound, "nothing is decided")
	w, err := f.NextToSettle(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, w.Parts)
	require.NoError(t, f.SettleDirectly(t.Context(), f.planner(), 1, 1, "deadline"))
	w, err = f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, envelope(f.sealed[0]), w.Proof)
	f.settle(1)

	f.plan(2, 3)
	_, err = f.NextToSettle(t.Context(), time.Hour)
	require.ErrorIs(t, err, store.ErrNotFound)
	w, err = f.NextToSettle(t.Context(), time.Nanosecond)
	require.NoError(t, err, "long enough")
	require.Equal(t, settle.BatchNumber(2), w.Last())
	late := f.claim(foldKey(2))
	f.settle(2)
	require.Equal(t, store.GroupDirect, f.group(3).Status)
	require.ErrorIs(t, f.Heartbeat(t.Context(), late, ttl), store.ErrJobCancelled)
	out, err := f.StoreProof(t.Context(), late, f.aggregated(2), store.ProofStats{})
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true, Late: true}, out, "kept, and of no use")
	require.Equal(t, store.GroupDirect, f.group(3).Status)
	w, err = f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Empty(t, w.Parts)
}

func TestGroupsThatAreRefused(t *testing.T) {
	f, _ := proven(t, 3)
	f.seal(submission(0, 3, 1)) // batch 4 is not proven
	f.plan(2, 3)
	for name, g := range map[string]store.NewGroup{
		"overlap":        newGroup(1, 2),
		"again":          newGroup(2, 3),
		"unproven":       newGroup(3, 4),
		"unknown":        newGroup(5, 6),
		"single":         newGroup(1, 1),
		"in reverse":     newGroup(3, 2),
		"without a name": {First: 1, Last: 2, Reason: "full"},
	} {
		require.Error(t, f.PlanGroup(t.Context(), f.planner(), g), name)
	}
	err := f.PlanGroup(t.Context(), f.planner(), newGroup(1, 2))
	require.ErrorIs(t, err, store.ErrIllegalTransition)
	require.Error(t, f.SettleDirectly(t.Context(), f.planner(), 4, 4, "deadline"), "not proven")
	f.prove(f.sealed[3])
	f.prove(f.seal(submission(0, 4, 1)))
	mustExec(t, f.db.Pool, "alter table proof_jobs add constraint no_folds check (circuit <> 'aggregate') not valid")
	require.ErrorContains(t, f.PlanGroup(t.Context(), f.planner(), newGroup(4, 5)), "no_folds")
	_, err = f.GroupOf(t.Context(), 4)
	require.ErrorIs(t, err, store.ErrNotFound, "group and job are written together")

	f.settle(1)
	var pg *pgconn.PgError
	require.ErrorAs(t, f.PlanGroup(t.Context(), f.planner(), newGroup(1, 2)), &pg)
	_, err = f.db.Pool.Exec(t.Context(), "update batch_groups set last = last + 1")
	require.ErrorContains(t, err, "never rewritten")
	old := f.planner()
	mustExec(t, f.db.Pool, "update epochs set epoch = epoch + 1 where role = 'aggregator'")
	require.ErrorIs(t, f.PlanGroup(t.Context(), old, newGroup(4, 5)), store.ErrFenced)
	require.ErrorIs(t, f.SettleDirectly(t.Context(), old, 4, 4, "x"), store.ErrFenced)
}

func TestAggregateProofBelongsToItsGroup(t *testing.T) {
	f, _ := proven(t, 3)
	_, err := f.StoreProof(t.Context(), store.Lease{ProofJob: store.ProofJob{ProofKey: foldKey(1)}, Epoch: 1}, f.aggregated(1), store.ProofStats{})
	require.ErrorIs(t, err, store.ErrLeaseLost, "there is no group, and so no job")
	f.plan(1, 2)
	l := f.claim(foldKey(1))
	other := f.aggregated(1)
	other.Shape = "tiny-2"
	_, err = f.StoreProof(t.Context(), l, other, store.ProofStats{})
	require.ErrorIs(t, err, store.ErrProofMismatch)
	require.Equal(t, store.GroupPlanned, f.group(1).Status)
	require.NoError(t, f.ReleaseJob(t.Context(), l))
	f.folded(1)
	require.Equal(t, store.GroupProven, f.group(1).Status)
	require.NotNil(t, f.group(1).ProvenAt)
}

func TestGroupQueue(t *testing.T) {
	f, _ := proven(t, 4)
	f.settle(1)
	f.seal(submission(0, 4, 1))
	f.seal(submission(0, 5, 1))
	f.plan(2, 3)
	q, err := f.GroupQueue(t.Context())
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), q.Now, time.Minute)
	require.Len(t, q.Batches, 4, "2 to 4 are proven, 5 is the first unproven one")
	require.Equal(t, settle.BatchNumber(2), q.Batches[0].Number)
	require.Equal(t, keyHash(), q.Batches[0].KeyHash)
	require.NotNil(t, q.Batches[0].ProvenAt)
	require.Equal(t, 2, q.Batches[0].Words)
	require.False(t, q.Batches[0].DeadLetter)
	require.Equal(t, settle.BatchSealed, q.Batches[3].Status)
	require.False(t, q.Batches[3].DeadLetter)
	require.Nil(t, q.Batches[3].ProvenAt)
	require.Len(t, q.Groups, 1)
	g := q.Groups[0]
	require.Equal(t, newGroup(2, 3), g.NewGroup)
	require.False(t, g.DeadLetter)
	for _, filter := range []store.JobFilter{{Batch: 2}, {Batch: 5}} {
		jobs, err := f.Jobs(t.Context(), filter)
		require.NoError(t, err)
		require.NoError(t, f.DiscardJob(t.Context(), jobs[0].ID))
	}
	q, err = f.GroupQueue(t.Context())
	require.NoError(t, err)
	require.True(t, q.Batches[3].DeadLetter)
	require.True(t, q.Groups[0].DeadLetter)
	mustExec(t, f.db.Pool, "delete from proof_jobs")
	q, err = f.GroupQueue(t.Context())
	require.NoError(t, err)
	require.True(t, q.Batches[3].DeadLetter, "a person has deleted its job")
	require.True(t, q.Groups[0].DeadLetter, "a person has deleted its job")

	require.NoError(t, f.SettleDirectly(t.Context(), f.planner(), 2, 3, "dead_fold"))
	require.NoError(t, f.SettleDirectly(t.Context(), f.planner(), 4, 4, "deadline"))
	q, err = f.GroupQueue(t.Context())
	require.NoError(t, err)
	require.Len(t, q.Groups, 2)
	for _, g := range q.Groups {
		require.Equal(t, store.GroupDirect, g.Status)
		require.False(t, g.DeadLetter)
	}
	require.Equal(t, "dead_fold", q.Groups[0].Reason)
}
