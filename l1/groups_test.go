package l1_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// groups is a rollup in a real store and on a chain whose registry has an aggregate
// verifier too.
type groups struct {
	*postgres
	fold  *folder
	works []store.SettlementWork
}

func newGroups(t *testing.T, batches int) *groups {
	t.Helper()
	h, f := newHarness(t), newFolder(t)
	var err error
	h.deployment, err = h.deploy(l1.DeployConfig{
		Operators: []settle.Address{address(h.operator), address(h.chain.Keys()[2])}, Keys: []l1.VerifierKey{h.key(), f.key()},
	})
	require.NoError(t, err)
	h.chain.Finalize() // the next 31 blocks leave it at that
	h.now = time.Now()
	g := &groups{newPostgres(t, h), f, nil}
	root := genesisRoot
	for n := range batches {
		work := g.prove(settle.BatchNumber(n+1), root)
		root = work.Batch.NewRoot
		g.works = append(g.works, work)
	}
	return g
}

// plan stores a group and, with a change to it, its proof.
func (g *groups) plan(first, last settle.BatchNumber, change func(*settle.ProofEnvelope)) l1.Group {
	t, ctx := g.h.t, g.h.t.Context()
	t.Helper()
	role := g.acquire(store.RoleAggregator)
	require.NoError(t, g.store.PlanGroup(ctx, role.Epoch(), store.NewGroup{
		First: first, Last: last, Shape: groupShape, KeyHash: g.fold.hash, Reason: "full",
	}))
	require.NoError(t, role.Release(ctx))
	group := g.fold.fold(g.works[first-1 : last]...)
	lease := testdb.MustLease(t, g.store, store.ProofKey{Batch: first, Circuit: settle.CircuitAggregate, KeyHash: g.fold.hash})
	_, err := g.store.StoreProof(ctx, lease, group.Proof, store.ProofStats{})
	require.NoError(t, err)
	if change != nil { // nobody who stores it by our rules could
		change(&group.Proof)
		g.forge(first, group.Proof)
	}
	return group
}

func (g *groups) requireAll(want ...settle.BatchStatus) {
	g.h.t.Helper()
	for i, status := range want {
		g.requireStatus(settle.BatchNumber(i+1), status)
	}
}

func (g *groups) requireRoot(n settle.BatchNumber) {
	g.h.t.Helper()
	root, err := g.h.reader().Root(g.h.t.Context())
	require.NoError(g.h.t, err)
	require.Equal(g.h.t, g.works[n-1].Batch.NewRoot, root)
}

// TestGroupSettlesAsOne goes through direct and folded settlements, a take-over, a
// reorg of a group, and finality.
func TestGroupSettlesAsOne(t *testing.T) {
	g := newGroups(t, 4)
	h := g.h
	g.plan(2, 3, nil)
	s, role := g.submitter()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	g.requireAll(settle.BatchSettled, settle.BatchProven, settle.BatchProven, settle.BatchProven)

	h.step(s, l1.Sent)
	g.requireAll(settle.BatchSettled, settle.BatchSettling, settle.BatchSettling, settle.BatchProven)
	require.NoError(t, role.Release(t.Context()))
	s, _ = g.submitter()
	h.step(s, l1.Waiting)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	g.requireAll(settle.BatchSettled, settle.BatchSettled, settle.BatchSettled, settle.BatchProven)
	g.requireRoot(3)
	second, third := g.requireStatus(2, settle.BatchSettled), g.requireStatus(3, settle.BatchSettled)
	require.Equal(t, second, third, "one transaction settles both")
	require.Equal(t, settle.BatchNumber(3), second.Last)
	direct := g.requireStatus(1, settle.BatchSettled)
	require.Less(t, second.Receipt.GasUsed, 2*direct.Receipt.GasUsed)

	// The block of the group leaves the chain: both go back and settle as one again.
	require.NoError(t, h.chain.Reorg(1))
	h.step(s, l1.Sent)
	g.requireAll(settle.BatchSettled, settle.BatchSettling, settle.BatchSettling, settle.BatchProven)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	g.requireRoot(4)
	h.step(s, l1.Idle)
	h.chain.Finalize()
	h.step(s, l1.Idle)
	g.requireAll(settle.BatchFinal, settle.BatchFinal, settle.BatchFinal, settle.BatchFinal)
}

