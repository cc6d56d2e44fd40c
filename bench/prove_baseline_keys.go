package bench

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/consensys/gnark"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/gofrs/flock"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/baseline"
)

// baselineKeys are keys of the plain circuit for the most transfers that fit a domain.
// They lie beside Settle's in a folder baseline-LOG-FINGERPRINT; package provingkeys
// takes no circuit of other public inputs than Settle's.
type baselineKeys struct {
	Transfers    int
	System       *cs.R1CS
	ProvingKey   *groth16bn254.ProvingKey
	VerifyingKey *groth16bn254.VerifyingKey
	Compile      time.Duration
	Setup        time.Duration // 0: they were there
}

// baselineManifest says what is in a folder; written last.
type baselineManifest struct {
	Transfers   int                `json:"transfers"`
	Domain      int                `json:"domain_log2"`
	Fingerprint settle.Fingerprint `json:"system_sha256"`
	Dump        settle.Hash        `json:"proving_dump_sha256"`
	Machine     string             `json:"machine"` // a dump is memory as it lies in one kind of machine
	Gnark       string             `json:"gnark"`
}

const (
	baselineDump     = "proving.dump"
	baselineVerifier = "verifying.key"
	baselineFile     = "manifest.json"
	lockRetry        = 100 * time.Millisecond
)

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// baselineStore keeps keys of a circuit that grows with its transfers.
type baselineStore struct {
	dir     string
	log     *slog.Logger
	largest func(domainLog int) (int, error) // most transfers within a domain
	compile func(transfers int) (constraint.ConstraintSystem, error)
}

func newBaselineStore(dir string, log *slog.Logger) baselineStore {
	return baselineStore{dir, log, baseline.LargestWithin, baseline.Compile}
}

// open compiles the circuit and loads its keys, or makes them, which takes about 150
// seconds per million constraints on 2 cores. Errors of the circuit as they are:
// baseline.ErrDomain.
func (b baselineStore) open(ctx context.Context, domainLog int) (*baselineKeys, error) {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make key folder: %w", err)
	}
	lock := flock.New(filepath.Join(b.dir, fmt.Sprintf("baseline-%d.lock", domainLog)))
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	keys, err := b.openLocked(ctx, domainLog)
	return keys, errors.Join(err, lock.Close())
}

func (b baselineStore) openLocked(ctx context.Context, domainLog int) (*baselineKeys, error) {
	folders, err := filepath.Glob(filepath.Join(b.dir, fmt.Sprintf("baseline-%d-*", domainLog)))
	if err != nil {
		return nil, fmt.Errorf("look for keys of the baseline: %w", err)
	}
	for _, folder := range folders {
		keys, err := b.load(folder)
		if err == nil {
			return keys, nil
		}
		b.log.WarnContext(ctx, "keys of the baseline are not used", "folder", folder, "reason", err.Error())
	}
	return b.make(ctx, domainLog)
}

// load compiles what the manifest names, so that keys of a changed circuit are
// not taken for its own.
func (b baselineStore) load(folder string) (*baselineKeys, error) {
	data, err := os.ReadFile(filepath.Join(folder, baselineFile))
	if err != nil {
		return nil, err
	}
	var m baselineManifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", baselineFile, err)
	}
	if m.Machine != platform() || m.Gnark != gnark.Version.String() {
		return nil, fmt.Errorf("made on %s with gnark %s", m.Machine, m.Gnark)
	}
	keys, fingerprint, err := b.compiled(m.Transfers)
	if err != nil {
		return nil, err
	}
	if fingerprint != m.Fingerprint {
		return nil, fmt.Errorf("the circuit has fingerprint %s, the keys are for %s", fingerprint, m.Fingerprint)
	}
	hashed, err := readFile(filepath.Join(folder, baselineDump), keys.ProvingKey.ReadDump)
	if err != nil {
		return nil, err
	}
	if hashed != m.Dump {
		return nil, fmt.Errorf("%s has SHA-256 %s, expected %s", baselineDump, hashed, m.Dump)
	}
	_, err = readFile(filepath.Join(folder, baselineVerifier), func(r io.Reader) error {
		_, err := keys.VerifyingKey.ReadFrom(r)
		return err
	})
	return keys, err
}

