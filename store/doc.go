// Package store keeps the rollup in Postgres. Beside the migrations it is the only
// package that speaks SQL.
//
// Rows are built from the vocabulary of package settle; the tables and their
// rules live in package migrations. Every change of a status goes through a
// method of Store, and the database refuses transitions that are not drawn in
// docs/state-machines.md whoever asks for them.
//
// Errors are of three kinds. A *settle.Refusal is the submitter's mistake. The
// sentinel errors of this package (ErrNotFound, ErrFenced, ErrLeaseLost, …) tell
// a caller what to do next. Everything else is ours; IsUnavailable separates the
// failures that pass when Postgres comes back from those that do not.
//
// Numbers: indices, tokens, nonces and batch numbers are bigint, because Postgres
// has no unsigned types; amounts are numeric(39,0), so that SQL can sum them;
// field elements and digests are bytea of 32 bytes. Each column has a CHECK on
// its range.
package store

import (
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store reads and writes the schema that the pool's search_path selects. It is
// safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

// New returns a Store on pool. The schema must have been migrated
// (migrations.Migrate). Closing the pool stays with the caller.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }
