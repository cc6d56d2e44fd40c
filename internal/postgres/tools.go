package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Environment of this package, the same for the command, the tests and tools/ensure-postgres.sh.
const (
	// EnvTools names the folder in which make keeps bundled binaries.
	EnvTools = "SETTLE_TOOLS_DIR"
	// EnvSource says whose binaries may be used: "any", or "bundled" for those of the tools folder alone, so
	// that what a machine has installed cannot hide that something is missing. Unset or empty: any.
	EnvSource = "SETTLE_POSTGRES"
)

// toolsDir is the folder of the bundled binaries: the one that is named, the one beside the folder of this
// binary (bin/settle), or that of the checkout which this binary was compiled from, as with go test.
func toolsDir() string {
	if dir := os.Getenv(EnvTools); dir != "" {
		return dir
	}
	if exe, err := os.Executable(); err == nil {
		if dir := filepath.Join(filepath.Dir(exe), "..", ".tools"); isDir(dir) {
			return dir
		}
	}
	// A binary that is built with -trimpath knows no folder of its source.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		return filepath.Join(filepath.Dir(file), "..", "..", ".tools")
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// bundledOnly reports whether the machine's own binaries are out of bounds.
func bundledOnly(source string) (bool, error) {
	switch source {
	case "", "any":
		return false, nil
	case "bundled":
		return true, nil
	}
	return false, fmt.Errorf("%s=%q: expected any, or bundled for the binaries that make fetches", EnvSource, source)
}