func (b baselineStore) compiled(transfers int) (*baselineKeys, settle.Fingerprint, error) {
	begun := time.Now()
	compiled, err := b.compile(transfers)
	if err != nil {
		return nil, settle.Fingerprint{}, err
	}
	took := time.Since(begun)
	system, ok := compiled.(*cs.R1CS)
	if !ok {
		return nil, settle.Fingerprint{}, fmt.Errorf("the baseline compiles to %T, expected R1CS over BN254", compiled)
	}
	fingerprint, err := circuits.FingerprintOf(system)
	return &baselineKeys{
		Transfers: transfers, System: system, ProvingKey: new(groth16bn254.ProvingKey), VerifyingKey: new(groth16bn254.VerifyingKey), Compile: took,
	}, fingerprint, err
}

func (b baselineStore) make(ctx context.Context, domainLog int) (_ *baselineKeys, err error) {
	b.log.InfoContext(ctx, "looking for the most transfers of the baseline that fit", "domain_log2", domainLog)
	transfers, err := b.largest(domainLog)
	if err != nil {
		return nil, err
	}
	keys, fingerprint, err := b.compiled(transfers)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.log.InfoContext(ctx, "setting up unsafe development keys of the baseline", "transfers", transfers, "constraints", keys.System.GetNbConstraints())
	begun := time.Now()
	if err := groth16bn254.Setup(keys.System, keys.ProvingKey, keys.VerifyingKey); err != nil {
		return nil, fmt.Errorf("set up the baseline: %w", err)
	}
	keys.Setup = time.Since(begun)

	partial, err := os.MkdirTemp(b.dir, ".baseline-*")
	if err != nil {
		return nil, fmt.Errorf("make key folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(partial)) }() // nothing once it is renamed
	m := baselineManifest{Transfers: transfers, Domain: domainLog, Fingerprint: fingerprint, Machine: platform(), Gnark: gnark.Version.String()}
	if m.Dump, err = writeFile(filepath.Join(partial, baselineDump), keys.ProvingKey.WriteDump); err != nil {
		return nil, err
	}
	if _, err = writeFile(filepath.Join(partial, baselineVerifier), func(w io.Writer) error {
		_, err := keys.VerifyingKey.WriteRawTo(w)
		return err
	}); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", baselineFile, err)
	}
	if err := os.WriteFile(filepath.Join(partial, baselineFile), append(data, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("write keys of the baseline: %w", err)
	}
	folder := filepath.Join(b.dir, fmt.Sprintf("baseline-%d-%x", domainLog, fingerprint[:8]))
	if err := errors.Join(os.Chmod(partial, 0o755), os.RemoveAll(folder), os.Rename(partial, folder)); err != nil {
		return nil, fmt.Errorf("place keys of the baseline: %w", err)
	}
	return keys, nil
}

func writeFile(path string, write func(io.Writer) error) (_ settle.Hash, err error) {
	f, err := os.Create(path)
	if err != nil {
		return settle.Hash{}, fmt.Errorf("write keys of the baseline: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h, buffered := sha256.New(), bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(write(io.MultiWriter(buffered, h)), buffered.Flush()); err != nil {
		return settle.Hash{}, fmt.Errorf("write %s: %w", path, err)
	}
	return settle.Hash(h.Sum(nil)), nil
}

// readFile decodes a file and returns the SHA-256 of all of it.
func readFile(path string, read func(io.Reader) error) (_ settle.Hash, err error) {
	f, err := os.Open(path)
	if err != nil {
		return settle.Hash{}, fmt.Errorf("read keys of the baseline: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	all := bufio.NewReaderSize(io.TeeReader(f, h), 1<<20)
	if err := read(all); err != nil {
		return settle.Hash{}, fmt.Errorf("decode %s: %w", path, err)
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return settle.Hash{}, fmt.Errorf("read %s: %w", path, err)
	}
	return settle.Hash(h.Sum(nil)), nil
}
