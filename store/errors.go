package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Errors that tell the caller what to do next.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrGenesisMismatch: the database already belongs to another rollup.
	ErrGenesisMismatch = errors.New("the database holds another rollup")
	// ErrWriterHeld: another process holds the single-writer role.
	ErrWriterHeld = errors.New("another process holds the single-writer role")
	// ErrFenced: a newer holder of the role has taken over; stop writing.
	ErrFenced = errors.New("fenced: a newer writer has taken over")
	// ErrIllegalTransition: the row is not in a status from which this change is drawn.
	ErrIllegalTransition = errors.New("illegal status transition")
	// ErrStateMismatch: the batch was executed on other accounts or another root than
	// the stored ones; load the state anew.
	ErrStateMismatch = errors.New("the batch does not continue the stored state")
	// ErrLeaseLost: the job was taken from this worker, or has ended.
	ErrLeaseLost = errors.New("lease lost")
	// ErrProofExists: the proof is already stored; there is nothing to do.
	ErrProofExists = errors.New("proof already stored")
	// ErrJobCancelled: nobody needs the proof any more; stop proving.
	ErrJobCancelled = errors.New("the job is cancelled")
	// ErrProofMismatch: the proof is not one of this batch (key, shape or commitment c).
	ErrProofMismatch = errors.New("proof does not belong to the batch")
	// ErrClaimsChanged: stored claims are others than when the search began; search again.
	ErrClaimsChanged = errors.New("the stored claims have changed meanwhile")
	// ErrCorrupt: stored bytes do not match their stored hash.
	ErrCorrupt = errors.New("stored bytes do not match their hash")
)

// refused turns the refusals by package migrations' constraints and triggers into
// sentinels, keeping the original error in the chain.
func refused(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch {
	case pg.ConstraintName == "batches_follow", pg.ConstraintName == "batches_pkey":
		return fmt.Errorf("%w: %w", ErrStateMismatch, err)
	case strings.HasSuffix(pg.ConstraintName, "_transition"), pg.ConstraintName == "batches_sequence", pg.ConstraintName == "settlements_sequence",
		pg.ConstraintName == "batch_groups_apart", pg.ConstraintName == "batch_groups_batches", pg.ConstraintName == "batch_groups_pkey":
		return fmt.Errorf("%w: %w", ErrIllegalTransition, err)
	}
	return err
}

// MissingProofError is a batch or group that is proven, and whose proof is gone. Nothing
// here deletes one without setting it aside: somebody did, by hand.
type MissingProofError struct{ ProofKey }

// Error implements error.
func (e *MissingProofError) Error() string {
	return fmt.Sprintf("batch %d is proven, and its %s proof under key %s is gone from the database: somebody deleted it", e.Batch, e.Circuit, e.KeyHash)
}

// IsUnavailable reports whether err says that Postgres could not be reached or
// broke off (refused, reset, shut down, starting up, out of connections, timed
// out, deadlocked): the same call may succeed later. A call that the caller
// cancelled is not one.
func IsUnavailable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return unavailableState(pg.Code) && !strings.Contains(pg.Message, "unsupported startup parameter") // a pooler's, of what the URL asks for
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err)
}

// IsExhausted reports whether err says that Postgres, or the database or user of ours,
// has no connection left.
func IsExhausted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53300"
}

func unavailableState(code string) bool {
	for _, class := range []string{
		"08",    // connection exceptions
		"53",    // insufficient resources: connections, memory, disk
		"57P",   // shutdown, crash, starting up
		"57014", // cancelled by a timeout of the server
		"25006", // read-only: a standby during a fail-over
		"40001", // serialization failure
		"40P01", // deadlock
		"55P03", // lock timeout
	} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}
