package provingkeys_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/provingkeys"
)

// FuzzManifest reads a manifest that somebody put into the folder of keys. What is taken
// is one JSON value that describes the keys asked for, says the same when it is written
// again, and is of a ceremony unless development keys are allowed.
func FuzzManifest(f *testing.F) {
	plain := provingkeys.ID{Circuit: settle.CircuitTransition, Shape: "toy", Fingerprint: settle.Fingerprint{1}}
	made := provingkeys.ID{Circuit: settle.CircuitAggregate, Shape: "toy-2", Fingerprint: settle.Fingerprint{2}, Inner: settle.KeyHash{3}}
	good := provingkeys.Manifest{
		Version: 1, Circuit: plain.Circuit, Shape: plain.Shape, Setup: provingkeys.SetupUnsafeDev, Gnark: "0.16.1",
		System: provingkeys.File{Name: "system.bin", Bytes: 5, SHA256: plain.Fingerprint}, ProvingKey: provingkeys.File{Name: "proving.key", Bytes: 6},
		VerifyingKey: provingkeys.File{Name: "verifying.key", Bytes: 7}, KeyHash: settle.Hash{4}, Constraints: 9, Domain: 16, PublicInputs: 3, Commitments: 1,
	}
	aggregate := good
	aggregate.Circuit, aggregate.Shape, aggregate.InnerKeyHash, aggregate.Template = made.Circuit, made.Shape, &made.Inner, &made.Fingerprint
	ceremony := good
	ceremony.Setup, ceremony.TranscriptHash = provingkeys.SetupCeremony, &settle.Hash{5}
	for _, m := range []provingkeys.Manifest{good, aggregate, ceremony} {
		encoded, err := json.Marshal(m)
		require.NoError(f, err)
		f.Add(encoded, m.InnerKeyHash != nil)
		f.Add(encoded, m.InnerKeyHash == nil)
		for _, change := range [][2]string{
			{`"version":1`, `"version":2`}, {`"bytes":5`, `"bytes":-5`}, {`"bytes":6`, `"bytes":9223372036854775807`}, {`"domain":16`, `"domain":15`}, {`"domain":16`, `"domain":null`},
			{`system.bin`, `../system.bin`}, {`unsafe-dev`, `ceremony`}, {`"gnark"`, `"gnarq"`}, {`"shape":"toy`, `"Shape":"toy`}, {`"constraints":9`, `"constraints":9e0`}, {`"0x01`, `"0x`},
			{`"transcript_hash":null`, `"transcript_hash":"0x"`}, {`{"version"`, `{"version":1,"version"`}, {`{"version"`, `[{"version"`},
		} {
			f.Add([]byte(strings.Replace(string(encoded), change[0], change[1], 1)), m.InnerKeyHash != nil)
		}
		f.Add(append(encoded, "{}"...), m.InnerKeyHash != nil)
	}
	dir := f.TempDir()
	for _, id := range []provingkeys.ID{plain, made} {
		require.NoError(f, os.MkdirAll(id.Folder(dir), 0o755))
	}
	f.Fuzz(func(t *testing.T, data []byte, forInner bool) {
		id := plain
		if forInner {
			id = made
		}
		require.NoError(t, os.WriteFile(filepath.Join(id.Folder(dir), "manifest.json"), data, 0o644))
		var m *provingkeys.Manifest
		var err error
		require.Less(t, heap.Allocated(func() { m, err = provingkeys.ReadManifest(dir, id, dev) }), uint64(1<<20+64*len(data)))
		strict, refused := provingkeys.ReadManifest(dir, id, provingkeys.Options{})
		if err != nil {
			require.True(t, errors.Is(err, provingkeys.ErrCorrupt) || errors.Is(err, provingkeys.ErrFingerprint), "%v", err)
			require.Nil(t, m)
			require.Error(t, refused)
			return
		}
		require.True(t, json.Valid(data))
		require.Equal(t, id, m.ID())
		require.GreaterOrEqual(t, m.MemoryBytes(), int64(0))
		require.GreaterOrEqual(t, m.Domain, uint64(m.Constraints))
		if m.Setup == provingkeys.SetupCeremony {
			require.NoError(t, refused)
			require.Equal(t, m, strict)
			require.NotNil(t, m.TranscriptHash)
		} else {
			require.ErrorIs(t, refused, provingkeys.ErrUnsafeDev)
		}
		again, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(id.Folder(dir), "manifest.json"), again, 0o644))
		same, err := provingkeys.ReadManifest(dir, id, dev)
		require.NoError(t, err)
		require.Equal(t, m, same)
	})
}
