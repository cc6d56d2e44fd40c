package provingkeys

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zksettle/settle"
)

// Names of the files in a key folder.
const (
	manifestFile  = "manifest.json"
	systemFile    = "system.bin"
	provingFile   = "proving.key"
	verifyingFile = "verifying.key"
	dumpFile      = "proving.dump"
	dumpInfoFile  = "proving.dump.json"
)

const manifestVersion = 1

// SetupKind says how a key was made.
type SetupKind string

// Kinds of setup.
const (
	// SetupUnsafeDev: by one process, which knew the toxic waste.
	SetupUnsafeDev SetupKind = "unsafe-dev"
	// SetupCeremony: by a ceremony whose transcript the manifest names.
	SetupCeremony SetupKind = "ceremony"
)

// ID names the keys of one constraint system: by its committed fingerprint or, if
// it is made for the keys of another circuit, by the hash of those.
type ID struct {
	Circuit     string // settle.CircuitTransition, …
	Shape       string
	Fingerprint settle.Fingerprint // as committed with the circuit; with Inner, of its template
	Inner       settle.KeyHash     // key whose proofs the circuit verifies; else zero
}

// String returns circuit/shape.
func (id ID) String() string { return id.Circuit + "/" + id.Shape }

// longer says what tells the system from others of the same name.
func (id ID) longer() string {
	if id.made() {
		return fmt.Sprintf("%s for proofs under key %s", id, id.Inner)
	}
	return fmt.Sprintf("%s with fingerprint %s", id, id.Fingerprint)
}

// Folder returns where the keys of id lie below dir.
func (id ID) Folder(dir string) string {
	mark := id.Fingerprint
	if id.made() {
		mark = sha256.Sum256(slices.Concat(id.Fingerprint[:], id.Inner[:]))
	}
	return filepath.Join(dir, fmt.Sprintf("%s-%s-%x", id.Circuit, id.Shape, mark[:8]))
}

// made reports whether the system is made for an inner key.
func (id ID) made() bool { return id.Inner != settle.KeyHash{} }

// setup is the command that makes development keys of id.
func (id ID) setup() string {
	if id.made() {
		return "`settle keys setup --aggregate " + id.Shape + " --unsafe-dev`"
	}
	return "`settle keys setup --shape " + id.Shape + " --unsafe-dev`"
}

// File is one file that the manifest vouches for.
type File struct {
	Name   string      `json:"file"`
	Bytes  int64       `json:"bytes"`
	SHA256 settle.Hash `json:"sha256"`
}

// Manifest describes the keys of one circuit and shape. The SHA-256 of the
// system's file is its fingerprint.
type Manifest struct {
	Version      int         `json:"version"`
	Circuit      string      `json:"circuit"`
	Shape        string      `json:"shape"`
	System       File        `json:"system"`
	ProvingKey   File        `json:"proving_key"`
	VerifyingKey File        `json:"verifying_key"`
	KeyHash      settle.Hash `json:"key_hash"` // of the verifying key, as on L1
	Constraints  int         `json:"constraints"`
	Domain       uint64      `json:"domain"` // size of the FFT domain
	PublicInputs int         `json:"public_inputs"`
	Commitments  int         `json:"commitments"`
	Gnark        string      `json:"gnark"` // version that made the keys
	Setup        SetupKind   `json:"setup"`
	// InnerKeyHash is of the key whose proofs the circuit verifies; nil for a circuit
	// that verifies none.
	InnerKeyHash *settle.KeyHash `json:"inner_key_hash,omitempty"`
	// Template is the committed fingerprint of the circuit that the system was made
	// from for its inner key; nil for a circuit that verifies no proofs.
	Template *settle.Fingerprint `json:"template,omitempty"`
	// TranscriptHash is the SHA-256 of the ceremony's transcript; nil for SetupUnsafeDev.
	TranscriptHash *settle.Hash `json:"transcript_hash"`
}

// ID names the keys that the manifest describes.
func (m *Manifest) ID() ID {
	id := ID{Circuit: m.Circuit, Shape: m.Shape}
	if m.InnerKeyHash != nil && m.Template != nil {
		id.Inner, id.Fingerprint = *m.InnerKeyHash, *m.Template
	} else {
		id.Fingerprint = m.System.SHA256
	}
	return id
}

// Most that a key can have: the curve has no larger FFT domain, for which no file
// comes near the size.
const (
	maxDomainBits = 28
	maxFileBytes  = 1 << 42
)

// isPlausible reports whether sums of the manifest's numbers mean anything: memory is
// planned by them before a file is read.
func (m *Manifest) isPlausible() bool {
	for _, f := range []File{m.System, m.ProvingKey, m.VerifyingKey} {
		if f.Bytes < 0 || f.Bytes > maxFileBytes {
			return false
		}
	}
	return m.Constraints > 0 && m.Constraints <= 1<<maxDomainBits && m.Domain == 1<<bits.Len(uint(m.Constraints-1))
}

