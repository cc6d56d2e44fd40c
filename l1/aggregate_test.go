package l1_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

const (
	groupShape = "toy-16"
	groupSlots = 16
)

// folder makes aggregate proofs of a toy circuit.
type folder struct {
	t      *testing.T
	prover *toycircuit.Prover
	hash   settle.KeyHash
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	prover, err := toycircuit.Ceremony()
	require.NoError(t, err)
	hash, err := verifier.KeyHash(prover.VerifyingKey)
	require.NoError(t, err)
	return &folder{t, prover, hash}
}

func (f *folder) key() l1.VerifierKey {
	f.t.Helper()
	words, err := verifier.Words(f.prover.VerifyingKey)
	require.NoError(f.t, err)
	return l1.VerifierKey{Circuit: settle.CircuitAggregate, Shape: groupShape, Words: words, Hash: f.hash, UnsafeDev: true}
}

// fold proves batches as one group.
func (f *folder) fold(works ...store.SettlementWork) l1.Group {
	f.t.Helper()
	g := l1.Group{Proof: settle.ProofEnvelope{Circuit: settle.CircuitAggregate, Shape: groupShape, KeyHash: f.hash}}
	var inputs [][3]fr.Element
	for _, w := range works {
		g.Batches = append(g.Batches, l1.GroupBatch{Commitment: w.Batch.Commitment, Words: w.Words})
		var in [3]fr.Element
		for i := range in {
			require.NoError(f.t, in[i].SetBytesCanonical(w.Proof.Inputs[i][:]))
		}
		inputs = append(inputs, in)
	}
	in, err := publicdata.AggregateInputs(poseidon.New(), groupSlots, inputs)
	require.NoError(f.t, err)
	g.Proof.Inputs = [3]settle.Element{in[0].Bytes(), in[1].Bytes(), in[2].Bytes()}
	g.Proof.Proof, err = f.prover.Prove(g.Proof.Inputs)
	require.NoError(f.t, err)
	return g
}

// settleGroup packs the call by the client and sends it.
func (h *harness) settleGroup(g l1.Group) *types.Receipt {
	h.t.Helper()
	data, err := h.reader().SettleAggregate(h.t.Context(), g)
	require.NoError(h.t, err)
	return h.mined(data)
}

// direct packs the call that settles a batch by itself.
func (h *harness) direct(w store.SettlementWork) []byte {
	h.t.Helper()
	proof, err := verifier.Calldata(w.Proof.Proof)
	require.NoError(h.t, err)
	words := make([]*big.Int, len(w.Words))
	for i := range words {
		words[i] = new(big.Int).SetBytes(w.Words[i][:])
	}
	return bindings.NewRollup().PackSettle(word32(w.Proof.Shape), 1, new(big.Int).SetBytes(w.Proof.Inputs[0][:]), words, proof)
}

// mined sends a call of the rollup by the operator, past all stores, and returns its
// receipt, which is a success.
func (h *harness) mined(data []byte) *types.Receipt {
	h.t.Helper()
	to := common.Address(h.deployment.Rollup)
	from := common.Address(address(h.operator))
	gas, err := h.client.EstimateGas(h.t.Context(), ethereum.CallMsg{From: from, To: &to, Data: data})
	require.NoError(h.t, err)
	nonce, err := h.client.NonceAt(h.t.Context(), from, nil)
	require.NoError(h.t, err)
	id := new(big.Int).SetUint64(h.chain.ChainID())
	tx, err := types.SignNewTx(h.operator, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(1e11), Gas: gas, To: &to, Data: data,
	})
	require.NoError(h.t, err)
	require.NoError(h.t, h.client.SendTransaction(h.t.Context(), tx))
	h.chain.Commit()
	receipt, err := h.client.TransactionReceipt(h.t.Context(), tx.Hash())
	require.NoError(h.t, err)
	require.Equal(h.t, types.ReceiptStatusSuccessful, receipt.Status)
	return receipt
}

// A history whose batches settle alone and in groups is rebuilt as any other.
func TestHistoryReadsBothRoutes(t *testing.T) {
	f := newFolder(t)
	h := newHistory(t, f.key())
	var roots []settle.Element
	for _, n := range []int{2, 0, 1, 5, 0, 0, 2} { // 0: alone
		var works []store.SettlementWork
		for range max(n, 1) {
			works = append(works, h.next())
			roots = append(roots, works[len(works)-1].Batch.NewRoot)
		}
		if n == 0 {
			h.mined(h.direct(works[0]))
			continue
		}
		require.Len(t, h.settleGroup(f.fold(works...)).Logs, n, "an event for each batch")
	}
	h.requireRebuilt(roots)
	for n := range roots {
		found, err := h.reader().SettledBy(t.Context(), settle.BatchNumber(n+1), h.deployment.Block)
		require.NoError(t, err)
		require.Equal(t, big.NewInt(int64(n+1)), found.Topics[1].Big())
	}
}

