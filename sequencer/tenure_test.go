package sequencer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// requireSound checks everything that must hold of a history whatever happened:
// the chain of roots, rows and traces that agree, no transaction twice, nonces
// in order, money conserved.
func (m *memoryDB) requireSound(t require.TestingT) {
	root := m.w.genesis.Rollup.GenesisRoot
	s := m.w.state()
	seen := map[settle.Hash]bool{}
	next := settle.AccountIndex(len(m.w.accounts))
	var total uint64 // held and paid out
	for i, b := range m.batches {
		require.EqualValues(t, i+1, b.Number)
		require.Equal(t, root, b.OldRoot, "roots do not chain")
		require.NotEmpty(t, b.Transactions, "an empty batch was sealed")
		root = b.NewRoot

		trace, err := state.DecodeTrace(b.Witness.Data)
		require.NoError(t, err)
		require.Equal(t, settle.Hash(sha256.Sum256(b.Witness.Data)), b.Witness.Hash)
		require.EqualValues(t, binary.BigEndian.Uint16(b.Witness.Data[8:]), b.Witness.Version, "WitnessVersion is not the codec's")
		shape := m.w.shapeByName(t, b.Shape)
		require.Equal(t, shape.KeyHash, b.KeyHash)
		require.Equal(t, recount(trace), b.Usage, "what was counted on the way is not what the batch has")
		smallest := slices.IndexFunc(m.w.shapes, func(s Shape) bool { return s.Capacity.Fits(b.Usage) })
		require.GreaterOrEqual(t, smallest, 0, "no shape has room")
		require.Equal(t, m.w.shapes[smallest].Name, b.Shape, "another shape would have been the first with room")

		transactions := make([]state.Transaction, len(trace.Transactions))
		for j := range trace.Transactions {
			transactions[j] = trace.Transactions[j].Transaction
			id := transactions[j].ID(m.w.domain)
			require.Equal(t, id, b.Transactions[j].ID)
			require.False(t, seen[id], "executed twice")
			seen[id] = true
			total += trace.Transactions[j].Paid.Lo
			if transactions[j].Kind != settle.KindOpen {
				require.Nil(t, b.Transactions[j].AssignedIndex)
				continue
			}
			require.Equal(t, next, transactions[j].Assigned, "indices are given out in sequence")
			require.Equal(t, &next, b.Transactions[j].AssignedIndex)
			next++
		}
		again, err := s.Apply(transactions)
		require.NoError(t, err, "the history does not apply")
		require.Equal(t, again, trace)
		c, err := again.Data().Commitment(m.w.hasher, shape.Capacity)
		require.NoError(t, err)
		require.Equal(t, settle.Element(c.Bytes()), b.Commitment)
		words := make([]fr.Element, len(b.Words))
		for j := range words {
			words[j].SetBytes(b.Words[j][:])
		}
		parsed, err := publicdata.Parse(words)
		require.NoError(t, err)
		require.Equal(t, again.Data(), parsed)
	}
	have := s.Root()
	require.Equal(t, root, settle.Element(have.Bytes()))
	require.Len(t, m.accounts(), int(next))
	for _, a := range m.accounts() {
		account := s.Account(a.Index)
		require.Equal(t, accountToStored(a.Index, account, account.Leaf(m.w.hasher)), a, "row and state differ")
		total += a.Balance.Lo
	}
	require.EqualValues(t, len(m.w.accounts)*genesisBalance, total, "money appeared or vanished")
}

// recount counts slots from what the transactions accessed, sharing nothing with the
// counts that are kept while a batch grows.
func recount(trace *state.Trace) settle.Usage {
	type node struct{ level, position int }
	accounts, nodes, tokens := map[settle.AccountIndex]bool{}, map[node]bool{}, map[settle.TokenID]bool{}
	u := settle.Usage{Transfers: len(trace.Transactions)}
	for _, x := range trace.Transactions {
		touched := []settle.AccountIndex{x.Sender.Index, x.Fee.Index}
		switch x.Transaction.Kind {
		case settle.KindTransfer:
			touched = append(touched, x.Receiver.Index)
		case settle.KindOpen:
			touched = append(touched, x.Receiver.Index)
			u.Opens++
		default:
			u.Exits++
		}
		tokens[x.Transaction.Token] = true
		for _, index := range touched {
			accounts[index] = true
			for level := range settle.TreeLevels {
				nodes[node{level + 1, int(index) >> (2 * (level + 1))}] = true
			}
		}
	}
	u.Accounts, u.Nodes, u.FeeAccounts = len(accounts), len(nodes), len(tokens)
	return u
}

