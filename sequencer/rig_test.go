package sequencer

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/leader"
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
	return r
}

func (r *rig) config() Config {
	c := testConfig(r.store, r.world)
	c.Policy.MaxAge = 20 * time.Millisecond
	c.PollInterval = 50 * time.Millisecond
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
	roles, ok := cfg.Store.(interface {
		AcquireWriter(ctx context.Context, role store.Role, holder string) (*store.Writer, error)
	})
	require.True(t, ok)
	keep := leader.Config{Acquire: leader.From(roles), Role: store.RoleSequencer, Log: cfg.Logger, Standby: true, Pauses: leader.Pauses{First: 5 * time.Millisecond, Most: 50 * time.Millisecond, Standby: 5 * time.Millisecond}, Fatal: func(err error) bool {
		return errors.Is(err, ErrNoGenesis) || errors.Is(err, ErrKeyMismatch) || errors.Is(err, ErrStateMismatch)
	}}
	go func() {
		err := leader.Run(ctx, keep, s.Serve)
		if ctx.Err() != nil {
			err = nil
		}
		run.done <- err
	}()
	t.Cleanup(cancel)
	return run
}

// wait returns why it has ended; nil when it was asked to.
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
func (r *rig) admit(subs ...admission.Checked) {
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
	reader := store.New(r.admin) // the rig's own connections may be broken
	m := newMemoryDB(r.world)
	last, err := reader.LastBatch(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return m
	}
	require.NoError(r.t, err)
	stored := map[settle.AccountIndex]store.Account{}
	require.NoError(r.t, reader.EachAccount(ctx, func(a store.Account) error { stored[a.Index] = a; return nil }))
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		detail, err := reader.Batch(ctx, n)
		require.NoError(r.t, err)
		words, err := reader.BatchWords(ctx, n)
		require.NoError(r.t, err)
		witness, err := reader.WitnessInput(ctx, n)
		require.NoError(r.t, err)
		rows, err := reader.BatchTransactions(ctx, n)
		require.NoError(r.t, err)
		b := store.SealedBatch{
			Number: n, Shape: detail.Shape, KeyHash: detail.KeyHash, OldRoot: detail.OldRoot, NewRoot: detail.NewRoot,
			Commitment: detail.Commitment, Words: words, Usage: detail.Usage, Witness: witness,
		}
		for i, row := range rows {
			require.Equal(r.t, settle.TxExecuted, row.Status)
			require.Equal(r.t, store.Placement{Batch: n, Position: i}, *row.Placement)
			b.Transactions = append(b.Transactions, store.ExecutedTransaction{ID: row.ID, AssignedIndex: row.AssignedIndex})
		}
		for index := range stored {
			changes, err := reader.AccountHistory(ctx, index, n+1, 1)
			require.NoError(r.t, err)
			if len(changes) == 1 && changes[0].Batch == n {
				b.Changes = append(b.Changes, changes[0].AccountChange)
			}
		}
		m.batches = append(m.batches, b)
	}
	require.Len(r.t, m.accounts(), len(stored))
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
		"select count(*) from proof_jobs j join batches b on b.number = j.batch and b.key_hash = j.key_hash").Scan(&jobs))
	require.Equal(r.t, len(m.batches), jobs, "each batch has its proof job")
	return m
}

// kill breaks every connection of the rig's pool and the one that holds the lock.
func (r *rig) kill() (broken int) {
	r.t.Helper()
	require.NoError(r.t, r.admin.QueryRow(context.Background(), `
		select count(*) filter (where pg_terminate_backend(pid)) from (
			select pid from pg_stat_activity where application_name = $1
			union
			select pid from pg_locks where locktype = 'advisory' and granted
			and (classid::bigint << 32 | objid::bigint) = hashtextextended('settle/' || current_schema() || '/sequencer', 0)
		) of_this_rig`, r.name).Scan(&broken))
	return broken
}

// ring is n transfers of each user to the next one of the same token, in rounds.
func (r *rig) ring(rounds int) (subs []admission.Checked) {
	tokens := len(r.genesis.FeeAccounts)
	for nonce := range rounds {
		for i := range r.keys {
			subs = append(subs, r.submission(i, (i+tokens)%len(r.keys), uint64(10+i+nonce), settle.Nonce(nonce)))
		}
	}
	return subs
}
