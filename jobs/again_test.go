package jobs_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// A proof that L1 refuses is made again, and again, until that is a dead letter: proofs
// that are refused without end are loud, and bounded. An operator starts it anew.
func TestRefusedProofIsMadeAgain(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	p := f.fake(nil)
	cfg := f.config("a", p)
	cfg.Policy.MaxFailures = 3
	f.start(cfg)
	r := &race{fleet: f}
	for range 3 {
		f.awaitProofs(1, 2)
		r.refuse(1)
	}
	f.awaitJob(1, store.JobDiscarded)
	require.Equal(t, 3, p.proved()[1])
	require.Equal(t, 1, p.proved()[2])
	require.Nil(t, f.proof(1))
	kept, err := f.store.RefusedProofs(t.Context(), 1, 0)
	require.NoError(t, err)
	require.Len(t, kept, 3)
	blocked, err := f.store.Blockage(t.Context())
	require.NoError(t, err)
	require.Equal(t, settle.BatchNumber(1), blocked.Batch)
	require.Contains(t, *blocked.Detail, "InvalidProof")
	dead, err := f.store.Jobs(t.Context(), store.JobFilter{DeadLetters: true})
	require.NoError(t, err)
	require.Len(t, dead, 1)

	require.NoError(t, f.store.RetryJob(t.Context(), dead[0].ID))
	f.awaitProofs(1)
	_, err = f.store.Blockage(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A proof that somebody deletes from the database is missed and made again, however often,
// until that is a dead letter.
func TestDeletedProofIsMadeAgain(t *testing.T) {
	f := newFleet(t)
	f.seal(2)
	p := f.fake(nil)
	cfg := f.config("a", p)
	cfg.Policy.MaxFailures = 2
	f.start(cfg)
	for times := 1; times <= 2; times++ {
		f.awaitProofs(1, 2)
		_, err := f.pool.Exec(t.Context(), "delete from proofs where batch = 1")
		require.NoError(t, err)
		role, err := f.store.AcquireWriter(t.Context(), store.RoleSubmitter, "test")
		require.NoError(t, err)
		_, err = f.store.ToSettle(t.Context(), 0, 1)
		var missing *store.MissingProofError
		require.ErrorAs(t, err, &missing)
		require.Equal(t, f.proofKey(1), missing.ProofKey)
		require.NoError(t, f.store.ProofGone(t.Context(), role.Epoch(), missing))
		require.NoError(t, role.Release(t.Context()))
	}
	f.awaitJob(1, store.JobDiscarded)
	require.Equal(t, 2, p.proved()[1])
	require.Equal(t, 1, p.proved()[2])
	require.Contains(t, f.failures(1)[0].Detail, "somebody deleted it")
}

// A proving process that always answers under another key is no better than one that gives
// proofs which do not hold: its tries are bounded.
func TestProofsUnderAWrongKeyAreBounded(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	p := f.fake(nil)
	p.key = settle.KeyHash{9}
	cfg := f.config("a", p)
	cfg.Policy.MaxFailures = 3
	f.start(cfg)
	f.awaitJob(1, store.JobDiscarded)
	require.Equal(t, 3, p.proved()[1])
	require.Nil(t, f.proof(1))
	require.Contains(t, f.failures(1)[0].Detail, "asked for was")
}

// forge changes the stored proof of a batch behind everybody's back.
func (f *fleet) forge(n settle.BatchNumber, change string) {
	f.t.Helper()
	_, err := f.pool.Exec(f.t.Context(), fmt.Sprintf("begin; create temp table forged as select * from proofs where batch = %[1]d; delete from proofs where batch = %[1]d", n)+
		"; update forged set "+change+"; insert into proofs select * from forged; drop table forged; commit")
	require.NoError(f.t, err)
}

// A worker believes no proof that it is to fold: one that does not hold, or is for other
// inputs than those of its batch, is set aside, and its batch alone is proven again.
func TestForgedProofIsNotFolded(t *testing.T) {
	for name, change := range map[string]string{
		"garbage":                 "proof = 'garbage'",
		"for another ζ":           "inputs = set_byte(inputs, 63, get_byte(inputs, 63) # 1)",
		"of another batch, c":     "inputs = set_byte(inputs, 31, get_byte(inputs, 31) # 1)",
		"with another evaluation": "inputs = set_byte(inputs, 95, get_byte(inputs, 95) # 1)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			f.seal(2)
			stop := f.start(f.config("a", f.fake(nil)))
			f.awaitProofs(1, 2)
			stop()
			f.forge(2, change)
			require.NoError(t, f.planner(0, foldKey, nil).Step(t.Context()))
			p := new(folder)
			f.start(f.foldingConfig("b", p))
			f.eventually("the forged proof is replaced", func() bool { proof := f.proof(2); return proof != nil && proof.Worker == "b" })
			require.Zero(t, p.count())
			require.Equal(t, store.GroupDirect, f.group(1).Status)
			require.Equal(t, "a", f.proof(1).Worker, "the other one stays")
			kept, err := f.store.RefusedProofs(t.Context(), 0, 0)
			require.NoError(t, err)
			require.Len(t, kept, 1)
			require.Equal(t, "b", kept[0].RefusedBy)
			f.awaitCancelledFold()
		})
	}
}

func (f *fleet) awaitCancelledFold() {
	f.t.Helper()
	f.awaitJob(1, store.JobCancelled)
	require.Empty(f.t, f.foldFailures())
}

func (f *fleet) foldFailures() (out []store.ProofFailure) {
	for _, failure := range f.failures(1) {
		if failure.Circuit == settle.CircuitAggregate {
			out = append(out, failure)
		}
	}
	return out
}

// A row beside a sealed batch, which no worker stored, is in nobody's way.
func TestProofWrittenByHandIsReplaced(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	_, err := f.pool.Exec(t.Context(), `insert into proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, assign_us, solve_us, prove_us, peak_memory)
		values (1, 'transition', $1, $2, 'by hand', decode(repeat('00', 96), 'hex'), 1, false, 'nobody', 1, 0, 0, 0, 0)`, f.key[:], shapeName)
	require.NoError(t, err)
	f.start(f.config("a", f.fake(func(context.Context, settle.BatchNumber) error { return nil })))
	f.eventually("replaced", func() bool { proof := f.proof(1); return proof != nil && proof.Worker == "a" })
	f.awaitJob(1, store.JobCompleted)
	batch, err := f.store.Batch(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, settle.BatchProven, batch.Status)
}