func (w *world) shapeByName(t require.TestingT, name string) Shape {
	for _, s := range w.shapes {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no shape "+name)
	return Shape{}
}

// Arbitrary transfers in arbitrary order through arbitrary pages, with seals that
// fail before or after their commit: everything executable is executed once, the
// rest is rejected, and the history is sound.
func TestArbitraryHistories(t *testing.T) {
	w := newWorld(t, 8, 2, testShapes)
	pool := map[string]admission.Checked{}
	rapid.Check(t, func(rt *rapid.T) {
		db := newMemoryDB(w)
		h := newHarness(t, db, func(c *Config) {
			c.PageSize = rapid.IntRange(1, 9).Draw(rt, "page")
			c.MaxWaiting = rapid.IntRange(1, 9).Draw(rt, "waiting")
			c.Policy.MaxDeferred = rapid.IntRange(0, 4).Draw(rt, "deferred")
			c.NonceGapTimeout = time.Nanosecond
		})
		type key struct {
			from  int
			nonce settle.Nonce
		}
		used := map[key]bool{}
		lowest := map[int]settle.Nonce{} // the first missing nonce of each sender
		var subs []admission.Checked
		for range rapid.IntRange(1, 30).Draw(rt, "transfers") {
			k := key{rapid.IntRange(0, 7).Draw(rt, "from"), settle.Nonce(rapid.IntRange(0, 5).Draw(rt, "nonce"))}
			if used[k] {
				continue
			}
			used[k] = true
			to := k.from%2 + 2*rapid.IntRange(0, 3).Draw(rt, "to")
			amount := rapid.SampledFrom([]uint64{0, 1, 400_000, 900_000}).Draw(rt, "amount")
			name := fmt.Sprint(k, to, amount)
			if _, ok := pool[name]; !ok {
				pool[name] = w.submission(k.from, to, amount, k.nonce)
			}
			subs = append(subs, pool[name])
		}
		for from := range 8 {
			for used[key{from, lowest[from]}] {
				lowest[from]++
			}
		}
		db.onSeal = func(store.SealedBatch) (error, error) {
			switch rapid.IntRange(0, 9).Draw(rt, "fault") {
			case 0:
				return errCrash, nil
			case 1:
				return nil, errCrash // committed, and the answer was lost
			}
			return nil, nil
		}
		for len(subs) > 0 {
			n := rapid.IntRange(1, len(subs)).Draw(rt, "arrive")
			db.add(subs[:n]...)
			subs = subs[n:]
			if len(subs) > 0 {
				h.s.cfg.NonceGapTimeout = time.Hour
				if h.fullPass() != nil {
					h.reload()
				}
			}
		}
		h.s.cfg.NonceGapTimeout = time.Nanosecond
		h.settleDown()

		db.requireSound(rt)
		failed := map[settle.AccountIndex]settle.Nonce{}
		for _, row := range db.rows {
			switch r := db.rejected[row.ID]; {
			case row.Status == settle.TxExecuted:
			case r.Code == settle.CodeInsufficientBalance:
				failed[row.From] = row.Nonce
			default:
				require.Equal(rt, settle.CodeNonceGapExpired, r.Code, "%s: %s", row.Status, r.Detail)
			}
		}
		for _, row := range db.rows {
			stop, hasFailed := failed[row.From]
			executable := row.Nonce < lowest[int(row.From)] && (!hasFailed || row.Nonce < stop)
			require.Equal(rt, executable, row.Status == settle.TxExecuted, "account %d nonce %d", row.From, row.Nonce)
		}
	})
}

func TestNonceGapWaitsThenExpires(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, func(c *Config) { c.NonceGapTimeout = time.Hour })
	second, third := w.submission(1, 2, 5, 1), w.submission(1, 2, 5, 2)
	db.add(third, second)
	require.NoError(t, h.fullPass())
	require.Empty(t, db.batches)
	require.Equal(t, 2, h.waiting.count)

	db.add(w.submission(1, 2, 5, 0))
	require.NoError(t, h.fullPass())
	require.Len(t, db.batches, 1, "the gap is closed: all three in one batch")
	require.Len(t, db.batches[0].Transactions, 3)

	late := w.submission(2, 1, 5, 1)
	db.add(late)
	require.NoError(t, h.fullPass())
	require.Empty(t, db.rejected)
	h.s.cfg.NonceGapTimeout = time.Nanosecond
	require.NoError(t, h.fullPass())
	require.Equal(t, settle.CodeNonceGapExpired, db.rejected[late.ID].Code)
	require.Contains(t, db.rejected[late.ID].Detail, "nonce 0 of account 2")
	db.requireSound(t)
}

