package sequencer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

const testDeadline = 60 * time.Second

// rig is a world in a schema of a real Postgres. Its connections carry the
// schema's name as application name, so that a test can break them and no others.
type rig struct {
	*world
	t     testing.TB
	name  string
	admin *pgxpool.Pool // not broken by kill
	store *store.Store
}

func newRig(t testing.TB, users, tokens int) *rig {
	t.Helper()
	return newRigWith(t, users, tokens, testShapes)
}

func newRigWith(t testing.TB, users, tokens int, shapes []Shape) *rig {
	t.Helper()
	db := testdb.New(t)
	return rigOn(t, db.URL, db.Schema, newWorld(t, users, tokens, shapes))
}

func rigOn(t testing.TB, databaseURL, name string, w *world) *rig {
	t.Helper()
	ctx := t.Context()
	admin, err := pgxpool.New(ctx, databaseURL)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	u, err := url.Parse(databaseURL)
	require.NoError(t, err)
	q := u.Query()
	q.Set("application_name", name)
	u.RawQuery = q.Encode()
	pool, err := pgxpool.New(ctx, u.String())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	r := &rig{world: w, t: t, name: name, admin: admin, store: store.New(pool)}
	_, err = r.store.InitGenesis(ctx, r.genesis)
	require.NoError(t, err)
	_, err = admin.Exec(ctx, "create table test_jobs (batch bigint primary key, key_hash bytea not null)")
	require.NoError(t, err)
	return r
}

func (r *rig) config() Config {
	c := testConfig(r.store, r.world)
	c.Policy.MaxAge = 20 * time.Millisecond
	c.PollInterval = 50 * time.Millisecond
	c.MinBackoff, c.MaxBackoff = 5*time.Millisecond, 50*time.Millisecond
	c.InsertJob = func(ctx context.Context, tx pgx.Tx, job ProofJob) error {
		_, err := tx.Exec(ctx, "insert into test_jobs values ($1, $2)", int64(job.Batch), job.KeyHash[:])
		return err
	}
	if testing.Verbose() {
		c.Logger = slog.New(slog.NewTextHandler(r.t.Output(), nil))
	}
	return c
}

// running is a sequencer at work.
type running struct {
	*Sequencer
	t    testing.TB
	stop context.CancelFunc
	done chan error
}

func start(t testing.TB, cfg Config) *running {
	t.Helper()
	s, err := New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	run := &running{Sequencer: s, t: t, stop: cancel, done: make(chan error, 1)}
	go func() { run.done <- s.Run(ctx) }()
	t.Cleanup(cancel)
	return run
}

// wait returns what Run returned.
func (r *running) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(testDeadline):
		require.Fail(r.t, "the sequencer does not stop")
		return nil
	}
}

func (r *running) halt() {
	r.t.Helper()
	r.stop()
	require.NoError(r.t, r.wait())
}

// admit stores submissions, again and again while Postgres is unwell.
func (r *rig) admit(subs ...store.Submission) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		outcomes, err := r.store.Admit(context.Background(), subs)
		if err != nil {
			return false
		}
		for i, o := range outcomes {
			require.Nil(r.t, o.Refusal, "%d", i)
		}
		return true
	}, testDeadline, 5*time.Millisecond, "nothing is admitted")
}

// settled waits until nothing is accepted any more.
func (r *rig) settled() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		var n int
		err := r.admin.QueryRow(context.Background(), "select count(*) from transactions where status = 'accepted'").Scan(&n)
		return err == nil && n == 0
	}, testDeadline, 5*time.Millisecond, "transactions stay accepted")
}

