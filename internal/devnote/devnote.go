// Package devnote is how commands of one machine find the Postgres and the development
// chain that settle-dev runs: by notes in its data folder, which are there while it runs.
package devnote

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zksettle/settle/internal/postgres"
)

// DefaultFolder is the data folder where none is named.
func DefaultFolder() string {
	dir, err := postgres.DefaultDataDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "settle")
	}
	return filepath.Dir(dir)
}

// Note is a file with one line, which only its owner can read.
type Note struct{ path string }

// Database is the note of the URL of Postgres in a data folder.
func Database(dataDir string) Note { return Note{filepath.Join(dataDir, "postgres.url")} }

// Chain is the note of the URL of the development chain.
func Chain(dataDir string) Note { return Note{filepath.Join(dataDir, "chain.url")} }

// ChainKey is the note of a funded key of the development chain, in hexadecimal digits.
func ChainKey(dataDir string) Note { return Note{filepath.Join(dataDir, "chain.key")} }

// Write makes the note, and its folder if it is missing.
func (n Note) Write(text string) error {
	if err := errors.Join(os.MkdirAll(filepath.Dir(n.path), 0o755), os.WriteFile(n.path, []byte(text), 0o600)); err != nil {
		return fmt.Errorf("leave a note for other commands: %w", err)
	}
	return nil
}

// Read returns the note; false where there is none.
func (n Note) Read() (string, bool) {
	b, err := os.ReadFile(n.path)
	return string(b), err == nil && len(b) > 0
}

// Remove takes the note away, if it is there.
func (n Note) Remove() { _ = os.Remove(n.path) }