func TestRejectedOneByOne(t *testing.T) {
	w := newWorld(t, 6, 2, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	db.add(w.submission(2, 4, 5, 0))
	h.settleDown()

	poor := w.submission(4, 2, 2*genesisBalance, 0)
	expired := w.transfer(3, 5, 5, 0)
	expired.ValidUntil = 1
	waitingExpired := w.transfer(5, 3, 5, 1)
	waitingExpired.ValidUntil = 1
	stale := w.submission(2, 4, 6, 0)
	damaged := w.submission(5, 3, 5, 0)
	forged := w.submission(3, 5, 7, 0)
	forged.Amount, forged.ID = 8, settle.Hash{1}
	wrongPair := w.submission(0, 2, 7, 0)
	good := w.submission(2, 4, 5, 1)
	rows := []admission.Checked{poor, w.check(expired), w.check(waitingExpired), stale, damaged, forged, good, wrongPair}
	db.add(rows...)
	db.row(damaged.ID).Damage = errors.New("no transaction")
	h.settleDown()
	for i, code := range []settle.Code{
		settle.CodeInsufficientBalance, settle.CodeExpired, settle.CodeExpired, settle.CodeStaleNonce, settle.CodeInternal, settle.CodeBadSignature, "", "",
	} {
		require.Equal(t, code, db.rejected[rows[i].ID].Code, "%d: %s", i, db.rejected[rows[i].ID].Detail)
		if code == "" {
			require.Equal(t, []settle.TxStatus{settle.TxExecuted}, db.status(rows[i].ID))
		} else {
			require.NotEmpty(t, db.rejected[rows[i].ID].Detail)
		}
	}
	db.requireSound(t)
}

// A batch that Postgres will not take for what is in it is halved until the one
// transaction is found; the others are executed.
func TestPoisonIsFoundAndSetAside(t *testing.T) {
	w := newWorld(t, 12, 1, testShapes)
	db := newMemoryDB(w)
	var subs []admission.Checked
	for i := 1; i < 12; i++ {
		subs = append(subs, w.submission(i, i%11+1, 5, 0))
	}
	poison := subs[4].ID
	db.onSeal = func(b store.SealedBatch) (error, error) {
		for _, tx := range b.Transactions {
			if tx.ID == poison {
				return &pgconn.PgError{Code: "23514", Message: "check constraint"}, nil
			}
		}
		return nil, nil
	}
	h := newHarness(t, db, nil)
	db.add(subs...)
	h.settleDown()
	require.Equal(t, settle.CodeInternal, db.rejected[poison].Code)
	require.NotContains(t, db.rejected[poison].Detail, "constraint", "our insides are not the submitter's business")
	require.Len(t, db.rejected, 1)
	require.Empty(t, h.s.poison)
	executed := 0
	for _, b := range db.batches {
		executed += len(b.Transactions)
	}
	require.Equal(t, len(subs)-1, executed)
	require.Zero(t, h.s.limit, "batches grow again")
	db.requireSound(t)
}

// A failure of the database is nobody's fault: nothing is set aside for it.
func TestDatabaseFailuresBlameNobody(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	db.add(w.submission(1, 2, 5, 0))
	failures := 5
	db.onSeal = func(store.SealedBatch) (error, error) {
		if failures--; failures >= 0 {
			return &pgconn.PgError{Code: "53100", Message: "disk full"}, nil
		}
		return nil, nil
	}
	h.settleDown()
	require.Empty(t, db.rejected)
	require.Len(t, db.batches, 1)
}

// Code of ours that panics costs one transaction; the open batch is made anew.
func TestStepPanicIsSetAside(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, nil)
	good, bad := w.submission(1, 2, 5, 0), w.submission(2, 1, 5, 0)
	db.add(good, bad)
	work, err := h.candidates(db.rows)
	require.NoError(t, err)
	require.NoError(t, h.step(work[0]))
	h.batch = new(state.Batch) // panics on every use
	require.NoError(t, h.step(work[1]))
	require.NoError(t, h.writeRejections(t.Context()))
	require.Equal(t, 1, h.batch.Len(), "the open batch was not made anew")
	require.NoError(t, h.fullPass())
	require.Equal(t, []settle.TxStatus{settle.TxExecuted}, db.status(good.ID))
	require.Equal(t, settle.CodeInternal, db.rejected[bad.ID].Code)
	db.requireSound(t)
}

