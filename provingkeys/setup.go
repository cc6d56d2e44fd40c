package provingkeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/consensys/gnark"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	"github.com/gofrs/flock"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
)

const lockRetry = 100 * time.Millisecond

// Setup returns the manifest of id's keys below dir and makes them by a
// development setup if they are not there: compile, compare with the committed
// fingerprint (a system made for an inner key has none), groth16.Setup, write, rename. Only one process at a time sets up a
// key; the others wait and find it made. Setup takes about 147 s and 2 GB per
// million constraints on 2 cores, and cannot be interrupted within groth16.Setup.
//
// ErrUnsafeDev without opts.AllowUnsafeDev; ErrFingerprint if the compiled system
// is not id's.
func Setup(ctx context.Context, dir string, id ID, compile func() (constraint.ConstraintSystem, error), opts Options) (_ *Manifest, err error) {
	if !opts.AllowUnsafeDev {
		return nil, fmt.Errorf("%w: a setup by one party lets that party forge proofs under its keys. Pass --unsafe-dev if no value is at stake", ErrUnsafeDev)
	}
	if m, err := ReadManifest(dir, id, opts); !errors.Is(err, ErrMissing) {
		return m, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make key folder: %w", err)
	}
	lock := flock.New(id.Folder(dir) + ".lock")
	opts.log().DebugContext(ctx, "waiting for the lock of a key setup", "keys", id.String(), "lock", lock.Path())
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return nil, fmt.Errorf("lock %s, which another process may hold for its setup: %w", lock.Path(), err)
	}
	defer func() {
		if closed := lock.Close(); err == nil && closed != nil {
			err = fmt.Errorf("unlock %s: %w", lock.Path(), closed)
		}
	}()
	if m, err := ReadManifest(dir, id, opts); !errors.Is(err, ErrMissing) {
		return m, err
	}
	return setupLocked(ctx, dir, id, compile, opts)
}

func setupLocked(ctx context.Context, dir string, id ID, compile func() (constraint.ConstraintSystem, error), opts Options) (*Manifest, error) {
	log := opts.log().With("circuit", id.Circuit, "shape", id.Shape)
	log.InfoContext(ctx, "compiling the circuit for its setup")
	start := time.Now()
	system, err := compile()
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", id, err)
	}
	got, err := circuits.FingerprintOf(system)
	if err != nil {
		return nil, fmt.Errorf("fingerprint of %s: %w", id, err)
	}
	if !id.made() && got != id.Fingerprint {
		return nil, fmt.Errorf("%w: %s compiles to %s, committed is %s: the binary and its committed fingerprints differ; rebuild it, or regenerate the fingerprints if the circuit was changed on purpose",
			ErrFingerprint, id, got, id.Fingerprint)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	log.InfoContext(ctx, "setting up unsafe development keys", "constraints", system.GetNbConstraints(), "compile_seconds", time.Since(start).Seconds())
	start = time.Now()
	pk, vk, err := groth16.Setup(system)
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", id, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := install(dir, id, system, pk, vk, SetupUnsafeDev, nil)
	if err != nil {
		return nil, err
	}
	log.InfoContext(ctx, "keys are set up", "seconds", time.Since(start).Seconds(), "key_hash", m.KeyHash.String(), "bytes", m.ProvingKey.Bytes)
	return m, nil
}

// install writes a key folder beside its place and renames it.
func install(dir string, id ID, system constraint.ConstraintSystem, pk groth16.ProvingKey, vk groth16.VerifyingKey, kind SetupKind, transcript *settle.Hash) (_ *Manifest, err error) {
	key, ok := pk.(*groth16bn254.ProvingKey)
	if !ok {
		return nil, fmt.Errorf("proving key of %s is %T, expected one over BN254", id, pk)
	}
	partial, err := makePartial(dir, id)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	m := &Manifest{
		Version: manifestVersion, Circuit: id.Circuit, Shape: id.Shape,
		Constraints: system.GetNbConstraints(), Domain: key.Domain.Cardinality,
		PublicInputs: system.GetNbPublicVariables() - 1, Commitments: len(key.CommitmentKeys), // less the constant wire
		Gnark: gnark.Version.String(), Setup: kind, TranscriptHash: transcript,
	}
	if id.made() {
		m.InnerKeyHash, m.Template = &id.Inner, &id.Fingerprint
	}
	if err := CheckKey(vk); err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	if m.KeyHash, err = KeyHash(vk); err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	for _, f := range []struct {
		into  *File
		name  string
		write func(io.Writer) error
	}{
		{&m.System, systemFile, written(system.WriteTo)},
		{&m.ProvingKey, provingFile, written(pk.WriteRawTo)},
		{&m.VerifyingKey, verifyingFile, written(vk.WriteRawTo)},
	} {
		if *f.into, err = writeFile(partial, f.name, f.write); err != nil {
			return nil, err
		}
	}
	if !id.made() && m.System.SHA256 != id.Fingerprint {
		return nil, fmt.Errorf("%w: serialized %s, expected %s", ErrFingerprint, m.System.SHA256, id.Fingerprint)
	}
	if err := writeDump(partial, key, m.ProvingKey.SHA256); err != nil {
		return nil, err
	}
	if err := writeJSON(partial, manifestFile, m); err != nil {
		return nil, err
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return nil, fmt.Errorf("open key folder to readers: %w", err)
	}
	if err := os.Rename(partial, id.Folder(dir)); err != nil {
		return nil, fmt.Errorf("place keys of %s: %w", id, err)
	}
	return m, syncFolder(dir)
}

// makePartial makes an empty folder beside id's and removes what setups of the same
// keys left behind that were killed. The caller holds the lock of id.
func makePartial(dir string, id ID) (string, error) {
	prefix := ".partial-" + filepath.Base(id.Folder(dir)) + "-"
	left, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return "", fmt.Errorf("look for interrupted setups: %w", err)
	}
	for _, folder := range left {
		if err := os.RemoveAll(folder); err != nil {
			return "", fmt.Errorf("remove interrupted setup: %w", err)
		}
	}
	partial, err := os.MkdirTemp(dir, prefix+"*")
	if err != nil {
		return "", fmt.Errorf("make key folder: %w", err)
	}
	return partial, nil
}

// written drops the count that gnark's writers return.
func written(write func(io.Writer) (int64, error)) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := write(w)
		return err
	}
}

// syncFolder makes a rename in dir durable.
func syncFolder(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("sync key folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync key folder: %w", err)
	}
	return nil
}
