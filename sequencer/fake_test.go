package sequencer

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// errCrash is a failure that the fake store was told to have.
var errCrash = errors.New("crash")

// memoryDB keeps what the sequencer reads and writes, with faults on demand. It
// stands in for Postgres where a test needs thousands of runs or a fault that a
// real server does not have on demand; postgres_test.go uses the real one.
type memoryDB struct {
	Store
	w        *world
	rows     []store.Transaction
	batches  []store.SealedBatch
	rejected map[settle.Hash]store.Rejection
	unproven int64

	onSeal func(store.SealedBatch) (before, after error) // errors before and after the commit
}

func newMemoryDB(w *world) *memoryDB {
	return &memoryDB{w: w, rejected: map[settle.Hash]store.Rejection{}}
}

func (m *memoryDB) add(subs ...admission.Checked) {
	for _, s := range subs {
		m.rows = append(m.rows, store.Transaction{
			Checked: s, Sequence: int64(len(m.rows) + 1), ReceivedAt: time.Now(), Status: settle.TxAccepted,
		})
	}
}

func (m *memoryDB) Backlog(context.Context) (store.Backlog, error) {
	return store.Backlog{Unproven: m.unproven}, nil
}

func (m *memoryDB) AcceptedTransactions(_ context.Context, after int64, limit int) (page []store.Transaction, _ error) {
	for _, r := range m.rows {
		if r.Status == settle.TxAccepted && r.Sequence > after && len(page) < limit {
			page = append(page, r)
		}
	}
	slices.SortFunc(page, func(a, b store.Transaction) int { return int(a.Sequence - b.Sequence) })
	return page, nil
}

func (m *memoryDB) row(id settle.Hash) *store.Transaction {
	i := slices.IndexFunc(m.rows, func(r store.Transaction) bool { return r.ID == id && r.Status == settle.TxAccepted })
	if i < 0 {
		return nil
	}
	return &m.rows[i]
}

func (m *memoryDB) RejectTransactions(_ context.Context, _ store.Epoch, rs []store.Rejection) error {
	for _, r := range rs {
		row := m.row(r.ID)
		if row == nil {
			return store.ErrIllegalTransition
		}
		row.Status = settle.TxRejected
		m.rejected[r.ID] = r
	}
	return nil
}

func (m *memoryDB) SealBatch(_ context.Context, _ store.Epoch, b store.SealedBatch) error {
	var after error
	if m.onSeal != nil {
		var before error
		if before, after = m.onSeal(b); before != nil {
			return before
		}
	}
	root := m.w.genesis.Rollup.GenesisRoot
	if len(m.batches) > 0 {
		root = m.batches[len(m.batches)-1].NewRoot
	}
	if int(b.Number) != len(m.batches)+1 || b.OldRoot != root {
		return errors.New("the batch does not follow the last one")
	}
	for _, tx := range b.Transactions {
		row := m.row(tx.ID)
		if row == nil {
			return store.ErrIllegalTransition
		}
		row.Status = settle.TxExecuted
	}
	m.batches = append(m.batches, b)
	m.unproven++
	return after
}

func (m *memoryDB) Rollup(context.Context) (store.Rollup, error) { return m.w.genesis.Rollup, nil }
func (m *memoryDB) FeeAccounts(context.Context) ([]store.FeeAccount, error) {
	return m.w.genesis.FeeAccounts, nil
}

func (m *memoryDB) LastBatch(context.Context) (store.Batch, error) {
	if len(m.batches) == 0 {
		return store.Batch{}, store.ErrNotFound
	}
	b := m.batches[len(m.batches)-1]
	return store.Batch{Number: b.Number, NewRoot: b.NewRoot}, nil
}

func (m *memoryDB) EachAccount(_ context.Context, f func(store.Account) error) error {
	for _, a := range m.accounts() {
		if err := f(a); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryDB) AccountsAstray(context.Context, int) ([]settle.AccountIndex, error) {
	return nil, nil
}

// accounts are genesis and all changes.
func (m *memoryDB) accounts() []store.Account {
	byIndex := map[settle.AccountIndex]store.Account{}
	for _, a := range m.w.genesis.Accounts {
		byIndex[a.Index] = a
	}
	for _, b := range m.batches {
		for _, c := range b.Changes {
			byIndex[c.After.Index] = c.After
		}
	}
	accounts := make([]store.Account, 0, len(byIndex))
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		accounts = append(accounts, byIndex[index])
	}
	return accounts
}

func (m *memoryDB) status(id settle.Hash) (statuses []settle.TxStatus) {
	for _, r := range m.rows {
		if r.ID == id {
			statuses = append(statuses, r.Status)
		}
	}
	return statuses
}

func testConfig(s Store, w *world) Config {
	return Config{
		Store: s, Hasher: w.hasher, Logger: slog.New(slog.DiscardHandler),
		Policy: Policy{Shapes: w.shapes, MaxAge: time.Nanosecond, MaxUnproven: 1000, MaxDeferred: 4},
	}
}

// harness runs passes of a tenure by hand, and reloads as Run does.
type harness struct {
	t  testing.TB
	db *memoryDB
	s  *Sequencer
	*tenure
}

func newHarness(t testing.TB, db *memoryDB, change func(*Config)) *harness {
	t.Helper()
	cfg := testConfig(db, db.w)
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	h := &harness{t: t, db: db, s: s}
	h.reload()
	return h
}

func (h *harness) reload() {
	h.t.Helper()
	h.tenure = &tenure{Sequencer: h.s, Tenure: leader.Tenure{Working: func() {}, Progressed: func() {}}}
	var err error
	h.state, err = load(context.Background(), h.db, h.db.w.hasher, h.s.cfg.Policy.Shapes)
	require.NoError(h.t, err)
	require.NoError(h.t, h.begin(context.Background()))
}

// fullPass is one pass from the start.
func (h *harness) fullPass() error {
	h.full = true
	_, err := h.pass(context.Background(), false)
	return err
}

// settleDown passes and reloads until every transaction has met its fate.
func (h *harness) settleDown() {
	h.t.Helper()
	for range 200 {
		if err := h.fullPass(); err != nil {
			h.reload()
		}
		if !slices.ContainsFunc(h.db.rows, func(r store.Transaction) bool { return r.Status == settle.TxAccepted }) {
			return
		}
	}
	require.Fail(h.t, "some transactions stay accepted for ever")
}
