package node

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

// Database is an open database whose schema is the one that this program needs.
type Database struct {
	URL   string
	Pool  *pgxpool.Pool
	Store *store.Store
}

// Close ends all its connections.
func (d *Database) Close() { d.Pool.Close() }

// Rollup reads the rollup that the database belongs to.
func (d *Database) Rollup(ctx context.Context) (store.Rollup, error) {
	r, err := d.Store.Rollup(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return r, errors.New("the database has no rollup: run settle deploy first")
	}
	return r, err
}

// schemaTimeout bounds the look at the schema, or its migration.
const schemaTimeout = 2 * time.Minute

// OpenDatabase opens a pool, and brings the schema up to date if migrate says so, or else
// only checks it: migrations.ErrOutdated. store.ErrPooled where a pooler shares out
// connections by transaction; store.IsUnavailable where Postgres does not answer. No error
// holds the URL's password.
func OpenDatabase(ctx context.Context, databaseURL string, migrate bool) (*Database, error) {
	pool, err := store.Open(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("%s is not a Postgres URL: %w", EnvDatabase, Redact(err, databaseURL))
	}
	if err := checkSchema(ctx, pool, databaseURL, migrate); err != nil {
		pool.Close()
		return nil, err
	}
	return &Database{URL: databaseURL, Pool: pool, Store: store.New(pool)}, nil
}

func checkSchema(ctx context.Context, pool *pgxpool.Pool, databaseURL string, migrate bool) error {
	ctx, cancel := context.WithTimeout(ctx, schemaTimeout)
	defer cancel()
	err := store.CheckSessions(ctx, databaseURL)
	if errors.Is(err, store.ErrPooled) {
		return fmt.Errorf("%s: %w", EnvDatabase, err)
	}
	doing := "check the schema of the database"
	switch {
	case err != nil:
	case migrate:
		doing = "migrate the database"
		err = migrations.Migrate(ctx, databaseURL)
	default:
		err = migrations.Check(ctx, pool)
	}
	switch {
	case err == nil:
		return nil
	case store.IsExhausted(err):
		return fmt.Errorf("Postgres has no connection left for this command, which needs %d: raise max_connections: %w", connectionsOf(pool), Redact(err, databaseURL))
	case store.IsUnavailable(err):
		err = fmt.Errorf("start Postgres, or correct %s: %w", EnvDatabase, err)
	}
	return fmt.Errorf("%s: %w", doing, Redact(err, databaseURL))
}

// Redact keeps the password of a URL out of an error's text. Nil stays nil.
func Redact(err error, rawURL string) error {
	u, parseErr := url.Parse(rawURL)
	if err == nil || parseErr != nil || u.User == nil {
		return err
	}
	password, ok := u.User.Password()
	if !ok || password == "" || !strings.Contains(err.Error(), password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), password, "***"))
}
