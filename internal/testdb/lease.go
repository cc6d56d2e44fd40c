package testdb

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/store"
)

// Lease claims the job of one proof for a holder, whatever waits before it: what it has to
// claim on the way is given back. It returns store.ErrNotFound if the job cannot be claimed.
func Lease(t testing.TB, s *store.Store, k store.ProofKey, holder string, ttl time.Duration) (store.Lease, error) {
	t.Helper()
	found, err := s.Jobs(t.Context(), store.JobFilter{Batch: k.Batch})
	require.NoError(t, err)
	i := slices.IndexFunc(found, func(j store.Job) bool { return j.ProofKey == k })
	if i < 0 {
		return store.Lease{}, store.ErrNotFound
	}
	claim := store.Claim{
		Holder: holder, TTL: ttl, Kinds: []store.ProofKind{{Circuit: k.Circuit, Shape: found[i].Shape, KeyHash: k.KeyHash}},
	}
	var passed []store.Lease
	lease, err := s.ClaimJob(t.Context(), claim)
	for ; err == nil && lease.ProofKey != k; lease, err = s.ClaimJob(t.Context(), claim) {
		passed = append(passed, lease)
	}
	for _, l := range passed {
		err = errors.Join(err, s.ReleaseJob(t.Context(), l))
	}
	return lease, err
}

// MustLease is Lease for a job that can be claimed, for a minute.
func MustLease(t testing.TB, s *store.Store, k store.ProofKey) store.Lease {
	t.Helper()
	l, err := Lease(t, s, k, "test", time.Minute)
	require.NoError(t, err)
	return l
}
