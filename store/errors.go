package store

import (
	"errors"
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
	// ErrLeaseHeld: a live worker holds the lease; come back after it expires.
	ErrLeaseHeld = errors.New("lease held by another worker")
	// ErrLeaseLost: the lease has expired and moved to a new epoch, or was released.
	ErrLeaseLost = errors.New("lease lost")
	// ErrProofExists: the proof is already stored; there is nothing to do.
	ErrProofExists = errors.New("proof already stored")
	// ErrProofMismatch: the proof is not one of this batch (key, shape or commitment c).
	ErrProofMismatch = errors.New("proof does not belong to the batch")
	// ErrCorrupt: stored bytes do not match their stored hash.
	ErrCorrupt = errors.New("stored bytes do not match their hash")
)
