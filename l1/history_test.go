package l1_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
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
	return h.workOf(trace.Data().Words(), len(trace.Transactions))
}

// history is a chain with a rollup of some accounts, which settle nothing yet.
type history struct {
	*harness
	hasher  *poseidon.Hasher
	genesis *state.Genesis
	state   *state.State
	random  *rand.Rand
}

func newHistory(t *testing.T, further ...l1.VerifierKey) *history {
	t.Helper()
	h := &history{harness: newHarness(t), hasher: poseidon.New(), genesis: historyGenesis(t), random: rand.New(rand.NewPCG(5, 6))}
	root, err := h.genesis.Root(h.hasher)
	require.NoError(t, err)
	stop := h.mine()
	h.deployment, err = l1.Deploy(t.Context(), h.client, h.chain.Keys()[0], l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: root.Bytes(), GenesisHash: h.genesis.Hash(), UnsafeDevKeys: true, Poll: 2 * time.Millisecond,
		Keys: append([]l1.VerifierKey{h.key()}, further...), Operators: []settle.Address{address(h.operator)},
	})
	stop()
	require.NoError(t, err)
	h.state, err = h.genesis.State(h.hasher, h.domain())
	require.NoError(t, err)
	return h
}

func (h *history) domain() (domain fr.Element) {
	require.NoError(h.t, domain.SetBytesCanonical(h.deployment.Domain[:]))
	return domain
}

// next executes up to three random transfers and proves them as the next batch.
func (h *history) next() store.SettlementWork {
	h.t.Helper()
	var transactions []state.Transaction
	for i := range 1 + h.random.IntN(3) {
		from, to := settle.AccountIndex(1+i), settle.AccountIndex(h.random.IntN(4))
		sender, receiver := h.state.Account(from), h.state.Account(to)
		transactions = append(transactions, state.Transaction{
			Kind: settle.KindTransfer, From: from, To: to, Amount: state.Float40(h.random.IntN(20)), Fee: 1, Nonce: sender.Nonce,
			ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
		})
	}
	trace, err := h.state.Apply(transactions)
	require.NoError(h.t, err)
	return h.settledTrace(trace)
}

// requireRebuilt rebuilds the state from the chain alone and compares it with that
// of batches with these roots.
func (h *history) requireRebuilt(roots []settle.Element) {
	h.t.Helper()
	t := h.t
	r, err := state.NewRebuilder(h.hasher, h.genesis, h.domain())
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
	require.Equal(t, h.state.Root(), r.Root())
	for _, a := range r.Accounts() {
		require.Equal(t, h.state.Account(a.Index), a.Account)
	}
	onChain, err := h.reader().Root(t.Context())
	require.NoError(t, err)
	rebuilt := r.Root()
	require.Equal(t, onChain, settle.Element(rebuilt.Bytes()))
}

// The state of a random history is rebuilt from the calldata of the chain alone.
func TestHistoryRebuildsTheState(t *testing.T) {
	h := newHistory(t)
	var roots []settle.Element
	for range 5 {
		work := h.next()
		h.rows.add(work)
		roots = append(roots, work.Batch.NewRoot)
	}
	submitter := h.submitter()
	for range roots {
		h.step(submitter, l1.Sent)
		h.chain.Commit()
		h.step(submitter, l1.Recorded)
	}
	h.requireRebuilt(roots)
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
