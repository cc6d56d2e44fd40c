package l1_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// postgres is a rollup in a real store: each batch is one transfer of account 0.
type postgres struct {
	h     *harness
	pool  *pgxpool.Pool
	store *store.Store
	last  store.Account
}

func newPostgres(t *testing.T, h *harness) *postgres {
	t.Helper()
	pool := testdb.New(t).Pool
	s := store.New(pool)
	account := store.Account{Owner: settle.Element{31: 1}, Balance: settle.NewAmount(1_000_000), L1: settle.Address{1}, Leaf: settle.Element{31: 2}}
	d := h.deployment
	v := d.Verifiers[0]
	_, err := s.InitGenesis(t.Context(), store.Genesis{
		Rollup: store.Rollup{
			Domain: d.Domain, ChainID: d.ChainID, Address: d.Rollup, DeployBlock: d.Block,
			GenesisRoot: d.GenesisRoot, GenesisHash: d.GenesisHash, UnsafeDev: true,
			Verifiers: []store.Verifier{{Circuit: v.Circuit, Shape: v.Shape, KeyHash: v.KeyHash, Address: v.Verifier}},
		},
		Accounts:    []store.Account{account},
		FeeAccounts: []store.FeeAccount{{}},
	})
	require.NoError(t, err)
	return &postgres{h, pool, s, account}
}

// forge writes another proof over a stored one, behind everybody's back.
func (p *postgres) forge(n settle.BatchNumber, proof settle.ProofEnvelope) {
	t := p.h.t
	t.Helper()
	inputs := slices.Concat(proof.Inputs[0][:], proof.Inputs[1][:], proof.Inputs[2][:])
	err := pgx.BeginFunc(t.Context(), p.pool, func(tx pgx.Tx) error {
		for _, sql := range []string{
			"create temp table forged on commit drop as select * from proofs where batch = $1 and circuit = $2",
			"delete from proofs where batch = $1 and circuit = $2",
		} {
			if _, err := tx.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol, uint32(n), proof.Circuit); err != nil {
				return err
			}
		}
		_, err := tx.Exec(t.Context(), "update forged set proof = $1, inputs = $2", proof.Proof, inputs)
		if err == nil {
			_, err = tx.Exec(t.Context(), "insert into proofs select * from forged")
		}
		return err
	})
	require.NoError(t, err)
}

// prove admits a transfer, seals it into batch n, and stores a real proof.
func (p *postgres) prove(n settle.BatchNumber, oldRoot settle.Element) store.SettlementWork {
	t, ctx := p.h.t, p.h.t.Context()
	t.Helper()
	work := p.h.work(n, oldRoot, p.h.deployment.Domain, 1)
	var owner fr.Element
	owner.SetBytes(p.last.Owner[:])
	tx := admission.Checked{ID: settle.Hash{31: byte(n)}, Transaction: state.Transaction{
		Kind: settle.KindTransfer, Amount: 1, Nonce: p.last.Nonce, ToOwner: owner, ToL1: p.last.L1, PublicKey: owner,
		Signature: schnorr.Signature{S: [32]byte{31: 1}},
	}}
	admitted, err := p.store.Admit(ctx, []admission.Checked{tx})
	require.NoError(t, err)
	require.Nil(t, admitted[0].Refusal)

	after := p.last
	after.Nonce++
	after.Leaf[0]++
	sequencer := p.acquire(store.RoleSequencer)
	witness := []byte("witness")
	require.NoError(t, p.store.SealBatch(ctx, sequencer.Epoch(), store.SealedBatch{
		Number: n, Shape: shape, KeyHash: work.Batch.KeyHash, OldRoot: oldRoot, NewRoot: work.Batch.NewRoot,
		Commitment: work.Batch.Commitment, Words: work.Words, Usage: settle.Usage{Transfers: 1, Accounts: 1, Nodes: 16, FeeAccounts: 1},
		Transactions: []store.ExecutedTransaction{{ID: tx.ID}},
		Changes:      []store.AccountChange{{Before: p.last, After: after}},
		Witness:      store.WitnessInput{Version: 1, Hash: sha256.Sum256(witness), Data: witness},
	}))
	require.NoError(t, sequencer.Release(ctx))
	p.last = after

	lease := testdb.MustLease(t, p.store, store.ProofKey{Batch: n, Circuit: settle.CircuitTransition, KeyHash: work.Batch.KeyHash})
	_, err = p.store.StoreProof(ctx, lease, work.Proof, store.ProofStats{})
	require.NoError(t, err)
	return work
}

