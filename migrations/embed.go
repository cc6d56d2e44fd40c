// Package migrations holds the schema and brings a database up to it.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"
)

//go:embed *.sql
var files embed.FS

// Errors of Migrate and Check, each wrapped with its remedy.
var (
	// ErrNoSchema: the connection's search_path names no schema that exists.
	ErrNoSchema = errors.New("search_path names no existing schema")
	// ErrOutdated: the schema is older than this program.
	ErrOutdated = errors.New("the database schema is older than this program")
	// ErrNewer: the schema was migrated by a later version of this program.
	ErrNewer = errors.New("the database schema is newer than this program")
)

const lockPoll = 25 * time.Millisecond

// Migrate brings the schema selected by search_path up to date. It may run from several
// processes at once: one works, the others wait and find nothing to do.
func Migrate(ctx context.Context, databaseURL string) (err error) {
	cfg, err := pgxpool.ParseConfig(databaseURL) // which knows a pool's parameters in a URL
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := lock(ctx, conn); err != nil {
		return err
	}
	defer func() {
		// Closing the connection would release it too, yet a pooler could keep it.
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock("+lockKey+")")
		err = errors.Join(err, unlockErr)
	}()
	if err := migrateOurs(ctx, conn); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// lockKey is per schema, so that schemas of one database migrate independently.
const lockKey = "hashtextextended('settle/migrate/' || current_schema(), 0)"

// lock takes a session lock by polling: a blocked statement would hold a snapshot,
// for which a concurrent index build of a migration waits for ever.
func lock(ctx context.Context, conn *pgx.Conn) error {
	for {
		var held *bool
		if err := conn.QueryRow(ctx, "select pg_try_advisory_lock("+lockKey+")").Scan(&held); err != nil {
			return fmt.Errorf("lock migrations: %w", err)
		}
		if held == nil {
			return fmt.Errorf("%w: create the schema, or correct search_path in DATABASE_URL", ErrNoSchema)
		}
		if *held {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another process to migrate: %w", ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

func migrator(ctx context.Context, conn *pgx.Conn) (*migrate.Migrator, error) {
	// Unqualified: tern finds and makes the table by search_path, which needs no quoting.
	m, err := migrate.NewMigrator(ctx, conn, "settle_schema_version")
	if err != nil {
		return nil, err
	}
	if err := m.LoadMigrations(files); err != nil {
		return nil, err
	}
	return m, nil
}

func migrateOurs(ctx context.Context, conn *pgx.Conn) error {
	m, err := migrator(ctx, conn)
	if err != nil {
		return err
	}
	version, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return err
	}
	if int(version) > len(m.Migrations) {
		return fmt.Errorf("%w: version %d, this program knows %d: use the newer program", ErrNewer, version, len(m.Migrations))
	}
	return m.Migrate(ctx)
}

// Check reports whether the schema is the one that this program needs; a role that
// does not migrate calls it at its start.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	names, err := migrate.FindMigrations(files)
	if err != nil {
		return fmt.Errorf("our migrations: %w", err)
	}
	var version int
	var exists bool
	if err := pool.QueryRow(ctx, "select to_regclass('settle_schema_version') is not null").Scan(&exists); err != nil {
		return fmt.Errorf("version of the schema: %w", err)
	}
	if exists {
		if err := pool.QueryRow(ctx, "select version from settle_schema_version").Scan(&version); err != nil {
			return fmt.Errorf("version of the schema: %w", err)
		}
	}
	switch {
	case version < len(names):
		missing := make([]string, 0, len(names)-version)
		for _, name := range names[version:] {
			missing = append(missing, path.Base(name))
		}
		return fmt.Errorf("%w: version %d of %d, without %s: run `settle db migrate`", ErrOutdated, version, len(names), strings.Join(missing, ", "))
	case version > len(names):
		return fmt.Errorf("%w: version %d, this program knows %d: use the newer program", ErrNewer, version, len(names))
	}
	return nil
}
