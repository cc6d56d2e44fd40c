package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// fixture is a migrated schema with genesis, and what a sequencer would hold in memory.
type fixture struct {
	*store.Store
	t        *testing.T
	db       *testdb.DB
	accounts []store.Account // executed state
	root     settle.Element
	last     settle.BatchNumber
	epoch    store.Epoch // of the sequencer
	submit   store.Epoch // of the submitter
	fold     store.Epoch // of the planner of groups; 0 until it is needed
	sealed   []store.SealedBatch
}

const (
	genesisAccounts = 4
	genesisBalance  = 1000
	ttl             = time.Minute
)

// digest is below the modulus of the field.
func digest(parts ...any) settle.Element {
	d := sha256.Sum256(fmt.Append(nil, parts...))
	d[0] &= 0x1f
	return d
}

func address(n uint64) (a settle.Address) {
	binary.BigEndian.PutUint64(a[12:], n)
	return a
}

// withLeaf sets a digest that depends on the account's fields; no real hash is needed here.
func withLeaf(a store.Account) store.Account {
	a.Leaf = settle.Element{}
	a.Leaf = digest(fmt.Sprintf("%+v", a))
	return a
}

func genesis() store.Genesis {
	g := store.Genesis{
		Rollup: store.Rollup{
			Domain: digest("domain"), ChainID: 1337, Address: address(0xc0de), DeployBlock: 7,
			GenesisRoot: digest("root", 0), GenesisHash: settle.Hash(digest("genesis")), UnsafeDev: true,
			Verifiers: []store.Verifier{{Circuit: settle.CircuitTransition, Shape: "tiny", KeyHash: keyHash(), Address: address(0xbeef)}},
		},
		FeeAccounts: []store.FeeAccount{{Token: 1, Index: 3, MinFee: settle.NewAmount(2)}},
	}
	for i := range genesisAccounts {
		g.Accounts = append(g.Accounts, withLeaf(store.Account{
			Index: settle.AccountIndex(i), Owner: digest("owner", i), Token: 1,
			Balance: settle.NewAmount(genesisBalance), L1: address(uint64(i) + 1),
		}))
	}
	return g
}

func keyHash() settle.KeyHash { return settle.KeyHash(digest("key")) }

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db := testdb.New(t)
	f := &fixture{Store: store.New(db.Pool), t: t, db: db, root: digest("root", 0)}
	g := genesis()
	created, err := f.InitGenesis(t.Context(), g)
	require.NoError(t, err)
	require.True(t, created)
	f.accounts = g.Accounts
	f.epoch = f.writer(store.RoleSequencer).Epoch()
	f.submit = f.writer(store.RoleSubmitter).Epoch()
	return f
}

func (f *fixture) writer(role store.Role) *store.Writer {
	f.t.Helper()
	w, err := f.AcquireWriter(f.t.Context(), role, "test")
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, w.Release(context.WithoutCancel(f.t.Context()))) })
	return w
}

// submission is a transfer of amount from an account to account 2, with fee 1.
func submission(from settle.AccountIndex, nonce settle.Nonce, amount uint64) admission.Checked {
	short, err := state.NewFloat40(settle.NewAmount(amount))
	if err != nil {
		panic(err)
	}
	s := admission.Checked{Transaction: state.Transaction{
		Kind: settle.KindTransfer, From: from, To: 2, Token: 1, Amount: short, Fee: 1,
		Nonce: nonce, ToOwner: element(digest("owner", 2)), ToL1: address(3), PublicKey: element(digest("owner", int(from))),
	}}
	s.ID = settle.Hash(digest(fmt.Sprintf("%+v", s)))
	sig := digest("signature", s.ID)
	s.Signature = schnorr.Signature{RX: element(sig), S: sig}
	return s
}

func element(e settle.Element) (x fr.Element) {
	x.SetBytes(e[:])
	return x
}

// amountOf is the exact amount of a transaction.
func amountOf(item admission.Checked) settle.Amount {
	amount, err := item.Amount.Amount()
	if err != nil {
		panic(err)
	}
	return amount
}

// admit admits items that must all be accepted and returns their ids.
func (f *fixture) admit(items ...admission.Checked) []settle.Hash {
	f.t.Helper()
	got, err := f.Admit(f.t.Context(), items)
	require.NoError(f.t, err)
	ids := make([]settle.Hash, len(items))
	for i, a := range got {
		require.Nil(f.t, a.Refusal, "%v", a.Refusal)
		require.Equal(f.t, settle.TxAccepted, a.Status)
		ids[i] = items[i].ID
	}
	return ids
}

