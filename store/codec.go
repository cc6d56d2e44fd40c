package store

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/zksettle/settle"
)

// amount carries a settle.Amount to and from numeric(39,0).
type amount settle.Amount

// NumericValue implements pgtype.NumericValuer.
func (a amount) NumericValue() (pgtype.Numeric, error) {
	return pgtype.Numeric{Int: settle.Amount(a).Big(), Valid: true}, nil
}

// ScanNumeric implements pgtype.NumericScanner.
func (a *amount) ScanNumeric(n pgtype.Numeric) error {
	v, err := integer(n)
	if err != nil {
		return err
	}
	got, err := settle.AmountFromBig(v)
	if err != nil {
		return err
	}
	*a = amount(got)
	return nil
}

// integer undoes the exponent by which Postgres shortens trailing zeros.
func integer(n pgtype.Numeric) (*big.Int, error) {
	if !n.Valid || n.NaN || n.InfinityModifier != pgtype.Finite || n.Exp < 0 {
		return nil, fmt.Errorf("numeric is not an integer: %+v", n)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n.Exp)), nil)
	return scale.Mul(scale, n.Int), nil
}

// fixed reads a bytea of exactly its own length into the array that it slices.
type fixed []byte

// ScanBytes implements pgtype.BytesScanner.
func (f fixed) ScanBytes(v []byte) error {
	if len(v) != len(f) {
		return fmt.Errorf("%w: %d bytes where %d are stored", ErrCorrupt, len(v), len(f))
	}
	copy(f, v)
	return nil
}

func pack(words []settle.Element) []byte {
	out := make([]byte, 0, len(words)*len(settle.Element{}))
	for i := range words {
		out = append(out, words[i][:]...)
	}
	return out
}

func unpack(b []byte) ([]settle.Element, error) {
	const size = len(settle.Element{})
	if len(b)%size != 0 {
		return nil, fmt.Errorf("%w: %d bytes are no whole number of elements", ErrCorrupt, len(b))
	}
	out := make([]settle.Element, len(b)/size)
	for i := range out {
		copy(out[i][:], b[i*size:])
	}
	return out, nil
}

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// list collects rows into T by the destinations that fields names for one.
func list[T any](ctx context.Context, q querier, fields func(*T) []any, sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v T, err error) {
		err = row.Scan(fields(&v)...)
		return v, err
	})
}

// one reads a single row, or ErrNotFound.
func one[T any](ctx context.Context, q querier, fields func(*T) []any, sql string, args ...any) (v T, err error) {
	err = q.QueryRow(ctx, sql, args...).Scan(fields(&v)...)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// rows collects rows into T, whose fields have the names of the columns.
func rows[T any](ctx context.Context, q querier, sql string, args ...any) ([]T, error) {
	found, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByName[T])
}

// row reads a single row as rows does, or ErrNotFound.
func row[T any](ctx context.Context, q querier, sql string, args ...any) (v T, err error) {
	found, err := q.Query(ctx, sql, args...)
	if err != nil {
		return v, err
	}
	v, err = pgx.CollectOneRow(found, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// inTx runs f in a transaction and names what the database refused.
func (s *Store) inTx(ctx context.Context, f func(pgx.Tx) error) error {
	return refused(pgx.BeginFunc(ctx, s.pool, f))
}
