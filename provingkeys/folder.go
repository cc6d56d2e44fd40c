package provingkeys

import (
	"os"
	"path/filepath"
)

// DefaultDir is the folder of keys where none is named. All checkouts share it: keys are
// cached by fingerprint.
func DefaultDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "settle-keys")
	}
	return filepath.Join(dir, "settle", "keys")
}