// history reads everything back into a memoryDB, to check it as one.
func (r *rig) history() *memoryDB {
	r.t.Helper()
	ctx := context.Background()
	m := newMemoryDB(r.world)
	last, err := r.store.LastBatch(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return m
	}
	require.NoError(r.t, err)
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		detail, err := r.store.Batch(ctx, n)
		require.NoError(r.t, err)
		words, err := r.store.BatchWords(ctx, n)
		require.NoError(r.t, err)
		witness, err := r.store.WitnessInput(ctx, n)
		require.NoError(r.t, err)
		rows, err := r.store.BatchTransactions(ctx, n)
		require.NoError(r.t, err)
		b := store.SealedBatch{
			Number: n, Shape: detail.Shape, KeyHash: detail.KeyHash, OldRoot: detail.OldRoot, NewRoot: detail.NewRoot,
			Commitment: detail.Commitment, Words: words, Usage: detail.Usage, Witness: witness,
		}
		for i, row := range rows {
			require.Equal(r.t, settle.TxExecuted, row.Status)
			require.Equal(r.t, store.Placement{Batch: n, Position: i}, *row.Placement)
			b.Transactions = append(b.Transactions, store.ExecutedTransaction{ID: row.ID})
		}
		for _, a := range r.genesis.Accounts {
			changes, err := r.store.AccountHistory(ctx, a.Index, n+1, 1)
			require.NoError(r.t, err)
			if len(changes) == 1 && changes[0].Batch == n {
				b.Changes = append(b.Changes, changes[0].AccountChange)
			}
		}
		m.batches = append(m.batches, b)
	}
	stored := map[settle.AccountIndex]store.Account{}
	require.NoError(r.t, r.store.EachAccount(ctx, func(a store.Account) error { stored[a.Index] = a; return nil }))
	for _, a := range m.accounts() {
		require.Equal(r.t, stored[a.Index], a, "the account row is not the last change")
	}
	return m
}

// requireSound checks the whole database; executed counts what must be in batches.
func (r *rig) requireSound(executed int) *memoryDB {
	r.t.Helper()
	m := r.history()
	m.requireSound(r.t)
	n := 0
	for _, b := range m.batches {
		n += len(b.Transactions)
	}
	require.Equal(r.t, executed, n)
	var jobs int
	require.NoError(r.t, r.admin.QueryRow(context.Background(),
		"select count(*) from test_jobs j join batches b on b.number = j.batch and b.key_hash = j.key_hash").Scan(&jobs))
	require.Equal(r.t, len(m.batches), jobs, "each batch has its proof job")
	return m
}

// kill breaks every connection of the rig's pool, its lock and its listener.
func (r *rig) kill() (broken int) {
	r.t.Helper()
	require.NoError(r.t, r.admin.QueryRow(context.Background(),
		"select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity where application_name = $1", r.name).Scan(&broken))
	return broken
}

// ring is n transfers of each user to the next one of the same token, in rounds.
func (r *rig) ring(rounds int) (subs []store.Submission) {
	tokens := len(r.genesis.FeeAccounts)
	for nonce := range rounds {
		for i := range r.keys {
			subs = append(subs, r.submission(i, (i+tokens)%len(r.keys), uint64(10+i+nonce), settle.Nonce(nonce)))
		}
	}
	return subs
}

func TestEndToEnd(t *testing.T) {
	r := newRig(t, 12, 2)
	seen := &recorder{}
	cfg := r.config()
	cfg.Observer = seen
	run := start(t, cfg)
	subs := r.ring(6)
	rand.Shuffle(len(subs), func(i, j int) { subs[i], subs[j] = subs[j], subs[i] })
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			for j := i; j < len(subs); j += 4 {
				r.admit(subs[j])
			}
		})
	}
	clients.Wait()
	r.settled()
	run.halt()
	m := r.requireSound(len(subs))

	seen.mu.Lock()
	defer seen.mu.Unlock()
	require.Len(t, seen.sealed, len(m.batches))
	for i, e := range seen.sealed {
		require.Equal(t, m.batches[i].Number, e.Number)
		require.Equal(t, m.batches[i].Usage, e.Usage)
		require.Equal(t, len(m.batches[i].Witness.Data), e.Witness)
	}
	require.Empty(t, seen.rejected)
}

type recorder struct {
	NopObserver
	mu       sync.Mutex
	sealed   []SealEvent
	rejected map[settle.Code]int
}

func (r *recorder) BatchSealed(e SealEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = append(r.sealed, e)
}

func (r *recorder) Rejected(code settle.Code, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rejected == nil {
		r.rejected = map[settle.Code]int{}
	}
	r.rejected[code] += n
}

