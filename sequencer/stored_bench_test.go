package sequencer

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

var benchLogAccounts = flag.Int("bench-log-accounts", 12, "log2 of the number of accounts of BenchmarkStored, at least 6")

// BenchmarkStored fills a real Postgres with a genesis of 2^bench-log-accounts
// accounts, seals 50 batches on it, and then times what grows with the accounts:
// the genesis itself, a restart of the sequencer, and history.
func BenchmarkStored(b *testing.B) {
	w := crowd(b, 1<<*benchLogAccounts)
	db := testdb.New(b)
	begun := time.Now()
	r := rigOn(b, db.URL, db.Schema, w)
	genesis, accounts := time.Since(begun), len(w.accounts)
	w.accounts, w.genesis.Accounts = slices.Clone(w.accounts[:len(w.keys)]), slices.Clone(w.genesis.Accounts[:len(w.keys)]) // not the sequencer's memory
	b.Run("genesis", func(b *testing.B) {
		for b.Loop() { // written above, once
		}
		b.ReportMetric(genesis.Seconds(), "s")
		b.ReportMetric(0, "ns/op")
	})
	const batches = 50
	sealBatches(b, r, batches)
	b.Run("restart", func(b *testing.B) { benchRestart(b, r) })
	random := rand.New(rand.NewPCG(1, 2))
	account := func() settle.AccountIndex { return settle.AccountIndex(random.IntN(accounts)) }
	b.Run("account-at", func(b *testing.B) {
		for b.Loop() {
			index := account()
			if random.IntN(2) == 0 {
				index = settle.AccountIndex(random.IntN(len(w.keys))) // has changes
			}
			_, err := r.store.AccountAt(context.Background(), index, settle.BatchNumber(random.IntN(batches+1)))
			require.NoError(b, err)
		}
	})
	var tree *state.Tree
	b.Run("proof-first", func(b *testing.B) {
		for b.Loop() {
			tree = treeAt(b, r, batches/2)
			tree.Siblings(account())
		}
	})
	b.Run("proof-another-batch", func(b *testing.B) {
		if tree == nil {
			tree = treeAt(b, r, batches/2)
		}
		for b.Loop() {
			moveTree(b, r, tree, batches/2, batches).Siblings(account())
		}
	})
	b.Run("proof-known-batch", func(b *testing.B) {
		for b.Loop() {
			index := account()
			_, err := r.store.AccountAt(context.Background(), index, batches/2)
			require.NoError(b, err)
			tree.Siblings(index)
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			_, err := Check(context.Background(), r.store, w.hasher)
			require.NoError(b, err)
		}
	})
}

// crowd is a world with many accounts, of whom the first 64 can sign.
func crowd(b *testing.B, n int) *world {
	b.Helper()
	w := newWorld(b, 64, 1, []Shape{largeShape})
	for i := len(w.accounts); i < n; i++ {
		a := state.Account{Balance: settle.NewAmount(uint64(i) * 1e15), L1: settle.Address{0: 1, 18: byte(i >> 8), 19: byte(i)}}
		a.Owner.SetUint64(uint64(i))
		a.Owner.Square(&a.Owner).Inverse(&a.Owner) // as long as a real key
		w.accounts = append(w.accounts, state.Indexed{Index: settle.AccountIndex(i), Account: a})
	}
	leaves, indices := make([]fr.Element, n), make([]settle.AccountIndex, n)
	w.genesis.Accounts = make([]store.Account, n)
	var workers sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for worker := range cores {
		workers.Go(func() {
			for i := worker; i < n; i += cores {
				a := w.accounts[i]
				leaves[i], indices[i] = a.Leaf(w.hasher), a.Index
				w.genesis.Accounts[i] = accountToStored(a.Index, a.Account, leaves[i])
			}
		})
	}
	workers.Wait()
	root := state.BuildTree(w.hasher, indices, leaves).Root()
	w.genesis.Rollup.GenesisRoot = root.Bytes()
	return w
}

