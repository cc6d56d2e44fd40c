package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// awaited puts the jobs of batches whose proof was set aside back in the queue, and lists them.
func (f *fixture) awaited() (out []store.ProofJob) {
	f.t.Helper()
	for {
		err := f.ProveAgain(f.t.Context(), func(j store.ProofJob, failures []store.ProofFailure) store.Requeue {
			require.NotEmpty(f.t, failures)
			out = append(out, j)
			return store.Requeue{}
		})
		if errors.Is(err, store.ErrNotFound) {
			return out
		}
		require.NoError(f.t, err)
	}
}

// handWritten puts a row beside a batch or group, as a person or a hostile worker can.
func (f *fixture) handWritten(p settle.ProofEnvelope, n settle.BatchNumber) {
	f.t.Helper()
	mustExec(f.t, f.db.Pool, `insert into proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, assign_us, solve_us, prove_us, peak_memory)
		values ($1, $2, $3, $4, 'by hand', decode(repeat('00', 96), 'hex'), 1, false, 'nobody', 1, 0, 0, 0, 0)`, n, p.Circuit, p.KeyHash[:], p.Shape)
}

func TestRefusedProofIsSetAside(t *testing.T) {
	f := newFixture(t)
	item := submission(0, 0, 1)
	b := f.seal(item)
	f.prove(b)
	second := f.seal(submission(0, 1, 1))
	f.prove(second)
	require.NoError(t, f.RefuseProof(t.Context(), f.submit, proofKey(1), []byte("proof"), "InvalidProof"))
	require.Equal(t, settle.BatchSealed, f.batchStatus(1))
	require.Equal(t, settle.BatchProven, f.batchStatus(2))
	require.Equal(t, settle.TxExecuted, f.txStatus(item.ID))
	_, err := f.Proof(t.Context(), proofKey(1))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = f.NextToSettle(t.Context(), 0)
	require.ErrorIs(t, err, store.ErrNotFound, "settlement waits, and sends nothing")

	kept, err := f.RefusedProofs(t.Context(), 1, 0)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, []byte("proof"), kept[0].Proof)
	require.Equal(t, envelope(b).Inputs, kept[0].Inputs)
	require.Equal(t, "InvalidProof", kept[0].Reason)
	require.Equal(t, "worker", kept[0].Worker)
	require.Equal(t, string(store.RoleSubmitter), kept[0].RefusedBy)
	failures, err := f.ProofFailures(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, failures, 1)
	require.Equal(t, store.FailBug, failures[0].Class)
	require.Contains(t, failures[0].Detail, "InvalidProof")

	_, err = f.Blockage(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound, "it is proven again by itself")
	awaited := f.awaited()
	require.Len(t, awaited, 1)
	require.Equal(t, proofKey(1), awaited[0].ProofKey)
	f.prove(b)
	require.Empty(t, f.awaited())
	require.NoError(t, f.RefuseProof(t.Context(), f.submit, proofKey(1), []byte("another"), "late"), "it is gone already")
	require.Equal(t, settle.BatchProven, f.batchStatus(1))
	f.settle(1)
	require.ErrorIs(t, f.RefuseProof(t.Context(), f.submit, proofKey(1), []byte("proof"), "x"), store.ErrIllegalTransition, "it has settled")
	require.ErrorIs(t, f.RefuseProof(t.Context(), f.submit-1, proofKey(2), []byte("proof"), "x"), store.ErrFenced)
}

// A row that no worker stored does not end the proving of its batch for ever.
func TestProofWrittenByHandStopsNobody(t *testing.T) {
	f := newFixture(t)
	b := f.seal(submission(0, 0, 1))
	f.handWritten(envelope(b), 1)
	l := f.lease(1)
	require.NoError(t, f.Heartbeat(t.Context(), l, ttl))
	out, err := f.StoreProof(t.Context(), l, envelope(b), store.ProofStats{})
	require.NoError(t, err)
	require.Equal(t, store.ProofOutcome{Stored: true}, out)
	require.Equal(t, settle.BatchProven, f.batchStatus(1))
	stored, err := f.Proof(t.Context(), proofKey(1))
	require.NoError(t, err)
	require.Equal(t, []byte("proof"), stored.Proof)
	kept, err := f.RefusedProofs(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, []byte("by hand"), kept[0].Proof)

	f.prove(f.seal(submission(0, 1, 1)))
	f.plan(1, 2)
	f.handWritten(f.aggregated(1), 1)
	f.folded(1)
	require.Equal(t, store.GroupProven, f.group(1).Status)
	kept, err = f.RefusedProofs(t.Context(), 1, 10)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, settle.CircuitAggregate, kept[0].Circuit)
}

func TestAggregateProofOfOtherInputsIsRefused(t *testing.T) {
	f, _ := proven(t, 3)
	f.plan(1, 2)
	l := f.claim(foldKey(1))
	for i, name := range []string{"C", "Z", "V"} {
		p := f.aggregated(1)
		p.Inputs[i][31] ^= 1
		_, err := f.StoreProof(t.Context(), l, p, store.ProofStats{})
		require.ErrorIs(t, err, store.ErrProofMismatch, name)
	}
	other := f.aggregated(3) // of another batch
	_, err := f.StoreProof(t.Context(), l, other, store.ProofStats{})
	require.ErrorIs(t, err, store.ErrProofMismatch)
	require.Equal(t, store.GroupPlanned, f.group(1).Status)
}

// A proof that is to be folded, or was, and is worth nothing: its group settles directly
// and its batch alone is proven again.
func TestGroupWithARefusedProofIsGivenUp(t *testing.T) {
	f, _ := proven(t, 4)
	f.plan(1, 2)
	l := f.claim(foldKey(1))
	require.NoError(t, f.RefuseFolded(t.Context(), l, proofKey(2), []byte("proof"), "for another ζ"))
	require.Equal(t, store.GroupDirect, f.group(1).Status)
	require.Contains(t, f.group(1).Reason, "for another ζ")
	f.requireStatuses(settle.BatchProven, settle.BatchSealed, settle.BatchProven, settle.BatchProven)
	w, err := f.NextToSettle(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), w.Last())
	require.Len(t, f.awaited(), 1)
	f.prove(f.sealed[1])
	require.ErrorIs(t, f.RefuseFolded(t.Context(), l, proofKey(2), nil, "x"), store.ErrLeaseLost)

	f.plan(3, 4)
	f.folded(3)
	require.NoError(t, f.RefuseProof(t.Context(), f.submit, f.group(3).ProofKey(), []byte("folded"), "InvalidProof"))
	require.Equal(t, store.GroupDirect, f.group(4).Status)
	f.requireStatuses(settle.BatchProven, settle.BatchProven, settle.BatchProven, settle.BatchProven)
	require.Empty(t, f.awaited())
	kept, err := f.RefusedProofs(t.Context(), 3, 0)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, settle.CircuitAggregate, kept[0].Circuit)
}