func TestFlushSealsWithoutWaiting(t *testing.T) {
	r := newRig(t, 4, 1)
	cfg := r.config()
	cfg.Policy.MaxAge = time.Hour
	run := start(t, cfg)
	r.admit(r.submission(1, 2, 5, 0))
	run.Flush()
	r.settled()
	run.halt()
	r.requireSound(1)
}

func TestGapExpiresInPostgres(t *testing.T) {
	r := newRig(t, 4, 1)
	cfg := r.config()
	seen := &recorder{}
	cfg.Observer, cfg.NonceGapTimeout = seen, 200*time.Millisecond
	run := start(t, cfg)
	early, good := r.submission(1, 2, 5, 3), r.submission(2, 1, 5, 0)
	r.admit(early, good)
	r.settled()
	run.halt()
	stored, err := r.store.Transaction(t.Context(), early.ID)
	require.NoError(t, err)
	require.Equal(t, settle.TxRejected, stored.Status)
	require.Equal(t, settle.CodeNonceGapExpired, stored.Rejection.Code)
	require.Contains(t, stored.Rejection.Detail, "nonce 0 of account 1")
	require.Equal(t, map[settle.Code]int{settle.CodeNonceGapExpired: 1}, seen.rejected)
	r.requireSound(1)

	// A rejected one may be submitted again, and is executed once its gap is closed.
	r.admit(early)
	r.admit(r.submission(1, 2, 5, 0), r.submission(1, 2, 5, 1), r.submission(1, 2, 5, 2))
	run = start(t, r.config())
	r.settled()
	run.halt()
	r.requireSound(5)
}

func TestExpiryInPostgres(t *testing.T) {
	r := newRig(t, 4, 1)
	run := start(t, r.config())
	r.admit(r.submission(1, 2, 5, 0))
	r.settled()
	late := r.transfer(2, 1, 5, 0)
	late.ValidUntil = 1
	sub := r.check(late)
	r.admit(sub)
	r.settled()
	run.halt()
	stored, err := r.store.Transaction(t.Context(), sub.ID)
	require.NoError(t, err)
	require.Equal(t, settle.CodeExpired, stored.Rejection.Code)
	r.requireSound(1)
}

func TestRestartFromPostgres(t *testing.T) {
	r := newRig(t, 12, 2)
	subs := r.ring(8)
	r.admit(subs...)
	for restarts := 0; ; restarts++ {
		cfg := r.config()
		cfg.Policy.MaxUnproven = 2*restarts + 2 // leave work for the next one
		run := start(t, cfg)
		require.Eventually(t, func() bool {
			b, err := r.store.Backlog(t.Context())
			require.NoError(t, err)
			return b.Accepted == 0 || int(b.Unproven) == cfg.Policy.MaxUnproven
		}, testDeadline, time.Millisecond)
		run.halt()
		b, err := r.store.Backlog(t.Context())
		require.NoError(t, err)
		if b.Accepted == 0 {
			require.Greater(t, restarts, 2)
			break
		}
		require.LessOrEqual(t, int(b.Unproven), cfg.Policy.MaxUnproven)
	}
	r.requireSound(len(subs))
}

func TestSecondSequencerIsRefused(t *testing.T) {
	r := newRig(t, 4, 1)
	cfg := r.config()
	cfg.Holder = "the first, process 1"
	first := start(t, cfg)
	r.admit(r.submission(1, 2, 5, 0))
	r.settled()

	second := start(t, r.config())
	err := second.wait()
	require.ErrorIs(t, err, ErrHeld)
	require.ErrorContains(t, err, "the first, process 1")
	require.ErrorContains(t, err, "stop it first")

	first.halt()
	third := start(t, r.config())
	r.admit(r.submission(2, 1, 5, 0))
	r.settled()
	third.halt()
	r.requireSound(2)
}

// faulty breaks writes of a real store on demand.
type faulty struct {
	*store.Store
	seal func(n int, seal func() error) error // n counts from 1
	n    atomic.Int64
}

