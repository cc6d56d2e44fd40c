// Package provingkeys keeps the keys of circuits: one folder per circuit, shape
// and constraint system, with a manifest that says what is in it.
//
//	<dir>/<circuit>-<shape>-<fingerprint prefix>/
//	    manifest.json      hashes of the three files, sizes, origin of the key
//	    system.bin         constraint system, gnark's serialization; its SHA-256 is the fingerprint
//	    proving.key        gnark's raw serialization: the one that is hashed and can be copied
//	    verifying.key      likewise
//	    proving.dump       the proving key as it lies in memory: a cache for this kind of machine
//	    proving.dump.json  what the dump was made from, and its hash
//
// The folder's name follows from the committed fingerprint of the shape, so
// start-up compares and never compiles, and a changed circuit never meets the
// keys of the old one. Folders appear by one rename under a file lock: they are
// complete, or absent.
package provingkeys

import (
	"errors"
	"log/slog"
)

// Errors of this package; each is wrapped with its remedy.
var (
	// ErrMissing: there are no keys for the constraint system.
	ErrMissing = errors.New("keys are missing")
	// ErrUnsafeDev: keys of a development setup need an explicit flag.
	ErrUnsafeDev = errors.New("unsafe development keys are not allowed")
	// ErrFingerprint: the constraint system is not the committed one.
	ErrFingerprint = errors.New("the constraint system does not match its committed fingerprint")
	// ErrCorrupt: a file does not match the manifest, or the manifest is unreadable.
	ErrCorrupt = errors.New("key files are damaged")
	// ErrBadKey: the verifying key is not for three public inputs and one commitment,
	// or one that the contract refuses (CheckKey).
	ErrBadKey = errors.New("bad verifying key")
	// ErrBudget: one key alone exceeds the memory that the cache may use.
	ErrBudget = errors.New("the key does not fit the memory budget")
)

// Options apply to Setup, Open and Cache.
type Options struct {
	// AllowUnsafeDev accepts keys whose toxic waste one party knew: whoever made
	// them can forge proofs.
	AllowUnsafeDev bool
	// Log hears of setups and loads; nil discards.
	Log *slog.Logger
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}