// What the contract accepts can be rebuilt, however an operator lays it out.
func TestHistoryReadsStrangeLayouts(t *testing.T) {
	f := newFolder(t)
	h := newHistory(t, f.key())
	first, second := h.next(), h.next()
	data, err := f.fold(first, second).Calldata(1)
	require.NoError(t, err)
	// The head has the offsets of commitments, words and proof behind shape, version and C.
	head, body := slices.Clone(data[:4+6*32]), data[4+6*32:]
	const gap = 45
	for i := range 3 {
		offset := new(big.Int).SetBytes(head[4+(3+i)*32 : 4+(4+i)*32])
		offset.Add(offset, big.NewInt(gap)).FillBytes(head[4+(3+i)*32 : 4+(4+i)*32])
	}
	strange := slices.Concat(head, make([]byte, gap), body, []byte("and a tail"))
	h.mined(strange)
	h.requireRebuilt([]settle.Element{first.Batch.NewRoot, second.Batch.NewRoot})
}

// The contract's reasons reach us by name.
func TestContractRefusesGroups(t *testing.T) {
	f := newFolder(t)
	h := newHistory(t, f.key())
	works := []store.SettlementWork{h.next(), h.next(), h.next()}
	honest, err := f.fold(works...).Calldata(1)
	require.NoError(t, err)
	last := f.fold(works[1:]...)
	data, err := last.Calldata(1)
	require.NoError(t, err)
	require.Equal(t, "WrongNumber", h.call(data).Name)
	data, err = f.fold(works...).Calldata(2)
	require.NoError(t, err)
	revert := h.call(data)
	require.Equal(t, "UnknownVerifier", revert.Name)
	require.Contains(t, revert.Detail, "circuit=aggregate, shape="+groupShape)
	swapped := f.fold(works...)
	swapped.Proof.Proof = last.Proof.Proof
	data, err = swapped.Calldata(1)
	require.NoError(t, err)
	require.Equal(t, "InvalidProof", h.call(data).Name)
	h.mined(honest)
	require.Equal(t, "WrongNumber", h.call(honest).Name, "a replayed group")
}

// What cannot settle is not packed.
func TestGroupsAreChecked(t *testing.T) {
	f := newFolder(t)
	h := newHistory(t, f.key())
	works := []store.SettlementWork{h.next(), h.next(), h.next()}
	good := f.fold(works...)
	_, err := good.Calldata(1)
	require.NoError(t, err)
	for name, change := range map[string]func(g *l1.Group){
		"empty":               func(g *l1.Group) { g.Batches = nil },
		"transition proof":    func(g *l1.Group) { g.Proof = works[0].Proof },
		"gap":                 func(g *l1.Group) { g.Batches = []l1.GroupBatch{g.Batches[0], g.Batches[2]} },
		"reordered":           func(g *l1.Group) { g.Batches[0], g.Batches[1] = g.Batches[1], g.Batches[0] },
		"repeated":            func(g *l1.Group) { g.Batches[1] = g.Batches[0] },
		"one less":            func(g *l1.Group) { g.Batches = g.Batches[:2] },
		"other old root":      func(g *l1.Group) { g.Batches[1].Words[1][31] ^= 1 },
		"other domain":        func(g *l1.Group) { g.Batches[1].Words[3][31] ^= 1 },
		"changed word":        func(g *l1.Group) { g.Batches[2].Words[5][31] ^= 1 },
		"other commitment":    func(g *l1.Group) { g.Batches[2].Commitment[31] ^= 1 },
		"word too many":       func(g *l1.Group) { g.Batches[2].Words = append(g.Batches[2].Words, settle.Element{}) },
		"word too few":        func(g *l1.Group) { g.Batches[2].Words = g.Batches[2].Words[:5] },
		"word not below r":    func(g *l1.Group) { g.Batches[2].Words[5][0] = 0xff },
		"c not below r":       func(g *l1.Group) { g.Batches[2].Commitment[0] = 0xff },
		"C not below r":       func(g *l1.Group) { g.Proof.Inputs[0][0] = 0xff },
		"other C":             func(g *l1.Group) { g.Proof.Inputs[0][31] ^= 1 },
		"other Z":             func(g *l1.Group) { g.Proof.Inputs[1][31] ^= 1 },
		"other V":             func(g *l1.Group) { g.Proof.Inputs[2][31] ^= 1 },
		"inputs of one batch": func(g *l1.Group) { g.Proof.Inputs = works[0].Proof.Inputs },
	} {
		g := l1.Group{Proof: good.Proof}
		for _, b := range good.Batches {
			g.Batches = append(g.Batches, l1.GroupBatch{Commitment: b.Commitment, Words: slices.Clone(b.Words)})
		}
		change(&g)
		_, err := g.Calldata(1)
		require.ErrorIs(t, err, l1.ErrGroup, name)
	}
	unregistered := good
	unregistered.Proof.Shape = "toy-2"
	_, err = h.reader().SettleAggregate(t.Context(), unregistered)
	require.ErrorIs(t, err, l1.ErrUnregistered)
	other := good
	other.Proof.KeyHash[0] ^= 1
	_, err = h.reader().SettleAggregate(t.Context(), other)
	require.ErrorIs(t, err, l1.ErrKeyMismatch)
}

