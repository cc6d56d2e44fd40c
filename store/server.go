package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrPooled: a pooler gives each transaction whichever server process is free. The locks
// that keep a second sequencer or submitter away, and LISTEN, belong to a server process.
var ErrPooled = errors.New("a connection pooler in transaction mode stands before Postgres: locks and notifications, which roles need, " +
	"do not hold through it; connect to Postgres itself, or set pool_mode = session for this database")

// pooledLooks is how often two connections are compared: a pooler with several free
// server processes may give one client the same process twice in a row.
const pooledLooks = 3

// CheckSessions returns ErrPooled unless each connection has a server process for its
// own. It opens two, and leaves nothing behind.
func CheckSessions(ctx context.Context, databaseURL string) (err error) {
	pool, err := pgxpool.ParseConfig(databaseURL) // which keeps the pool's parameters in a URL from the server
	if err != nil {
		return fmt.Errorf("compare server processes: %w", err)
	}
	cfg := pool.ConnConfig
	// Prepared statements do not hold through every pooler either.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	var conns [2]*pgx.Conn
	for i := range conns {
		if conns[i], err = pgx.ConnectConfig(ctx, cfg); err != nil {
			return fmt.Errorf("compare server processes: %w", err)
		}
		defer func() { err = errors.Join(err, closeConn(ctx, conns[i])) }()
	}
	for range pooledLooks {
		if err := compareSessions(ctx, conns[0], conns[1]); err != nil {
			return fmt.Errorf("compare server processes: %w", err)
		}
	}
	return nil
}

// compareSessions looks whether the first connection keeps its process, and whether the
// second one, in a transaction, has another.
func compareSessions(ctx context.Context, a, b *pgx.Conn) error {
	before, err := processOf(ctx, a)
	if err != nil {
		return err
	}
	tx, err := b.Begin(ctx)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "08P01" { // as pgbouncer refuses transactions in statement mode
		return fmt.Errorf("%w: %s", ErrPooled, pg.Message) // no wrapping: it is not away
	} else if err != nil {
		return err
	}
	other, err := processOf(ctx, tx)
	if err != nil {
		return err
	}
	after, err := processOf(ctx, a)
	if err := errors.Join(err, tx.Rollback(ctx)); err != nil {
		return err
	}
	if before != after || before == other {
		return ErrPooled
	}
	return nil
}

func processOf(ctx context.Context, q querier) (pid int32, err error) {
	err = q.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid)
	return pid, err
}

// Connections is how many connections Postgres has for ordinary users.
type Connections struct {
	Max      int // max_connections
	Reserved int // for superusers and the like
	Others   int // in use, but by this pool
}

// Needed returns the max_connections that would do beside the others for so many of
// ours, and whether the present one is below.
func (c Connections) Needed(ours int) (needed int, short bool) {
	needed = c.Reserved + c.Others + ours
	return needed, needed > c.Max
}

// CountConnections asks Postgres.
func CountConnections(ctx context.Context, pool *pgxpool.Pool) (Connections, error) {
	var c Connections
	err := pool.QueryRow(ctx, `select current_setting('max_connections')::int,
		current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
		(select count(*) from pg_stat_activity where backend_type = 'client backend')::int`).Scan(&c.Max, &c.Reserved, &c.Others)
	if err != nil {
		return Connections{}, fmt.Errorf("count connections: %w", err)
	}
	c.Others = max(0, c.Others-int(pool.Stat().TotalConns()))
	return c, nil
}

// ServedAtOnce returns how many of so many connections have a server process for their
// own at the same time, within a time. Behind a pooler that may be fewer than it accepts:
// the others wait in silence. It leaves nothing behind.
func ServedAtOnce(ctx context.Context, databaseURL string, want int, within time.Duration) (served int, err error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return 0, fmt.Errorf("count server processes: %w", err)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var count atomic.Int64
	var asked, held sync.WaitGroup
	asked.Add(want)
	release := make(chan struct{})
	for range want {
		held.Go(func() {
			conn, err := pgx.ConnectConfig(limited, cfg)
			if err == nil {
				defer func() { _ = closeConn(ctx, conn) }() // it is of no use any more
				_, err = conn.Exec(limited, "begin")
			}
			if err == nil {
				count.Add(1)
			}
			asked.Done()
			<-release // holds its server process until all have asked
		})
	}
	asked.Wait()
	close(release)
	held.Wait()
	return int(count.Load()), ctx.Err()
}
