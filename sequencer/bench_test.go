package sequencer

import (
	"context"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// backlogDB serves a prepared backlog and takes batches without storing them.
type backlogDB struct {
	*memoryDB
	done map[settle.Hash]bool
}

func (b *backlogDB) AcceptedTransactions(_ context.Context, after int64, limit int) (page []store.Transaction, _ error) {
	first := sort.Search(len(b.rows), func(i int) bool { return b.rows[i].Sequence > after })
	for _, r := range b.rows[first:] {
		if !b.done[r.ID] && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, nil
}

func (b *backlogDB) SealBatch(_ context.Context, _ store.Epoch, s store.SealedBatch) error {
	for _, tx := range s.Transactions {
		b.done[tx.ID] = true
	}
	return nil
}

var largeShape = Shape{Name: "large", KeyHash: settle.KeyHash{3}, Capacity: settle.Capacity{Transfers: 1000, Accounts: 2100, Nodes: 12_000, FeeAccounts: 8}}

// BenchmarkExecute is the sequencer without Postgres: signatures, order,
// execution, tree, data and witness input of full batches over 4,096 accounts.
func BenchmarkExecute(b *testing.B) {
	shapes := []Shape{largeShape}
	w := newWorld(b, 4096, 1, shapes)
	db := &backlogDB{memoryDB: newMemoryDB(w), done: map[settle.Hash]bool{}}
	for i := range 5000 {
		from := (i * 37) % len(w.keys)
		db.add(w.submission(from, (i*101+1)%len(w.keys), 1, settle.Nonce(i/len(w.keys))))
	}
	cfg := testConfig(db, w)
	cfg.Policy = Policy{Shapes: shapes, MaxAge: time.Hour, MaxUnproven: 1 << 30}
	s, err := New(cfg)
	require.NoError(b, err)
	total := 0
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		clear(db.done)
		run := &tenure{Sequencer: s, Tenure: leader.Tenure{Progressed: func() {}}, state: w.state()}
		require.NoError(b, run.begin(context.Background()))
		b.StartTimer()
		_, err := run.pass(context.Background(), true)
		require.NoError(b, err)
		total += len(db.done)
	}
	require.Zero(b, total%5000)
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "transfers/s")
}

// BenchmarkPostgres is the same through a real Postgres, from accepted rows to
// sealed batches.
func BenchmarkPostgres(b *testing.B) {
	shapes := []Shape{largeShape}
	r := newRigWith(b, 4096, 1, shapes)
	const n = 5000
	var subs []admission.Checked
	for i := range n {
		from := (i * 37) % len(r.keys)
		subs = append(subs, r.submission(from, (i*101+1)%len(r.keys), 1, settle.Nonce(i/len(r.keys))))
	}
	for chunk := range slices.Chunk(subs, settle.MaxSubmitItems) {
		r.admit(chunk...)
	}
	cfg := r.config()
	cfg.Policy = Policy{Shapes: shapes, MaxAge: time.Millisecond, MaxUnproven: 1 << 30}
	loaded := make(chan struct{})
	cfg.Observer = onLoaded{loaded: loaded}
	b.ResetTimer()
	run := start(b, cfg)
	<-loaded
	begun := time.Now()
	r.settled()
	b.ReportMetric(n/time.Since(begun).Seconds(), "transfers/s")
	b.StopTimer()
	run.halt()
}

type onLoaded struct {
	NopObserver
	loaded chan struct{}
}

func (o onLoaded) Loaded(settle.BatchNumber, time.Duration) { close(o.loaded) }
