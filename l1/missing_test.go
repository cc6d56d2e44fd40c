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

// deleteProof deletes a stored proof by hand.
func (p *postgres) deleteProof(n settle.BatchNumber, circuit string) {
	p.h.t.Helper()
	deleted, err := p.pool.Exec(p.h.t.Context(), "delete from proofs where batch = $1 and circuit = $2", uint32(n), circuit)
	require.NoError(p.h.t, err)
	require.EqualValues(p.h.t, 1, deleted.RowsAffected())
}

// TestProofThatIsGone: settling says that the proof of a proven batch is missing, and has
// it made again; what was before it settles, and what is under way needs no proof.
func TestProofThatIsGone(t *testing.T) {
	h := newHarness(t)
	log := h.logged()
	p := newPostgres(t, h)
	h.now = time.Now()
	first := p.prove(1, genesisRoot)
	second := p.prove(2, first.Batch.NewRoot)
	s, role := p.submitter()
	h.step(s, l1.Sent)
	p.deleteProof(1, settle.CircuitTransition)
	h.step(s, l1.Waiting)
	require.NoError(t, role.Release(t.Context()))
	s, _ = p.submitter()
	h.step(s, l1.Waiting)
	h.chain.Commit()
	h.step(s, l1.Recorded)

	p.deleteProof(2, settle.CircuitTransition)
	h.step(s, l1.Failed)
	p.requireStatus(2, settle.BatchSealed)
	require.Contains(t, log.String(), "a proof is gone")
	require.Contains(t, log.String(), "somebody deleted it")
	h.step(s, l1.Idle)
	require.NoError(t, p.store.ProveAgain(t.Context(), func(store.ProofJob, []store.ProofFailure) store.Requeue { return store.Requeue{} }))
	lease := testdb.MustLease(t, p.store, store.ProofKey{Batch: 2, Circuit: settle.CircuitTransition, KeyHash: second.Batch.KeyHash})
	_, err := p.store.StoreProof(t.Context(), lease, second.Proof, store.ProofStats{})
	require.NoError(t, err)
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	p.requireStatus(2, settle.BatchSettled)
}

// TestAggregateProofThatIsGone: the batches settle each by its own proof.
func TestAggregateProofThatIsGone(t *testing.T) {
	g := newGroups(t, 2)
	g.plan(1, 2, nil)
	g.deleteProof(1, settle.CircuitAggregate)
	s, _ := g.submitter()
	g.h.step(s, l1.Failed)
	group, err := g.store.GroupOf(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, store.GroupDirect, group.Status)
	for range 2 {
		g.h.step(s, l1.Sent)
		g.h.chain.Commit()
		g.h.step(s, l1.Recorded)
	}
	g.requireRoot(2)
}
