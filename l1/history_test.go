package l1_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func historyGenesis(t *testing.T) *state.Genesis {
	t.Helper()
	g := &state.Genesis{FeeAccounts: []state.GenesisFeeAccount{{Token: 0, Index: 0}}}
	for i := range 4 {
		key, err := schnorr.NewPrivateKey(append(make([]byte, 31), byte(i+1)))
		require.NoError(t, err)
		g.Accounts = append(g.Accounts, state.GenesisAccount{Owner: key.Public(), Balance: settle.NewAmount(1000), L1: settle.Address{19: byte(i + 1)}})
	}
	return g
}

// settledTrace is the stored batch of a trace, with a proof of the toy circuit.
func (h *harness) settledTrace(trace *state.Trace) store.SettlementWork {
	h.t.Helper()
	words := trace.Data().Words()
	var c fr.Element
	c.MustSetRandom()
	zeta := publicdata.Challenge(c, words)
	v := publicdata.Evaluate(words, zeta)
	w := store.SettlementWork{Proof: settle.ProofEnvelope{
		Circuit: settle.CircuitTransition, Shape: shape, KeyHash: h.deployment.Verifiers[0].KeyHash,
		Inputs: [3]settle.Element{c.Bytes(), zeta.Bytes(), v.Bytes()},
	}}
	var err error
	w.Proof.Proof, err = h.prover.Prove(w.Proof.Inputs)
	require.NoError(h.t, err)
	for i := range words {
		w.Words = append(w.Words, words[i].Bytes())
	}
	w.Batch = store.Batch{
		Number: trace.Header.Number, Status: settle.BatchProven, Shape: shape, KeyHash: w.Proof.KeyHash,
		OldRoot: trace.Header.OldRoot.Bytes(), NewRoot: trace.Header.NewRoot.Bytes(), Commitment: w.Proof.Inputs[0], Transactions: len(trace.Transactions),
	}
	return w
}

// The state of a random history is rebuilt from the calldata of the chain alone.
func TestHistoryRebuildsTheState(t *testing.T) {
	h, hasher, g := newHarness(t), poseidon.New(), historyGenesis(t)
	root, err := g.Root(hasher)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			h.chain.Commit()
		}
	}()
	h.deployment, err = l1.Deploy(t.Context(), h.client, h.chain.Keys()[0], l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: root.Bytes(), GenesisHash: g.Hash(), UnsafeDevKeys: true, Poll: 2 * time.Millisecond,
		Keys: []l1.VerifierKey{h.key()}, Operators: []settle.Address{address(h.operator)},
	})
	stop()
	require.NoError(t, err)
	var domain fr.Element
	require.NoError(t, domain.SetBytesCanonical(h.deployment.Domain[:]))
	s, err := g.State(hasher, domain)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(5, 6))
	var roots []settle.Element
	for range 5 {
		var transactions []state.Transaction
		for i := range 1 + random.IntN(3) {
			from, to := settle.AccountIndex(1+i), settle.AccountIndex(random.IntN(4))
			sender, receiver := s.Account(from), s.Account(to)
			transactions = append(transactions, state.Transaction{
				Kind: settle.KindTransfer, From: from, To: to, Amount: state.Float40(random.IntN(20)), Fee: 1, Nonce: sender.Nonce,
				ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
			})
		}
		trace, err := s.Apply(transactions)
		require.NoError(t, err)
		h.rows.add(h.settledTrace(trace))
		roots = append(roots, trace.Header.NewRoot.Bytes())
	}
	submitter := h.submitter()
	for range roots {
		h.step(submitter, l1.Sent)
		h.chain.Commit()
		h.step(submitter, l1.Recorded)
	}
	r, err := state.NewRebuilder(hasher, g, domain)
	require.NoError(t, err)
	head, err := h.client.BlockNumber(t.Context())
	require.NoError(t, err)
	var seen []settle.Element
	require.NoError(t, h.reader().History(t.Context(), h.deployment.Block, head, func(b l1.Settled) error {
		seen = append(seen, b.Root)
		require.Equal(t, settle.BatchNumber(len(seen)), b.Number)
		return r.Apply(b.Data)
	}))
	require.Equal(t, roots, seen)
	require.Equal(t, s.Root(), r.Root())
	for _, a := range r.Accounts() {
		require.Equal(t, s.Account(a.Index), a.Account)
	}
	onChain, err := h.reader().Root(t.Context())
	require.NoError(t, err)
	rebuilt := r.Root()
	require.Equal(t, onChain, settle.Element(rebuilt.Bytes()))
}

// A batch that is settled with data that is none is not passed over.
func TestHistoryRefusesUnreadableData(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 3) // random words behind the header
	s := h.submitter()
	h.step(s, l1.Sent)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	head, err := h.client.BlockNumber(t.Context())
	require.NoError(t, err)
	err = h.reader().History(t.Context(), h.deployment.Block, head, func(l1.Settled) error { return nil })
	require.ErrorIs(t, err, l1.ErrCalldata)
}
