package provingkeys_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/consensys/gnark/constraint"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/provingkeys"
)

var dev = provingkeys.Options{AllowUnsafeDev: true}

func setup(t *testing.T) (dir string, id provingkeys.ID, m *provingkeys.Manifest) {
	t.Helper()
	dir, id = t.TempDir(), toyID(t, toySize)
	m, err := provingkeys.Setup(t.Context(), dir, id, compileToy(toySize), dev)
	require.NoError(t, err)
	return dir, id, m
}

func TestSetupAndOpen(t *testing.T) {
	dir, id, m := setup(t)
	require.Equal(t, id, m.ID())
	require.Equal(t, 3, m.PublicInputs)
	require.Equal(t, 1, m.Commitments)
	require.Equal(t, provingkeys.SetupUnsafeDev, m.Setup)
	require.Nil(t, m.TranscriptHash)
	require.GreaterOrEqual(t, m.Domain, uint64(m.Constraints))

	keys, err := provingkeys.Open(t.Context(), dir, id, dev)
	require.NoError(t, err)
	require.True(t, keys.FromDump)
	require.Equal(t, *m, keys.Manifest)
	require.Positive(t, keys.LoadTime)
	hash, err := provingkeys.KeyHash(keys.VerifyingKey)
	require.NoError(t, err)
	require.Equal(t, m.KeyHash, hash)

	again, err := provingkeys.Setup(t.Context(), dir, id, func() (constraint.ConstraintSystem, error) {
		t.Error("compiled although the keys are there")
		return nil, nil
	}, dev)
	require.NoError(t, err)
	require.Equal(t, m, again)
}

func TestUnsafeDevKeysNeedTheFlag(t *testing.T) {
	dir, id, _ := setup(t)
	var strict provingkeys.Options
	_, err := provingkeys.Open(t.Context(), dir, id, strict)
	require.ErrorIs(t, err, provingkeys.ErrUnsafeDev)
	require.ErrorContains(t, err, "--unsafe-dev")
	_, _, err = provingkeys.OpenVerifyingKey(dir, id, strict)
	require.ErrorIs(t, err, provingkeys.ErrUnsafeDev)
	_, err = provingkeys.Setup(t.Context(), t.TempDir(), id, compileToy(toySize), strict)
	require.ErrorIs(t, err, provingkeys.ErrUnsafeDev)
}

func TestMissingKeysNameTheRemedy(t *testing.T) {
	_, err := provingkeys.Open(t.Context(), t.TempDir(), toyID(t, toySize), dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing)
	require.ErrorContains(t, err, "settle keys setup --shape tiny --unsafe-dev")
}

func TestSetupRefusesAnotherSystem(t *testing.T) {
	dir := t.TempDir()
	_, err := provingkeys.Setup(t.Context(), dir, toyID(t, toySize), compileToy(toySize+1), dev)
	require.ErrorIs(t, err, provingkeys.ErrFingerprint)
	_, err = provingkeys.Open(t.Context(), dir, toyID(t, toySize), dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing, "nothing may be left behind")
}

func TestEveryDamagedFileIsRefused(t *testing.T) {
	dir, id, m := setup(t)
	for _, name := range []string{m.System.Name, m.VerifyingKey.Name, m.ProvingKey.Name} {
		for what, damage := range map[string]func([]byte) []byte{
			"flipped":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			"truncated": func(b []byte) []byte { return b[:len(b)-1] },
			"longer":    func(b []byte) []byte { return append(b, 0) },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				removeDump(t, dir, id)
				rewrite(t, filepath.Join(id.Folder(dir), name), damage)
				_, err := provingkeys.Open(t.Context(), dir, id, dev)
				require.ErrorIs(t, err, provingkeys.ErrCorrupt)
				require.ErrorContains(t, err, "restore it from a copy; without one, remove "+id.Folder(dir))
				require.Equal(t, 1, strings.Count(err.Error(), provingkeys.ErrCorrupt.Error()), "said once: %v", err)
			})
		}
		t.Run(name+"/absent", func(t *testing.T) {
			removeDump(t, dir, id)
			path := filepath.Join(id.Folder(dir), name)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.Remove(path))
			_, err = provingkeys.Open(t.Context(), dir, id, dev)
			require.ErrorIs(t, err, provingkeys.ErrCorrupt)
			require.NoError(t, os.WriteFile(path, data, 0o600))
		})
	}
	t.Run("manifest", func(t *testing.T) {
		rewrite(t, filepath.Join(id.Folder(dir), "manifest.json"), func(b []byte) []byte { return b[1:] })
		_, err := provingkeys.Open(t.Context(), dir, id, dev)
		require.ErrorIs(t, err, provingkeys.ErrCorrupt)
	})
	_, err := provingkeys.Open(t.Context(), dir, id, dev)
	require.NoError(t, err, "restored files load again")
}

