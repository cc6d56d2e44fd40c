package l1_test

import (
	"context"
	"crypto/ecdsa"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
	"github.com/zksettle/settle/verifier"
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

const (
	shape = "toy"
	epoch = store.Epoch(7)
)

var genesisRoot = settle.Element{31: 99}

// harness is a chain with a deployed rollup whose verifier is real, for a toy circuit.
type harness struct {
	t          *testing.T
	chain      *devchain.Chain
	client     *l1.Conn
	prover     *toycircuit.Prover
	deployment l1.Deployment
	operator   *ecdsa.PrivateKey
	rows       *memory
	node       *faulty
	log        *slog.Logger
	now        time.Time
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	prover, err := toycircuit.Setup()
	require.NoError(t, err)
	return newHarnessFor(t, prover)
}

func newHarnessFor(t *testing.T, prover *toycircuit.Prover) *harness {
	t.Helper()
	chain, err := devchain.Start(t.Context(), devchain.Config{Mining: devchain.Manual})
	require.NoError(t, err)
	t.Cleanup(func() { _ = chain.Close() })
	client, err := l1.Dial(t.Context(), chain.URL(), chain.ChainID())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	h := &harness{t: t, chain: chain, client: client, prover: prover, operator: chain.Keys()[1], now: time.Now()}
	h.deployment, err = h.deploy(l1.DeployConfig{
		Operators: []settle.Address{address(h.operator), address(chain.Keys()[2])},
	})
	require.NoError(t, err)
	h.untilFinality()
	h.rows = newMemory(h)
	h.log = slog.New(slog.NewTextHandler(t.Output(), nil))
	h.node = &faulty{Conn: client, h: h}
	return h
}

// untilFinality makes blocks until the chain finalizes its head, so that it does
// not do so by itself in the course of a short test.
func (h *harness) untilFinality() {
	h.t.Helper()
	for {
		number, err := h.client.BlockNumber(h.t.Context())
		require.NoError(h.t, err)
		if number%devchain.FinalityBlocks == 0 {
			return
		}
		h.chain.Commit()
	}
}

func address(key *ecdsa.PrivateKey) settle.Address {
	return settle.Address(crypto.PubkeyToAddress(key.PublicKey))
}

func (h *harness) key() l1.VerifierKey {
	h.t.Helper()
	words, err := verifier.Words(h.prover.VerifyingKey)
	require.NoError(h.t, err)
	hash, err := verifier.KeyHash(h.prover.VerifyingKey)
	require.NoError(h.t, err)
	return l1.VerifierKey{Circuit: settle.CircuitTransition, Shape: shape, Words: words, Hash: hash, UnsafeDev: true}
}

// deploy deploys with defaults while blocks are made.
func (h *harness) deploy(cfg l1.DeployConfig) (l1.Deployment, error) {
	h.t.Helper()
	cfg.ChainID = h.chain.ChainID()
	cfg.GenesisRoot, cfg.GenesisHash = genesisRoot, settle.Hash{1}
	cfg.UnsafeDevKeys, cfg.Poll = true, 2*time.Millisecond
	if cfg.Keys == nil {
		cfg.Keys = []l1.VerifierKey{h.key()}
	}
	defer h.mine()()
	return l1.Deploy(h.t.Context(), h.client, h.chain.Keys()[0], cfg)
}

// mine makes blocks until the returned function is called, which returns when the
// last one is made: a chain that is closed under it ends the process.
func (h *harness) mine() (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			h.chain.Commit()
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

func (h *harness) config() l1.SubmitterConfig {
	return l1.SubmitterConfig{
		ChainID: h.chain.ChainID(), Rollup: h.deployment.Rollup, DeployBlock: h.deployment.Block, Key: h.operator, Epoch: epoch,
		MaxInFlight: 1, StuckAfter: time.Minute, Poll: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Now: func() time.Time { return h.now },
		Logger: h.log,
	}
}

func (h *harness) submitter() *l1.Submitter {
	h.t.Helper()
	s, err := l1.NewSubmitter(h.t.Context(), h.node, h.rows, h.config())
	require.NoError(h.t, err)
	return s
}

func (h *harness) reader() *l1.Client { return l1.NewClient(h.client, h.deployment.Rollup) }

// step makes one step and requires its action.
func (h *harness) step(s *l1.Submitter, want l1.Action) {
	h.t.Helper()
	outcome, err := s.Step(h.t.Context())
	require.NoError(h.t, err)
	require.Equal(h.t, want, outcome.Action)
}

// prove appends n proven batches of `transfers` transfers each.
func (h *harness) prove(n, transfers int) {
	h.t.Helper()
	for range n {
		number, old := settle.BatchNumber(len(h.rows.batches)+1), genesisRoot
		if number > 1 {
			old = h.rows.batches[number-2].work.Batch.NewRoot
		}
		h.rows.add(h.work(number, old, h.deployment.Domain, transfers))
	}
}

func (h *harness) work(number settle.BatchNumber, oldRoot, domain settle.Element, transfers int) store.SettlementWork {
	h.t.Helper()
	words := make([]fr.Element, publicdata.Length(1, 0, transfers, 0, 0))
	for i := range words {
		words[i].MustSetRandom()
	}
	words[0].SetUint64(uint64(number))
	words[1].SetBytes(oldRoot[:])
	words[3].SetBytes(domain[:])
	words[4] = publicdata.Pack(publicdata.U(1, 32), publicdata.U(0, 32), publicdata.U(uint64(transfers), 32))
	return h.workOf(words, transfers)
}

// workOf proves what a batch of these words needs to be settled.
func (h *harness) workOf(words []fr.Element, transfers int) store.SettlementWork {
	h.t.Helper()
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
		Number: settle.BatchNumber(words[0].Uint64()), Status: settle.BatchProven, Shape: shape, KeyHash: w.Proof.KeyHash,
		OldRoot: w.Words[1], NewRoot: w.Words[2], Commitment: w.Proof.Inputs[0], Transactions: transfers,
	}
	return w
}

// requireOnChain compares root and number on L1 with batch n of the store.
func (h *harness) requireOnChain(n settle.BatchNumber) {
	h.t.Helper()
	number, err := h.reader().BatchNumber(h.t.Context())
	require.NoError(h.t, err)
	require.Equal(h.t, n, number)
	want := genesisRoot
	if n > 0 {
		want = h.rows.batches[n-1].work.Batch.NewRoot
	}
	root, err := h.reader().Root(h.t.Context())
	require.NoError(h.t, err)
	require.Equal(h.t, want, root)
}

// faulty is a node whose calls can be made to fail.
type faulty struct {
	*l1.Conn
	h *harness

	mu      sync.Mutex
	down    error                // of every call
	asked   chan<- struct{}      // hears of nonces asked for while it is down
	onSend  func() error         // instead of sending, when not nil
	behind  uint64               // subtracted from the head
	balance *big.Int             // of every account, when not nil
	guess   func(uint64) uint64  // changes estimates of gas, when not nil
	sent    []*types.Transaction // that came so far as to be sent
}

func (f *faulty) Block(ctx context.Context, number rpc.BlockNumber) (l1.Block, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return l1.Block{}, f.down
	}
	block, err := f.Conn.Block(ctx, number)
	if number != rpc.LatestBlockNumber || f.behind == 0 || err != nil {
		return block, err
	}
	return f.Conn.Block(ctx, rpc.BlockNumber(block.Number-f.behind))
}

func (f *faulty) NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		select {
		case f.asked <- struct{}{}:
		default: // that many are enough, or nobody listens
		}
		return 0, f.down
	}
	return f.Conn.NonceAt(ctx, account, block)
}

func (f *faulty) BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error) {
	if f.balance != nil {
		return f.balance, nil
	}
	return f.Conn.BalanceAt(ctx, account, block)
}

func (f *faulty) EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error) {
	gas, err := f.Conn.EstimateGas(ctx, call)
	if f.guess != nil && err == nil {
		gas = f.guess(gas)
	}
	return gas, err
}

// SendTransaction requires that the very transaction is stored and live.
func (f *faulty) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	row, err := f.h.rows.SettlementByHash(ctx, settle.Hash(tx.Hash()))
	require.NoError(f.h.t, err, "sent before it was stored")
	raw, err := tx.MarshalBinary()
	require.NoError(f.h.t, err)
	require.Equal(f.h.t, raw, row.RawTx)
	f.sent = append(f.sent, tx)
	if f.onSend != nil {
		return f.onSend()
	}
	return f.Conn.SendTransaction(ctx, tx)
}
