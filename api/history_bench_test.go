package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
)

// BenchmarkHistory asks over HTTP for accounts at a batch and for their proofs, of
// 2^20 accounts: go test ./api -run '^$' -bench History -benchtime 200x. The first
// proof builds the tree of all accounts, the first at another batch moves it.
func BenchmarkHistory(b *testing.B) {
	const accounts = 1 << 20
	r := (&rig{t: b, crowd: accounts}).on(testdb.New(b).URL)
	for n := range settle.Nonce(10) {
		r.accept(r.transfer(alice, bob, 5, n))
		r.accept(r.transfer(bob, alice, 5, n))
	}
	r.execute()
	last, err := r.store.LastBatch(b.Context())
	require.NoError(b, err)
	took := func(batch settle.BatchNumber) time.Duration {
		begun := time.Now()
		_, err := r.client.AccountProof(b.Context(), accounts/2, batch)
		require.NoError(b, err)
		return time.Since(begun)
	}
	b.Logf("first proof: %v; first at another batch: %v", took(last.Number), took(0))
	for i, n := range []settle.BatchNumber{last.Number, 0} {
		b.Run(fmt.Sprintf("account/%d", i), func(b *testing.B) {
			for j := range b.N {
				_, err := r.client.AccountAt(b.Context(), settle.AccountIndex(j*7919%accounts), n)
				require.NoError(b, err)
			}
		})
		b.Run(fmt.Sprintf("proof/%d", i), func(b *testing.B) {
			for j := range b.N {
				_, err := r.client.AccountProof(b.Context(), settle.AccountIndex(j*7919%accounts), n)
				require.NoError(b, err)
			}
		})
	}
}