// sealBatches has the sequencer seal batches of 20 transfers among those who can sign.
func sealBatches(b *testing.B, r *rig, n int) {
	b.Helper()
	cfg := r.config()
	cfg.Policy.MaxAge = time.Hour
	run := start(b, cfg)
	nonces := make([]settle.Nonce, len(r.keys))
	for batch := range n {
		for i := range 20 {
			from := (batch*7 + i) % len(r.keys)
			r.admit(r.submission(from, (from+13)%len(r.keys), 3, nonces[from]))
			nonces[from]++
		}
		run.Flush()
		r.settled()
	}
	run.halt()
	last, err := r.store.LastBatch(context.Background())
	require.NoError(b, err)
	require.GreaterOrEqual(b, int(last.Number), n)
}

// benchRestart times the sequencer from its start until it has loaded the state, and
// the two halves of that by themselves.
func benchRestart(b *testing.B, r *rig) {
	var peak float64
	for b.Loop() {
		peak = max(peak, peakMemory(func() {
			cfg := r.config()
			loaded := make(chan struct{})
			cfg.Observer = onLoaded{loaded: loaded}
			run := start(b, cfg)
			select {
			case <-loaded:
			case err := <-run.done:
				require.NoError(b, err)
			}
			b.StopTimer()
			run.halt()
			b.StartTimer()
		}))
	}
	b.StopTimer()
	ctx := context.Background()
	begun := time.Now()
	l := state.NewLoader(r.hasher, r.domain, 0)
	require.NoError(b, readAccounts(func(f func(store.Account) error) error { return r.store.EachAccount(ctx, f) }, l))
	read := time.Since(begun)
	_, err := l.State(r.fees)
	require.NoError(b, err)
	b.ReportMetric(read.Seconds(), "s-reading")
	b.ReportMetric((time.Since(begun) - read).Seconds(), "s-hashing")
	b.ReportMetric(peak, "MB-peak")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
}

// peakMemory returns the highest resident memory of the process while f ran, in MB;
// 0 where the kernel does not tell.
func peakMemory(f func()) float64 {
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) != nil { // resets the high-water mark
		f()
		return 0
	}
	f()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kilobytes, 64)
	if err != nil {
		return 0
	}
	return n / 1000
}

// treeAt makes the tree after a batch as the API does for the first proof.
func treeAt(b *testing.B, r *rig, n settle.BatchNumber) *state.Tree {
	b.Helper()
	var indices []settle.AccountIndex
	var leaves []fr.Element
	require.NoError(b, r.store.EachAccountAt(context.Background(), n, func(a store.Account) error {
		leaf, err := element(a.Leaf, "digest")
		indices, leaves = append(indices, a.Index), append(leaves, leaf)
		return err
	}))
	tree := state.BuildTree(r.hasher, indices, leaves)
	requireRoot(b, r, tree, n)
	return tree
}

// moveTree makes the tree after another batch as the API does for a further one.
func moveTree(b *testing.B, r *rig, tree *state.Tree, from, to settle.BatchNumber) *state.Tree {
	b.Helper()
	changes, err := r.store.LeavesBetween(context.Background(), from, to)
	require.NoError(b, err)
	var indices []settle.AccountIndex
	var leaves []fr.Element
	for _, c := range changes {
		leaf, err := element(c.Digest, "digest")
		require.NoError(b, err)
		indices, leaves = append(indices, c.Index), append(leaves, leaf)
	}
	moved := tree.Fork()
	moved.Update(indices, leaves)
	requireRoot(b, r, moved, to)
	return moved
}

func requireRoot(b *testing.B, r *rig, tree *state.Tree, n settle.BatchNumber) {
	b.Helper()
	p, err := r.store.Point(context.Background(), n)
	require.NoError(b, err)
	root := tree.Root()
	require.Equal(b, p.Root, settle.Element(root.Bytes()))
}
