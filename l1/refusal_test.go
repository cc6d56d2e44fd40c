package l1_test

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

// TestContractRefuses changes one thing of a proven batch at a time. The
// submitter learns the reason from a simulation, so nothing is stored or sent.
func TestContractRefuses(t *testing.T) {
	h := newHarness(t)
	modulus := func(e *settle.Element) {
		sum := new(big.Int).SetBytes(e[:])
		sum.Add(sum, fr.Modulus()).FillBytes(e[:])
	}
	for name, c := range map[string]struct {
		change func(w *store.SettlementWork)
		want   string
	}{
		"proof of other inputs":    {func(w *store.SettlementWork) { swapInputs(t, h, w) }, "InvalidProof"},
		"other commitment":         {func(w *store.SettlementWork) { w.Proof.Inputs[0][31] ^= 1 }, "InvalidProof"},
		"changed data word":        {func(w *store.SettlementWork) { w.Words[6][31] ^= 1 }, "InvalidProof"},
		"changed new root":         {func(w *store.SettlementWork) { w.Words[2][31] ^= 1 }, "InvalidProof"},
		"word too many":            {func(w *store.SettlementWork) { w.Words = append(w.Words, settle.Element{}) }, "WrongLength"},
		"word too few":             {func(w *store.SettlementWork) { w.Words = w.Words[:len(w.Words)-1] }, "WrongLength"},
		"changed old root":         {func(w *store.SettlementWork) { w.Words[1][31] ^= 1 }, "WrongOldRoot"},
		"other domain":             {func(w *store.SettlementWork) { w.Words[3][31] ^= 1 }, "WrongDomain"},
		"number ahead":             {func(w *store.SettlementWork) { w.Words[0][31] = 2 }, "WrongNumber"},
		"word above the modulus":   {func(w *store.SettlementWork) { modulus(&w.Words[6]) }, "WordNotInField"},
		"root above the modulus":   {func(w *store.SettlementWork) { modulus(&w.Words[2]) }, "WordNotInField"},
		"commitment above modulus": {func(w *store.SettlementWork) { modulus(&w.Proof.Inputs[0]) }, "CommitmentNotInField"},
		"L1 operations": {func(w *store.SettlementWork) {
			w.Words[4] = settle.Element{27: 1}
			w.Words = w.Words[:8]
		}, "L1OperationsNotSupported"},
	} {
		t.Run(name, func(t *testing.T) {
			work := h.work(1, genesisRoot, h.deployment.Domain, 6)
			c.change(&work)
			h.rows = newMemory(h)
			h.rows.add(work)
			outcome, err := h.submitter().Step(t.Context())
			if c.want == "InvalidProof" || c.want == "CommitmentNotInField" { // the proof's own fault: it is set aside
				require.NoError(t, err)
				require.Equal(t, l1.Failed, outcome.Action)
				require.Len(t, h.rows.refused, 1)
				require.Contains(t, h.rows.refused[0], c.want)
			} else {
				var revert *l1.RevertError
				require.ErrorAs(t, err, &revert)
				require.Equal(t, c.want, revert.Name, revert.Detail)
				require.Empty(t, h.rows.refused)
			}
			require.Empty(t, h.rows.rows)
			require.Empty(t, h.node.sent)
			h.requireOnChain(0)
		})
	}
}

// swapInputs gives the batch a valid proof of other inputs.
func swapInputs(t *testing.T, h *harness, w *store.SettlementWork) {
	t.Helper()
	other := w.Proof.Inputs
	other[2][31] ^= 1
	var err error
	w.Proof.Proof, err = h.prover.Prove(other)
	require.NoError(t, err)
}

func TestContractRefusesReplaysAndFlippedBits(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 3)
	s := h.submitter()
	h.step(s, l1.Sent)
	data := h.node.sent[0].Data()

	proof, err := verifier.Calldata(h.rows.batches[0].work.Proof.Proof)
	require.NoError(t, err)
	at := bytes.Index(data, proof)
	require.Positive(t, at)
	for bit := 0; bit < 8*len(proof); bit += 97 {
		flipped := bytes.Clone(data)
		flipped[at+bit/8] ^= 1 << (bit % 8)
		require.Equal(t, "InvalidProof", h.call(flipped).Name)
	}
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Equal(t, "WrongNumber", h.call(data).Name, "a replayed batch")
}

// call simulates a call by the operator and returns how it was refused.
func (h *harness) call(data []byte) *l1.RevertError {
	h.t.Helper()
	to := common.Address(h.deployment.Rollup)
	_, err := h.client.CallContract(h.t.Context(), ethereum.CallMsg{From: common.Address(address(h.operator)), To: &to, Data: data}, nil)
	revert, ok := l1.AsRevert(err)
	require.True(h.t, ok, "%v", err)
	return revert
}