// next builds the batch that executes items on the fixture's accounts.
func (f *fixture) next(items ...admission.Checked) (store.SealedBatch, []store.Account) {
	n := f.last + 1
	accounts := append([]store.Account(nil), f.accounts...)
	for _, item := range items {
		from, to := &accounts[item.From], &accounts[item.To]
		from.Nonce++
		from.Balance, _ = from.Balance.Sub(amountOf(item))
		from.Balance, _ = from.Balance.Sub(item.Fee.Amount())
		to.Balance, _ = to.Balance.Add(amountOf(item))
		fees := &accounts[3]
		fees.Balance, _ = fees.Balance.Add(item.Fee.Amount())
	}
	data := []byte(fmt.Sprint("witness of ", n))
	b := store.SealedBatch{
		Number: n, Shape: "tiny", KeyHash: keyHash(), OldRoot: f.root, NewRoot: digest("root", int(n)),
		Commitment: digest("c", int(n)), Words: []settle.Element{digest("w", int(n)), f.root},
		Usage:   settle.Usage{Transfers: len(items), Accounts: 3, Nodes: 16, FeeAccounts: 1},
		Witness: store.WitnessInput{Version: 1, Hash: sha256.Sum256(data), Data: data},
	}
	for _, item := range items {
		b.Transactions = append(b.Transactions, store.ExecutedTransaction{ID: item.ID})
	}
	for i := range accounts {
		if accounts[i] != f.accounts[i] {
			accounts[i] = withLeaf(accounts[i])
			b.Changes = append(b.Changes, store.AccountChange{Before: f.accounts[i], After: accounts[i]})
		}
	}
	return b, accounts
}

// seal admits items and seals them into the next batch.
func (f *fixture) seal(items ...admission.Checked) store.SealedBatch {
	f.t.Helper()
	f.admit(items...)
	b, after := f.next(items...)
	require.NoError(f.t, f.SealBatch(f.t.Context(), f.epoch, b))
	f.accounts, f.root, f.last = after, b.NewRoot, b.Number
	f.sealed = append(f.sealed, b)
	return b
}

func proofKey(n settle.BatchNumber) store.ProofKey {
	return store.ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: keyHash()}
}

// claim takes the job of a proof.
func (f *fixture) claim(k store.ProofKey) store.Lease {
	f.t.Helper()
	l, err := testdb.Lease(f.t, f.Store, k, "worker", ttl)
	require.NoError(f.t, err)
	return l
}

func (f *fixture) lease(n settle.BatchNumber) store.Lease { return f.claim(proofKey(n)) }

// envelope is a proof with the inputs that the batch's data give.
func envelope(b store.SealedBatch) settle.ProofEnvelope {
	inputs, err := publicdata.BatchInputs(b.Commitment, b.Words)
	if err != nil {
		panic(err) // of the fixture's own words
	}
	return settle.ProofEnvelope{
		Circuit: settle.CircuitTransition, Shape: b.Shape, KeyHash: b.KeyHash, Proof: []byte("proof"), Inputs: inputs,
	}
}

// prove claims the job of a batch and stores its proof.
func (f *fixture) prove(b store.SealedBatch) {
	f.t.Helper()
	out, err := f.StoreProof(f.t.Context(), f.lease(b.Number), envelope(b), store.ProofStats{})
	require.NoError(f.t, err)
	require.Equal(f.t, store.ProofOutcome{Stored: true}, out)
}

func newSettlement(n settle.BatchNumber, try int) store.NewSettlement {
	raw := []byte(fmt.Sprint("raw transaction ", n, " ", try))
	return store.NewSettlement{
		Batch: n, Last: n, RawTx: raw, TxHash: sha256.Sum256(raw), Sender: address(0xabc), Nonce: uint64(n),
		GasLimit: 500_000, MaxFee: settle.NewAmount(30e9), MaxTip: settle.NewAmount(1e9),
	}
}

func receipt(block uint64) store.Receipt {
	return store.Receipt{BlockNumber: block, BlockHash: settle.Hash(digest("block", block)), GasUsed: 400_000, EffectiveGasPrice: settle.NewAmount(20e9)}
}

// settle brings a proven batch to settled.
func (f *fixture) settle(n settle.BatchNumber) {
	f.t.Helper()
	s, err := f.PrepareSettlement(f.t.Context(), f.submit, newSettlement(n, 0))
	require.NoError(f.t, err)
	require.NoError(f.t, f.MarkSent(f.t.Context(), f.submit, s.TxHash))
	require.NoError(f.t, f.RecordMined(f.t.Context(), f.submit, s.TxHash, receipt(100+uint64(n))))
}

func (f *fixture) txStatus(id settle.Hash) settle.TxStatus {
	f.t.Helper()
	d, err := f.Transaction(f.t.Context(), id)
	require.NoError(f.t, err)
	return d.Status
}

func (f *fixture) batchStatus(n settle.BatchNumber) settle.BatchStatus {
	f.t.Helper()
	d, err := f.Batch(f.t.Context(), n)
	require.NoError(f.t, err)
	return d.Status
}

func mustExec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}