// TestGroupThatTheContractRefuses settles its batches directly.
func TestGroupThatTheContractRefuses(t *testing.T) {
	for name, change := range map[string]func(*settle.ProofEnvelope){
		"a proof of other batches":       func(p *settle.ProofEnvelope) { p.Inputs[2][31] ^= 1 },
		"a proof that does not hold":     func(p *settle.ProofEnvelope) { p.Proof = nil },
		"a proof of nothing on this one": func(p *settle.ProofEnvelope) { p.Inputs[0][31] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroups(t, 2)
			g.plan(1, 2, func(p *settle.ProofEnvelope) {
				change(p)
				if p.Proof == nil { // of other inputs, in the right form
					other := g.fold.fold(g.works[0])
					p.Proof = other.Proof.Proof
				}
			})
			s, _ := g.submitter()
			g.h.step(s, l1.Failed)
			group, err := g.store.GroupOf(t.Context(), 2)
			require.NoError(t, err)
			require.Equal(t, store.GroupDirect, group.Status)
			kept, err := g.store.RefusedProofs(t.Context(), 0, 0)
			require.NoError(t, err)
			require.Len(t, kept, 1)
			require.Equal(t, settle.CircuitAggregate, kept[0].Circuit)
			for range 2 {
				g.h.step(s, l1.Sent)
				g.h.chain.Commit()
				g.h.step(s, l1.Recorded)
			}
			g.requireRoot(2)
		})
	}
}

// TestAnotherOperatorSettlesAGroup: we had planned to settle its first batch alone, and
// find it settled together with the next one, and the other way round.
func TestAnotherOperatorSettlesAGroup(t *testing.T) {
	g := newGroups(t, 5)
	h := g.h
	s, _ := g.submitter()
	h.step(s, l1.Sent) // batch 1 alone
	data, err := g.fold.fold(g.works[:2]...).Calldata(1)
	require.NoError(t, err)
	ours := g.requireStatus(1, settle.BatchSettling)
	h.sendAs(2, 0, h.transaction(ours).To(), data)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	g.requireAll(settle.BatchSettled, settle.BatchSettled, settle.BatchProven, settle.BatchProven, settle.BatchProven)
	foreign := g.requireStatus(2, settle.BatchSettled)
	require.Equal(t, settle.BatchNumber(1), foreign.Batch)
	require.Equal(t, settle.BatchNumber(2), foreign.Last)
	require.Equal(t, address(h.chain.Keys()[2]), foreign.Sender)

	g.plan(3, 5, nil)
	h.step(s, l1.Sent) // 3 to 5 as one
	group := g.requireStatus(4, settle.BatchSettling)
	alone := h.direct(g.works[2])
	h.sendAs(2, 1, h.transaction(group).To(), alone)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	g.requireAll(settle.BatchSettled, settle.BatchSettled, settle.BatchSettled, settle.BatchProven, settle.BatchProven)
	for range 2 { // what is left of the group settles directly
		h.step(s, l1.Sent)
		h.chain.Commit()
		h.step(s, l1.Recorded)
	}
	g.requireRoot(5)
}

// TestStuckGroupIsReplaced: at higher fees, as a whole.
func TestStuckGroupIsReplaced(t *testing.T) {
	g := newGroups(t, 2)
	g.plan(1, 2, nil)
	s, _ := g.submitter()
	g.h.step(s, l1.Sent)
	first := g.requireStatus(2, settle.BatchSettling)
	g.h.now = time.Now().Add(time.Hour)
	g.h.step(s, l1.Replaced)
	second := g.requireStatus(2, settle.BatchSettling)
	require.NotEqual(t, first.TxHash, second.TxHash)
	require.Equal(t, first.Last, second.Last)
	g.h.chain.Commit()
	g.h.step(s, l1.Recorded)
	g.requireRoot(2)
}