func TestDumpIsOnlyACache(t *testing.T) {
	for _, name := range []string{"proving.dump", "proving.dump.json"} {
		for what, damage := range map[string]func(t *testing.T, path string){
			"absent": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
			"flipped": func(t *testing.T, path string) {
				overwrite(t, path, func(b []byte) []byte { b[len(b)/3] ^= 1; return b })
			},
			"truncated": func(t *testing.T, path string) { overwrite(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				dir, id, _ := setup(t)
				damage(t, filepath.Join(id.Folder(dir), name))
				keys, err := provingkeys.Open(t.Context(), dir, id, dev)
				require.NoError(t, err)
				require.False(t, keys.FromDump)
				keys, err = provingkeys.Open(t.Context(), dir, id, dev)
				require.NoError(t, err)
				require.True(t, keys.FromDump, "the dump was made anew")
			})
		}
	}
}

func TestSetupRemovesWhatAKilledOneLeft(t *testing.T) {
	dir, id := t.TempDir(), toyID(t, toySize)
	left := filepath.Join(dir, ".partial-"+filepath.Base(id.Folder(dir))+"-123")
	others := filepath.Join(dir, ".partial-another-123")
	require.NoError(t, os.Mkdir(left, 0o700))
	require.NoError(t, os.Mkdir(others, 0o700))
	_, err := provingkeys.Setup(t.Context(), dir, id, compileToy(toySize), dev)
	require.NoError(t, err)
	require.NoDirExists(t, left)
	require.DirExists(t, others)
}

func TestConcurrentSetupsRunOnce(t *testing.T) {
	dir, id := t.TempDir(), toyID(t, toySize)
	var compiled atomic.Int32
	compile := func() (constraint.ConstraintSystem, error) {
		compiled.Add(1)
		return compileToy(toySize)()
	}
	manifests := make([]*provingkeys.Manifest, 4)
	var wg sync.WaitGroup
	for i := range manifests {
		wg.Go(func() {
			m, err := provingkeys.Setup(t.Context(), dir, id, compile, dev)
			if err != nil {
				t.Error(err)
			}
			manifests[i] = m
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, compiled.Load())
	for _, m := range manifests {
		require.Equal(t, manifests[0], m)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".partial-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestSetupWaitsForTheLockNoLongerThanItsContext(t *testing.T) {
	dir, id := t.TempDir(), toyID(t, toySize)
	entered, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := provingkeys.Setup(t.Context(), dir, id, func() (constraint.ConstraintSystem, error) {
			close(entered)
			<-leave
			return compileToy(toySize)()
		}, dev)
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := provingkeys.Setup(ctx, dir, id, compileToy(toySize), dev)
	require.ErrorIs(t, err, context.Canceled)
	close(leave)
	require.NoError(t, <-done)
}

// rewrite damages a file for the time of a test.
func rewrite(t *testing.T, path string, damage func([]byte) []byte) {
	t.Helper()
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	overwrite(t, path, damage)
	t.Cleanup(func() { require.NoError(t, os.WriteFile(path, before, 0o600)) })
}

func overwrite(t *testing.T, path string, damage func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, damage(data), 0o600))
}

func removeDump(t *testing.T, dir string, id provingkeys.ID) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Join(id.Folder(dir), "proving.dump")))
}

// TestManifestSaysItsMaker: the version that a manifest names is the one that is built in, which gnark itself states by
// hand. A manifest from before there was the field is still read.
func TestManifestSaysItsMaker(t *testing.T) {
	dir, id, m := setup(t)
	file, err := os.ReadFile(filepath.Join("..", "go.mod"))
	require.NoError(t, err)
	required := regexp.MustCompile(`(?m)^\s+github\.com/consensys/gnark v(\S+)`).FindSubmatch(file)
	require.NotNil(t, required)
	require.Equal(t, string(required[1]), m.Gnark)

	path := filepath.Join(id.Folder(dir), "manifest.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	older := regexp.MustCompile(`\s*"gnark": "[^"]*",`).ReplaceAll(text, nil)
	require.NotEqual(t, len(text), len(older))
	require.NoError(t, os.WriteFile(path, older, 0o644))
	read, err := provingkeys.ReadManifest(dir, id, dev)
	require.NoError(t, err)
	require.Empty(t, read.Gnark)
	m.Gnark = ""
	require.Equal(t, m, read)
}
