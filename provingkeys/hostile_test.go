package provingkeys_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/provingkeys"
)

// changeManifest rewrites the manifest for the time of a test.
func changeManifest(t *testing.T, dir string, id provingkeys.ID, change func(*provingkeys.Manifest)) {
	t.Helper()
	rewrite(t, filepath.Join(id.Folder(dir), "manifest.json"), func(data []byte) []byte {
		m := new(provingkeys.Manifest)
		require.NoError(t, json.Unmarshal(data, m))
		change(m)
		data, err := json.Marshal(m)
		require.NoError(t, err)
		return data
	})
}

// requireCorrupt requires that the keys are refused, and that no more is allocated than
// in proportion to their files: 1 MiB each to hash, as much to read ahead.
func requireCorrupt(t *testing.T, dir string, id provingkeys.ID) {
	t.Helper()
	var err error
	require.Less(t, heap.Allocated(func() { _, err = provingkeys.Open(t.Context(), dir, id, dev) }), uint64(16<<20))
	require.ErrorIs(t, err, provingkeys.ErrCorrupt)
}

// TestHostileFilesBehindGoodHashes: whoever can write the folder can write a manifest
// to it. Whatever the files claim, loading them fails in order. The file of the
// constraint system is left out: its hash is committed.
func TestHostileFilesBehindGoodHashes(t *testing.T) {
	dir, id, m := setup(t)
	folder := id.Folder(dir)
	put := func(at int, b ...byte) func([]byte) []byte {
		return func(raw []byte) []byte { return slices.Concat(raw[:at], b, raw[at+len(b):]) }
	}
	most32, most64 := []byte{0xff, 0xff, 0xff, 0xff}, bytes.Repeat([]byte{0x0f, 0xff}, 4)
	u64 := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	const points, fixed = 169 + 3*64, 8 + 169 + 3*64 + 2*128 // of a proving key, of its dump
	for name, c := range map[string]struct {
		file   string
		change func([]byte) []byte
	}{
		"points of the verifying key":             {m.VerifyingKey.Name, put(576, most32...)},
		"committed wires":                         {m.VerifyingKey.Name, put(900, most32...)},
		"commitment keys":                         {m.VerifyingKey.Name, put(908, most32...)},
		"a verifying key with more behind":        {m.VerifyingKey.Name, func(raw []byte) []byte { return append(raw, 0) }},
		"a verifying key cut":                     {m.VerifyingKey.Name, func(raw []byte) []byte { return raw[:900] }},
		"alpha off the curve":                     {m.VerifyingKey.Name, func(raw []byte) []byte { raw[63] ^= 1; return raw }},
		"a point marked as shorter":               {m.VerifyingKey.Name, func(raw []byte) []byte { raw[0] |= 0x80; return raw }},
		"points A":                                {m.ProvingKey.Name, put(points, most32...)},
		"a point fewer":                           {m.ProvingKey.Name, func(raw []byte) []byte { raw[points+3]--; return raw }},
		"an FFT domain of 2^60":                   {m.ProvingKey.Name, put(0, u64(1<<60)...)},
		"an FFT domain of 2^24, and its twiddles": {m.ProvingKey.Name, func(raw []byte) []byte { return put(168, 1)(put(0, u64(1<<24)...)(raw)) }},
		"an FFT domain of half the size":          {m.ProvingKey.Name, put(0, u64(m.Domain/2)...)},
		"a proving key cut":                       {m.ProvingKey.Name, func(raw []byte) []byte { return raw[:len(raw)/2] }},
		"a proving key twice":                     {m.ProvingKey.Name, func(raw []byte) []byte { return append(raw, raw...) }},
		"an empty proving key":                    {m.ProvingKey.Name, func([]byte) []byte { return nil }},
		"wires of a dump":                         {"proving.dump", put(fixed, most64...)},
		"infinities of a dump":                    {"proving.dump", put(fixed+8, most64...)},
		"the FFT domain of a dump":                {"proving.dump", put(8, u64(1<<40)...)},
		"a dump cut":                              {"proving.dump", func(raw []byte) []byte { return raw[:len(raw)-64] }},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, c.file)
			rewrite(t, path, c.change)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			file := provingkeys.File{Name: c.file, Bytes: int64(len(data)), SHA256: sha256.Sum256(data)}
			if c.file == "proving.dump" {
				changeDumpInfo(t, folder, file)
				var keys *provingkeys.Keys
				require.Less(t, heap.Allocated(func() { keys, err = provingkeys.Open(t.Context(), dir, id, dev) }), uint64(16<<20))
				require.NoError(t, err)
				require.False(t, keys.FromDump)
				return
			}
			changeManifest(t, dir, id, func(m *provingkeys.Manifest) {
				if c.file == m.VerifyingKey.Name {
					m.VerifyingKey = file
				} else {
					m.ProvingKey = file
				}
			})
			requireCorrupt(t, dir, id)
		})
	}
	_, err := provingkeys.Open(t.Context(), dir, id, dev)
	require.NoError(t, err, "restored files load again")
}

