package sequencer

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

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

// faulty breaks writes of a real store on demand.
type faulty struct {
	*store.Store
	seal func(n int, seal func() error) error // n counts from 1
	n    atomic.Int64
}

func (f *faulty) SealBatch(ctx context.Context, e store.Epoch, b store.SealedBatch) error {
	return f.seal(int(f.n.Add(1)), func() error { return f.Store.SealBatch(ctx, e, b) })
}

// What another epoch has begun meanwhile fails as a whole, and comes in the next one.
func TestFencedWriterBeginsAnew(t *testing.T) {
	r := newRig(t, 4, 1)
	cfg := r.config()
	cfg.Store = &faulty{Store: r.store, seal: func(n int, seal func() error) error {
		if n > 1 {
			return seal()
		}
		// What a take-over does while this one is paused.
		_, err := r.admin.Exec(context.Background(), "update epochs set epoch = epoch + 1 where role = 'sequencer'")
		require.NoError(t, err)
		err = seal()
		require.ErrorIs(t, err, store.ErrFenced)
		r.requireSound(0)
		return err
	}}
	run := start(t, cfg)
	r.admit(r.submission(1, 2, 5, 0))
	r.settled()
	run.halt()
	r.requireSound(1)
}

func TestFailedAndUnknownCommits(t *testing.T) {
	r := newRig(t, 12, 2)
	cfg := r.config()
	// Every fourth time the connection breaks inside the transaction.
	_, err := r.admin.Exec(t.Context(), `create sequence test_jobs; create function test_break() returns trigger language plpgsql as $$ begin
			if nextval('test_jobs') % 4 = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
			return new;
		end $$; create trigger test_break before insert on proof_jobs for each row execute function test_break()`)
	require.NoError(t, err)
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
	var jobs int
	require.NoError(t, r.admin.QueryRow(t.Context(), "select last_value from test_jobs").Scan(&jobs))
	require.Greater(t, jobs, 5)
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
	server, err := postgres.Start(t.Context(), postgres.Config{})
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
	_, err := Check(t.Context(), r.store, r.hasher)
	require.ErrorIs(t, err, ErrNoGenesis)
}

// What a start compares is digests and root: whatever was done to digests or to the
// number of accounts is found, and the accounts are named.
func TestDamagedAccountsStopTheStart(t *testing.T) {
	for name, c := range map[string]struct{ sql, says string }{
		"digest":             {"update accounts set leaf = owner where index = 2", "account 2 does not hash to its stored digest"},
		"digests":            {"update accounts set leaf = owner where index > 1", "accounts 2, 3 do not hash to their stored digests"},
		"row of another":     {"update accounts a set owner = b.owner, l1 = b.l1, leaf = b.leaf from accounts b where a.index = 2 and b.index = 3", "account 2 is not what its last change left"},
		"one is missing":     {"delete from accounts where index = 3", "account 3 is not what its last change left"},
		"missing everywhere": {"with gone as (delete from accounts where index = 3) delete from account_changes where account = 3", "accounts are missing with their history"},
		"one too many":       {"insert into accounts select 7, owner, token, nonce, balance, l1, leaf from accounts where index = 3", "account 7 is not what its last change left"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4, 1)
			_, err := r.admin.Exec(t.Context(), c.sql)
			require.NoError(t, err)
			err = start(t, r.config()).wait()
			require.ErrorIs(t, err, ErrStateMismatch)
			require.ErrorContains(t, err, c.says)
			_, err = Check(t.Context(), r.store, r.hasher)
			require.ErrorIs(t, err, ErrStateMismatch)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// A damaged balance beside an intact digest is found by whoever would use it, before
// anything is decided, and by Check.
func TestDamagedBalanceStopsItsFirstUse(t *testing.T) {
	r := newRig(t, 4, 1)
	unused, use := r.submission(1, 3, 5, 0), r.submission(1, 2, 5, 1)
	_, err := r.admin.Exec(t.Context(), "update accounts set balance = balance + 1 where index = 2")
	require.NoError(t, err)
	run := start(t, r.config())
	r.admit(unused)
	r.settled()
	r.admit(use)
	err = run.wait()
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2")
	stored, err := r.store.Transaction(t.Context(), use.ID)
	require.NoError(t, err)
	require.Equal(t, settle.TxAccepted, stored.Status, "nobody is to blame but the database")

	_, err = Check(t.Context(), r.store, r.hasher)
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2 does not hash to its stored digest")
	_, err = r.admin.Exec(t.Context(), "update accounts set balance = balance - 1 where index = 2")
	require.NoError(t, err)
	audit, err := Check(t.Context(), r.store, r.hasher)
	require.NoError(t, err)
	require.Equal(t, 4, audit.Accounts)

	run = start(t, r.config())
	r.settled()
	run.halt()
	r.requireSound(2)
}

// A digest that is damaged while the sequencer works is found by the batch that would
// replace it, and the restart says so.
func TestDigestDamagedMeanwhile(t *testing.T) {
	r := newRig(t, 4, 1)
	run := start(t, r.config())
	r.admit(r.submission(1, 3, 5, 0))
	r.settled()
	_, err := r.admin.Exec(t.Context(), "update accounts set leaf = owner where index = 2")
	require.NoError(t, err)
	r.admit(r.submission(1, 2, 5, 1))
	err = run.wait()
	require.ErrorIs(t, err, ErrStateMismatch)
	require.ErrorContains(t, err, "account 2")
}

// A check may run beside a sequencer at work: it sees whole batches.
func TestCheckBesideASequencer(t *testing.T) {
	r := newRigWith(t, 12, 1, kindShapes)
	audit, err := Check(t.Context(), r.store, r.hasher)
	require.NoError(t, err)
	require.Equal(t, Audit{Root: r.genesis.Rollup.GenesisRoot, Accounts: 12}, audit)
	run := start(t, r.config())
	for round := range settle.Nonce(5) {
		for i := range r.keys {
			r.admit(r.check(r.open(i, i, 3, 2*round)), r.submission(i, (i+1)%12, 5, 2*round+1))
		}
		_, err := Check(t.Context(), r.store, r.hasher)
		require.NoError(t, err)
	}
	r.settled()
	run.halt()
	last, err := r.store.LastBatch(t.Context())
	require.NoError(t, err)
	audit, err = Check(t.Context(), r.store, r.hasher)
	require.NoError(t, err)
	require.Equal(t, Audit{Batch: last.Number, Root: last.NewRoot, Accounts: 12 * 6}, audit)
}
