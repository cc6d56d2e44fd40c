package l1_test

import (
	"bytes"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// A stored proof that L1 would not take stops settlement for no longer than it takes to
// make another one: it is set aside with its reason, at no cost of gas. Rows are written
// by hand here, as nothing else can store them.
func TestProofThatL1RefusesIsSetAside(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *harness, p *settle.ProofEnvelope, second settle.ProofEnvelope)
		reason string
	}{
		"garbage of the right length": {func(_ *harness, p *settle.ProofEnvelope, _ settle.ProofEnvelope) {
			p.Proof = append(bytes.Repeat([]byte{0}, len(p.Proof)-1), 1)
		}, "settles nothing"},
		"garbage": {func(_ *harness, p *settle.ProofEnvelope, _ settle.ProofEnvelope) { p.Proof = []byte{1} }, "settles nothing"},
		"a proof of other inputs": {func(_ *harness, p *settle.ProofEnvelope, second settle.ProofEnvelope) {
			p.Proof = second.Proof
		}, "InvalidProof"},
		"another batch's": {func(_ *harness, p *settle.ProofEnvelope, second settle.ProofEnvelope) { *p = second }, "its c is"},
		"for another ζ": {func(h *harness, p *settle.ProofEnvelope, _ settle.ProofEnvelope) {
			p.Inputs[1][31] ^= 1
			raw, err := h.prover.Prove(p.Inputs)
			require.NoError(h.t, err)
			p.Proof = raw // it holds
		}, "its ζ is"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			p := newPostgres(t, h)
			h.now = time.Now()
			first := p.prove(1, genesisRoot)
			second := p.prove(2, first.Batch.NewRoot)
			forged := first.Proof
			c.change(h, &forged, second.Proof)
			p.forge(1, forged)
			s, _ := p.submitter()
			nonce := func() uint64 {
				n, err := h.client.NonceAt(t.Context(), common.Address(address(h.operator)), big.NewInt(rpc.PendingBlockNumber.Int64()))
				require.NoError(t, err)
				return n
			}
			before := nonce()
			h.step(s, l1.Failed)
			p.requireStatus(1, settle.BatchSealed)
			h.step(s, l1.Idle)
			require.Equal(t, before, nonce(), "nothing was sent")
			kept, err := p.store.RefusedProofs(t.Context(), 1, 0)
			require.NoError(t, err)
			require.Len(t, kept, 1)
			require.Equal(t, forged.Proof, kept[0].Proof)
			require.Contains(t, kept[0].Reason, c.reason)

			require.NoError(t, p.store.ProveAgain(t.Context(), func(store.ProofJob, []store.ProofFailure) store.Requeue { return store.Requeue{} }))
			lease := testdb.MustLease(t, p.store, store.ProofKey{Batch: 1, Circuit: settle.CircuitTransition, KeyHash: first.Batch.KeyHash})
			_, err = p.store.StoreProof(t.Context(), lease, first.Proof, store.ProofStats{})
			require.NoError(t, err)
			for range 2 {
				h.step(s, l1.Sent)
				h.chain.Commit()
				h.step(s, l1.Recorded)
			}
			p.requireStatus(2, settle.BatchSettled)
		})
	}
}