// TestGasOfAggregation holds what a batch of shape `demo` costs on L1 alone and in a
// group, by real transactions: 21 records of the widest fields, among them an open
// and an exit, two fee accounts, all roots and commitments of full width. What the
// verifier costs depends on the key's γ, which is the generator after a ceremony,
// and neither on the circuit nor on the number of batches.
func TestGasOfAggregation(t *testing.T) {
	f := newFolder(t)
	ceremony, err := toycircuit.Ceremony()
	require.NoError(t, err)
	h := newHarnessFor(t, ceremony)
	h.deployment, err = h.deploy(l1.DeployConfig{
		Operators: []settle.Address{address(h.operator)}, Keys: []l1.VerifierKey{h.key(), f.key()},
	})
	require.NoError(t, err)
	batches := &demoBatches{h: h}
	batches.last.SetBytes(genesisRoot[:])
	h.mined(h.direct(batches.next())) // the first batch writes an empty slot
	direct := h.mined(h.direct(batches.next())).GasUsed
	const noise = 500 // zero bytes in roots, commitments and proof
	t.Logf("direct: %d gas", direct)
	require.InDelta(t, 346_900, direct, noise)
	for _, row := range []struct {
		n    int
		each int // gas per batch
	}{{1, 350_600}, {2, 195_000}, {5, 101_600}, {16, 58_800}} {
		var works []store.SettlementWork
		for range row.n {
			works = append(works, batches.next())
		}
		used := h.settleGroup(f.fold(works...)).GasUsed
		each := used / uint64(row.n)
		require.InDelta(t, row.each, each, noise)
		t.Logf("group of %d: %d gas, %d per batch, %.1f %% of direct", row.n, used, each, 100*float64(each)/float64(direct))
		if row.n == 2 {
			require.LessOrEqual(t, 100*each, 60*direct, "two batches cost more than 60 %% each")
		}
	}
}

// demoBatches makes batches of shape demo that are full of what its population has.
type demoBatches struct {
	h      *harness
	number settle.BatchNumber
	last   fr.Element
}

func (b *demoBatches) next() store.SettlementWork {
	b.number++
	d := publicdata.Data{FeeAccounts: []publicdata.FeeAccount{{Token: 0, Index: 1<<32 - 1}, {Token: 1<<32 - 1, Index: 1<<32 - 2}}}
	d.Header.Number, d.Header.OldRoot = b.number, b.last
	d.Header.NewRoot.MustSetRandom()
	b.last = d.Header.NewRoot
	d.Header.Domain.SetBytes(b.h.deployment.Domain[:])
	for i := range 21 {
		kind, to := settle.KindTransfer, settle.AccountIndex(1<<32-1)
		switch i {
		case 19:
			kind = settle.KindOpen
		case 20:
			kind, to = settle.KindExit, 0
		}
		d.Transfers = append(d.Transfers, publicdata.Transfer{Kind: kind, From: 1<<32 - 1, To: to, Amount: 1<<40 - 1, Fee: 1<<16 - 1})
	}
	d.Opens = []publicdata.Open{{Owner: d.Header.NewRoot, L1: someExits(1)[0].L1}}
	d.Exits = someExits(1)
	return b.h.workOf(d.Words(), len(d.Transfers))
}