func (f *faulty) SealBatch(ctx context.Context, e store.Epoch, b store.SealedBatch, job func(context.Context, pgx.Tx) error) error {
	return f.seal(int(f.n.Add(1)), func() error { return f.Store.SealBatch(ctx, e, b, job) })
}

func TestFencedWriterStops(t *testing.T) {
	r := newRig(t, 4, 1)
	cfg := r.config()
	cfg.Store = &faulty{Store: r.store, seal: func(_ int, seal func() error) error {
		// What a take-over does while this one is paused.
		_, err := r.admin.Exec(context.Background(), "update epochs set epoch = epoch + 1 where role = 'sequencer'")
		require.NoError(t, err)
		return seal()
	}}
	run := start(t, cfg)
	r.admit(r.submission(1, 2, 5, 0))
	err := run.wait()
	require.ErrorIs(t, err, ErrFenced)
	require.ErrorIs(t, err, store.ErrFenced)
	r.requireSound(0)

	run = start(t, r.config())
	r.settled()
	run.halt()
	r.requireSound(1)
}

func TestFailedAndUnknownCommits(t *testing.T) {
	r := newRig(t, 12, 2)
	cfg := r.config()
	insert := cfg.InsertJob
	var jobs atomic.Int64
	cfg.InsertJob = func(ctx context.Context, tx pgx.Tx, job ProofJob) error {
		if jobs.Add(1)%4 == 1 { // the connection breaks inside the transaction
			_, err := tx.Exec(ctx, "select pg_terminate_backend(pg_backend_pid())")
			require.Error(t, err)
			return err
		}
		return insert(ctx, tx, job)
	}
	cfg.Store = &faulty{Store: r.store, seal: func(n int, seal func() error) error {
		err := seal()
		if n%5 == 0 && err == nil { // committed, and nobody was told
			return errCrash
		}
		return err
	}}
	run := start(t, cfg)
	subs := r.ring(6)
	r.admit(subs...)
	r.settled()
	run.halt()
	require.Greater(t, jobs.Load(), int64(5))
	r.requireSound(len(subs))
}

func TestBrokenConnections(t *testing.T) {
	r := newRig(t, 12, 2)
	run := start(t, r.config())
	subs := r.ring(8)
	broken := 0
	for i := 0; i < len(subs); i += 8 {
		r.admit(subs[i : i+8]...)
		broken += r.kill()
	}
	require.Positive(t, broken)
	r.settled()
	run.halt()
	r.requireSound(len(subs))
}

// A whole server that is killed and started again heals by itself.
func TestPostgresIsKilledAndComesBack(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{ToolsDir: cmp.Or(os.Getenv("SETTLE_TOOLS_DIR"), "../.tools")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, migrations.Migrate(t.Context(), server.URL()))
	r := rigOn(t, server.URL(), "killed", newWorld(t, 12, 2, testShapes))
	run := start(t, r.config())
	subs := r.ring(6)
	r.admit(subs[:36]...)
	require.NoError(t, server.Kill())
	require.NoError(t, server.Resume(t.Context()))
	r.admit(subs[36:]...)
	r.settled()
	run.halt()
	r.requireSound(len(subs))
}

func TestNoGenesis(t *testing.T) {
	db := testdb.New(t)
	r := &rig{world: newWorld(t, 4, 1, testShapes), t: t, store: store.New(db.Pool)}
	run := start(t, r.config())
	require.ErrorIs(t, run.wait(), ErrNoGenesis)
}

func TestDamagedAccountStopsTheStart(t *testing.T) {
	r := newRig(t, 4, 1)
	_, err := r.admin.Exec(t.Context(), "update accounts set balance = balance + 1 where index = 2")
	require.NoError(t, err)
	run := start(t, r.config())
	err = run.wait()
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2")
}

// A damaged digest is not seen by the comparison of roots, which hashes the rows
// themselves; the first batch that touches it finds it.
func TestDamagedDigestIsNamed(t *testing.T) {
	r := newRig(t, 4, 1)
	_, err := r.admin.Exec(t.Context(), "update accounts set leaf = owner where index = 2")
	require.NoError(t, err)
	run := start(t, r.config())
	r.admit(r.submission(1, 2, 5, 0))
	err = run.wait()
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2")
}