// acquire takes a role. Postgres frees the lock of a closed connection a little
// after it was closed.
func (p *postgres) acquire(r store.Role) (role *store.Writer) {
	p.h.t.Helper()
	require.Eventually(p.h.t, func() (ok bool) {
		var err error
		role, err = p.store.AcquireWriter(p.h.t.Context(), r, "test")
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	return role
}

func (p *postgres) submitter() (*l1.Submitter, *store.Writer) {
	p.h.t.Helper()
	role := p.acquire(store.RoleSubmitter)
	cfg := p.h.config()
	cfg.Epoch = role.Epoch()
	s, err := l1.NewSubmitter(p.h.t.Context(), p.h.client, p.store, cfg)
	require.NoError(p.h.t, err)
	return s, role
}

func (p *postgres) requireStatus(n settle.BatchNumber, want settle.BatchStatus) *store.Settlement {
	p.h.t.Helper()
	b, err := p.store.Batch(p.h.t.Context(), n)
	require.NoError(p.h.t, err)
	require.Equal(p.h.t, want, b.Status)
	return b.Settlement
}

// TestSubmitterOnPostgres goes through sending, a take-over by another process,
// mining, a reorg, mining again, a settlement by another operator and finality,
// with the real store and real proofs.
func TestSubmitterOnPostgres(t *testing.T) {
	h := newHarness(t)
	p := newPostgres(t, h)
	h.now = time.Now()
	first := p.prove(1, genesisRoot)
	second := p.prove(2, first.Batch.NewRoot)

	s, role := p.submitter()
	h.step(s, l1.Sent)
	sent := p.requireStatus(1, settle.BatchSettling)
	require.Equal(t, store.SettlementSent, sent.Status)
	require.NoError(t, role.Release(t.Context()))

	// The next process finds the transaction in flight.
	old := s
	s, _ = p.submitter()
	h.step(s, l1.Waiting)
	h.chain.Commit()
	_, err := old.Step(t.Context())
	require.ErrorIs(t, err, store.ErrFenced)
	h.step(s, l1.Recorded)
	settled := p.requireStatus(1, settle.BatchSettled)
	require.Equal(t, sent.TxHash, settled.TxHash)
	require.Equal(t, store.SettlementMined, settled.Status)
	require.NotZero(t, settled.Receipt.GasUsed)

	require.NoError(t, h.chain.Reorg(1))
	h.step(s, l1.Sent)
	again := p.requireStatus(1, settle.BatchSettling)
	require.NotEqual(t, sent.TxHash, again.TxHash)
	require.Equal(t, sent.Nonce, again.Nonce)
	h.chain.Commit()
	h.step(s, l1.Recorded)
	p.requireStatus(1, settle.BatchSettled)

	// Another operator settles batch 2 while ours is pending.
	h.step(s, l1.Sent)
	ours := p.requireStatus(2, settle.BatchSettling)
	h.sendAs(2, 0, h.transaction(ours).To(), h.transaction(ours).Data())
	h.chain.Commit()
	h.step(s, l1.Recorded)
	foreign := p.requireStatus(2, settle.BatchSettled)
	require.Equal(t, address(h.chain.Keys()[2]), foreign.Sender)
	h.step(s, l1.Idle)

	h.chain.Finalize()
	h.step(s, l1.Idle)
	p.requireStatus(1, settle.BatchFinal)
	p.requireStatus(2, settle.BatchFinal)
	root, err := h.reader().Root(t.Context())
	require.NoError(t, err)
	require.Equal(t, second.Batch.NewRoot, root)
}

// TestStuckOnPostgres replaces a stuck transaction, and the replaced one wins.
func TestStuckOnPostgres(t *testing.T) {
	h := newHarness(t)
	p := newPostgres(t, h)
	p.prove(1, genesisRoot)
	s, _ := p.submitter()
	h.step(s, l1.Sent)
	first := p.requireStatus(1, settle.BatchSettling)
	h.now = time.Now().Add(time.Hour)
	h.step(s, l1.Replaced)
	second := p.requireStatus(1, settle.BatchSettling)
	require.NotEqual(t, first.TxHash, second.TxHash)
	// Nodes that never heard of the replacement mine the first.
	h.chain.DropPending()
	require.NoError(t, h.client.SendTransaction(t.Context(), h.transaction(first)))
	h.chain.Commit()
	h.step(s, l1.Recorded)
	require.Equal(t, first.TxHash, p.requireStatus(1, settle.BatchSettled).TxHash)
}

func (h *harness) transaction(row *store.Settlement) *types.Transaction {
	h.t.Helper()
	tx := new(types.Transaction)
	require.NoError(h.t, tx.UnmarshalBinary(row.RawTx))
	return tx
}
