package provingkeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zksettle/settle/internal/gnarkcodec"
)

// SolvedMark is the line that gnark's solver prints, at debug level, through the
// logger that it was given (solver.WithLogger) the moment it has solved a loaded
// system. The prover tells the time of solving from that of the proof by it.
const SolvedMark = "constraint system solved"

// Keys are loaded keys with their constraint system: all that proving needs but
// the hints, which circuits.RegisterHints registers. Read only, safe to share.
type Keys struct {
	Manifest     Manifest
	System       *cs.R1CS // as stored, with SolvedMark as its one log line
	ProvingKey   *groth16bn254.ProvingKey
	VerifyingKey *groth16bn254.VerifyingKey
	LoadTime     time.Duration
	FromDump     bool // the proving key came from its dump
}

// Open loads the keys of id below dir after checking every hash, and never
// compiles. ErrMissing, ErrUnsafeDev, ErrFingerprint, ErrCorrupt, ErrBadKey.
func Open(ctx context.Context, dir string, id ID, opts Options) (*Keys, error) {
	start := time.Now()
	log := opts.log().With("circuit", id.Circuit, "shape", id.Shape)
	vk, m, err := OpenVerifyingKey(dir, id, opts)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := &Keys{Manifest: *m, VerifyingKey: vk}
	folder := id.Folder(dir)
	if k.System, err = readSystem(folder, m); err != nil {
		return nil, unreadable(folder, id, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	warn := func(msg string, err error) { log.WarnContext(ctx, msg, "reason", err.Error()) }
	if k.ProvingKey, k.FromDump, err = readProvingKey(folder, m, warn); err != nil {
		return nil, unreadable(folder, id, err)
	}
	if err := k.check(); err != nil {
		return nil, damaged(folder, id, err.Error())
	}
	k.LoadTime = time.Since(start)
	log.InfoContext(ctx, "keys are loaded", "seconds", k.LoadTime.Seconds(), "from_dump", k.FromDump,
		"bytes", m.ProvingKey.Bytes, "constraints", m.Constraints, "key_hash", m.KeyHash.String())
	return k, nil
}

// OpenVerifyingKey loads the verifying key alone. Errors as of Open.
func OpenVerifyingKey(dir string, id ID, opts Options) (*groth16bn254.VerifyingKey, *Manifest, error) {
	m, err := ReadManifest(dir, id, opts)
	if err != nil {
		return nil, nil, err
	}
	folder := id.Folder(dir)
	vk, err := readVerifyingKey(folder, m.VerifyingKey)
	if err != nil {
		return nil, nil, unreadable(folder, id, err)
	}
	if err := CheckKey(vk); err != nil {
		return nil, nil, fmt.Errorf("verifying key of %s in %s: %w", id, folder, err)
	}
	hash, err := KeyHash(vk)
	if err != nil {
		return nil, nil, damaged(folder, id, err.Error())
	}
	if hash != m.KeyHash {
		return nil, nil, damaged(folder, id, fmt.Sprintf("verifying key hashes to %s, the manifest says %s", hash, m.KeyHash))
	}
	return vk, m, nil
}

func readVerifyingKey(folder string, want File) (vk *groth16bn254.VerifyingKey, err error) {
	if want.Bytes != gnarkcodec.VerifyingKeyBytes {
		return nil, fmt.Errorf("%w: %s has %d bytes, expected %d", ErrCorrupt, want.Name, want.Bytes, gnarkcodec.VerifyingKeyBytes)
	}
	err = readChecked(folder, want, func(f *os.File) error {
		raw := make([]byte, want.Bytes)
		if _, err := io.ReadFull(f, raw); err != nil {
			return err
		}
		vk, err = gnarkcodec.VerifyingKey(raw)
		return err
	})
	return vk, err
}

func readSystem(folder string, m *Manifest) (system *cs.R1CS, err error) {
	err = readChecked(folder, m.System, func(f *os.File) error {
		system, err = gnarkcodec.System(f, m.System.Bytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	system.AddLog(constraint.LogEntry{Format: SolvedMark})
	return system, nil
}

// check finds files that are each good and do not belong together.
func (k *Keys) check() error {
	m, wires := &k.Manifest, k.System.NbInternalVariables+len(k.System.Secret)+len(k.System.Public)
	switch {
	case k.System.GetNbConstraints() != m.Constraints:
		return fmt.Errorf("the system has %d constraints, the manifest says %d", k.System.GetNbConstraints(), m.Constraints)
	case k.ProvingKey.Domain.Cardinality != m.Domain:
		return fmt.Errorf("the proving key's domain is %d, the manifest says %d", k.ProvingKey.Domain.Cardinality, m.Domain)
	case len(k.ProvingKey.InfinityA) != wires:
		return fmt.Errorf("the proving key is for %d wires, the system has %d", len(k.ProvingKey.InfinityA), wires)
	case len(k.System.Public)-1 != m.PublicInputs || m.PublicInputs != PublicInputs:
		return fmt.Errorf("%d public inputs, the manifest says %d, expected %d", len(k.System.Public)-1, m.PublicInputs, PublicInputs)
	case len(k.ProvingKey.CommitmentKeys) != m.Commitments || m.Commitments != Commitments:
		return fmt.Errorf("%d commitments, the manifest says %d, expected %d", len(k.ProvingKey.CommitmentKeys), m.Commitments, Commitments)
	case !k.ProvingKey.G1.Alpha.Equal(&k.VerifyingKey.G1.Alpha) || !k.ProvingKey.G2.Delta.Equal(&k.VerifyingKey.G2.Delta):
		return errors.New("proving key and verifying key come from different setups")
	}
	return nil
}

// unreadable adds the remedy to what is wrong with the files themselves.
func unreadable(folder string, id ID, err error) error {
	if errors.Is(err, ErrCorrupt) || errors.Is(err, gnarkcodec.ErrEncoding) || errors.Is(err, fs.ErrNotExist) {
		return damaged(folder, id, err.Error())
	}
	return fmt.Errorf("read keys of %s: %w", id, err)
}