func TestBlockedByUnprovenBacklog(t *testing.T) {
	w := newWorld(t, 12, 1, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, func(c *Config) { c.Policy.MaxUnproven = 2 })
	for nonce := range settle.Nonce(3) {
		for i := range 12 {
			db.add(w.submission(i, (i+1)%12, 5, nonce))
		}
	}
	require.ErrorIs(t, h.fullPass(), errBlocked)
	h.block(false)
	require.Len(t, db.batches, 2)
	require.ErrorIs(t, h.fullPass(), errBlocked)
	require.Len(t, db.batches, 2, "sealed above the bound")
	for len(db.batches) < 6 {
		before := len(db.batches)
		db.unproven = 1 // one proof came in
		if err := h.fullPass(); err != nil {
			require.ErrorIs(t, err, errBlocked)
			h.block(false)
		}
		if len(db.batches) == before {
			break
		}
	}
	executed := 0
	for _, b := range db.batches {
		executed += len(b.Transactions)
	}
	require.Equal(t, 36, executed)
	require.Empty(t, db.rejected)
	db.requireSound(t)
}

// Two tokens that alternate share batches with their own kind, not one batch each.
func TestAlternatingTokensFillBatches(t *testing.T) {
	w := newWorld(t, 8, 2, testShapes)
	db := newMemoryDB(w)
	h := newHarness(t, db, func(c *Config) { c.Policy.MaxDeferred = 8 })
	for nonce := range settle.Nonce(2) {
		for i := range 8 {
			db.add(w.submission(i, (i+2)%8, 5, nonce))
		}
	}
	h.settleDown()
	require.Len(t, db.batches, 2)
	db.requireSound(t)
}

func TestLoadRefusals(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	db := newMemoryDB(w)
	ctx := context.Background()
	_, err := load(ctx, db, w.hasher, []Shape{{Name: "tiny", KeyHash: settle.KeyHash{7}}})
	require.ErrorIs(t, err, ErrKeyMismatch)

	leaf := w.genesis.Accounts[2].Leaf
	w.genesis.Accounts[2].Leaf = w.genesis.Accounts[1].Leaf
	_, err = load(ctx, db, w.hasher, testShapes)
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2 does not hash to its stored digest")
	require.ErrorContains(t, err, "Restore the database")
	w.genesis.Accounts[2].Leaf = leaf

	all := w.genesis.Accounts
	w.genesis.Accounts = all[:3]
	_, err = load(ctx, db, w.hasher, testShapes)
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "accounts are missing")

	w.genesis.Accounts = all
	for _, spoil := range []func(*store.Account){
		func(a *store.Account) { a.Owner = settle.Element{0xff} },
		func(a *store.Account) { a.Leaf = settle.Element{0xff} },
		func(a *store.Account) { a.Owner = settle.Element{} },
	} {
		sound := all[1]
		spoil(&all[1])
		_, err = load(ctx, db, w.hasher, testShapes)
		require.ErrorIs(t, err, ErrStateMismatch)
		require.ErrorContains(t, err, "account 1")
		all[1] = sound
	}
	_, err = load(ctx, db, w.hasher, testShapes)
	require.NoError(t, err)
}

// Fields that are not those of their intact digest pass the start. Whoever would use
// them stops the sequencer before anything is decided on them: nothing is rejected.
func TestDamagedFieldsStopWhoUsesThem(t *testing.T) {
	for name, damage := range map[string]func(*store.Account){
		"poorer": func(a *store.Account) { a.Balance = settle.Amount{} },
		"richer": func(a *store.Account) { a.Balance = settle.NewAmount(genesisBalance + 1) },
		"nonce":  func(a *store.Account) { a.Nonce = 3 },
		"behind": func(a *store.Account) { a.Token = 5 },
	} {
		w := newWorld(t, 4, 1, testShapes)
		unrelated := w.submission(1, 3, 5, 0)
		users := []admission.Checked{w.submission(2, 3, 5, 0), w.submission(2, 3, 5, 1), w.submission(1, 2, 5, 1)}
		damage(&w.genesis.Accounts[2])
		for _, sub := range users {
			db := newMemoryDB(w)
			h := newHarness(t, db, nil)
			db.add(unrelated)
			require.NoError(t, h.fullPass(), "the others go on")
			db.add(sub)
			err := h.fullPass()
			require.ErrorIs(t, err, ErrStateMismatch, "%s: nonce %d of %d", name, sub.Nonce, sub.From)
			require.ErrorIs(t, err, state.ErrDamaged)
			require.ErrorContains(t, err, "account 2")
			require.ErrorContains(t, err, "Restore the database")
			require.Len(t, db.batches, 1)
			require.Empty(t, db.rejected)
		}
	}
}