func changeDumpInfo(t *testing.T, folder string, file provingkeys.File) {
	t.Helper()
	rewrite(t, filepath.Join(folder, "proving.dump.json"), func(data []byte) []byte {
		var info map[string]any
		require.NoError(t, json.Unmarshal(data, &info))
		info["dump"] = file
		data, err := json.Marshal(info)
		require.NoError(t, err)
		return data
	})
}

// TestManifestsOfNoKey: memory is planned by the manifest's numbers before a file is read.
func TestManifestsOfNoKey(t *testing.T) {
	dir, id, _ := setup(t)
	for name, change := range map[string]func(*provingkeys.Manifest){
		"negative size":          func(m *provingkeys.Manifest) { m.ProvingKey.Bytes = -1 },
		"size beyond all":        func(m *provingkeys.Manifest) { m.System.Bytes = math.MaxInt64 },
		"no constraints":         func(m *provingkeys.Manifest) { m.Constraints = 0 },
		"negative constraints":   func(m *provingkeys.Manifest) { m.Constraints = -5 },
		"constraints beyond all": func(m *provingkeys.Manifest) { m.Constraints, m.Domain = 1<<40, 1<<40 },
		"another domain":         func(m *provingkeys.Manifest) { m.Domain *= 2 },
		"domain beyond all":      func(m *provingkeys.Manifest) { m.Domain = 1 << 63 },
		"another version":        func(m *provingkeys.Manifest) { m.Version = 2 },
		"another circuit":        func(m *provingkeys.Manifest) { m.Circuit = "other" },
		"other files":            func(m *provingkeys.Manifest) { m.ProvingKey.Name = "../" + m.ProvingKey.Name },
		"an inner key":           func(m *provingkeys.Manifest) { m.InnerKeyHash = &settle.KeyHash{1} },
		"a transcript":           func(m *provingkeys.Manifest) { m.TranscriptHash = &settle.Hash{1} },
		"a ceremony without one": func(m *provingkeys.Manifest) { m.Setup = provingkeys.SetupCeremony },
		"another setup":          func(m *provingkeys.Manifest) { m.Setup = "secret" },
	} {
		t.Run(name, func(t *testing.T) {
			changeManifest(t, dir, id, change)
			_, err := provingkeys.ReadManifest(dir, id, dev)
			require.ErrorIs(t, err, provingkeys.ErrCorrupt)
			requireCorrupt(t, dir, id)
		})
	}
	t.Run("another system", func(t *testing.T) {
		changeManifest(t, dir, id, func(m *provingkeys.Manifest) { m.System.SHA256[0] ^= 1 })
		_, err := provingkeys.ReadManifest(dir, id, dev)
		require.ErrorIs(t, err, provingkeys.ErrFingerprint)
	})
}