// MemoryBytes estimates what the loaded keys and their system take.
func (m *Manifest) MemoryBytes() int64 { return m.ProvingKey.Bytes + 2*m.System.Bytes }

// ReadManifest reads the manifest of id below dir and checks that it describes id
// and that its setup is allowed: ErrMissing, ErrCorrupt or ErrUnsafeDev.
func ReadManifest(dir string, id ID, opts Options) (*Manifest, error) {
	folder := id.Folder(dir)
	data, err := os.ReadFile(filepath.Join(folder, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no keys of %s in %s: run %s for development keys", ErrMissing, id.longer(), dir, id.setup())
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest of %s: %w", id, err)
	}
	m := new(Manifest)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err = d.Decode(m); err == nil && !json.Valid(data) {
		err = errors.New("text behind the JSON object")
	}
	if err != nil {
		return nil, damaged(folder, id, fmt.Sprintf("manifest: %v", err))
	}
	switch {
	case m.Version != manifestVersion:
		return nil, damaged(folder, id, fmt.Sprintf("manifest version %d, expected %d", m.Version, manifestVersion))
	case m.Circuit != id.Circuit || m.Shape != id.Shape:
		return nil, damaged(folder, id, fmt.Sprintf("manifest is of %s/%s", m.Circuit, m.Shape))
	case id.made() != (m.InnerKeyHash != nil) || (id.made() && *m.InnerKeyHash != id.Inner):
		return nil, damaged(folder, id, "manifest is for another inner key")
	case id.made() && (m.Template == nil || *m.Template != id.Fingerprint):
		return nil, damaged(folder, id, "manifest is of another aggregate circuit")
	case !id.made() && m.System.SHA256 != id.Fingerprint:
		return nil, fmt.Errorf("%w: %s holds %s, the circuit has %s: run %s", ErrFingerprint, folder, m.System.SHA256, id.Fingerprint, id.setup())
	case m.System.Name != systemFile || m.ProvingKey.Name != provingFile || m.VerifyingKey.Name != verifyingFile:
		return nil, damaged(folder, id, "manifest names other files")
	case !m.isPlausible():
		return nil, damaged(folder, id, "manifest with numbers that no key has")
	case m.Setup == SetupCeremony && m.TranscriptHash != nil:
	case m.Setup != SetupUnsafeDev || m.TranscriptHash != nil:
		return nil, damaged(folder, id, fmt.Sprintf("setup %q and transcript do not go together", m.Setup))
	case !opts.AllowUnsafeDev:
		return nil, fmt.Errorf("%w: %s in %s come from a development setup, whose maker can forge proofs: install ceremony keys, or pass --unsafe-dev where no value is at stake",
			ErrUnsafeDev, id, folder)
	}
	return m, nil
}

func damaged(folder string, id ID, what string) error {
	what = strings.TrimPrefix(what, ErrCorrupt.Error()+": ") // of a single file, which says so itself
	return fmt.Errorf("%w: %s: %s: restore it from a copy; without one, remove %s and run %s, which makes other keys: a deployed verifier takes no proofs of theirs", ErrCorrupt, id, what, folder, id.setup())
}

// writeFile writes folder/name through write and syncs it.
func writeFile(folder, name string, write func(io.Writer) error) (_ File, err error) {
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return File{}, fmt.Errorf("write key file: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close %s: %w", name, closed)
		}
	}()
	w := newHashingWriter(f)
	if err := write(w); err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	if err := w.buffer.Flush(); err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.Sync(); err != nil {
		return File{}, fmt.Errorf("sync %s: %w", name, err)
	}
	return File{Name: name, Bytes: w.bytes, SHA256: settle.Hash(w.hash.Sum(nil))}, nil
}

func writeJSON(folder, name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	_, err = writeFile(folder, name, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
	return err
}

// openChecked opens folder/want.Name at its beginning after comparing its length
// and hash. gnark's decoders allocate by lengths that they read, so nothing is
// decoded before it is known to be what was written.
func openChecked(folder string, want File) (_ *os.File, err error) {
	f, err := os.Open(filepath.Join(folder, want.Name))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, bufferBytes))
	if err != nil {
		return nil, fmt.Errorf("hash %s: %w", want.Name, err)
	}
	if got := settle.Hash(h.Sum(nil)); got != want.SHA256 || n != want.Bytes {
		return nil, fmt.Errorf("%w: %s has %d bytes and SHA-256 %s, expected %d and %s", ErrCorrupt, want.Name, n, got, want.Bytes, want.SHA256)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind %s: %w", want.Name, err)
	}
	return f, nil
}
