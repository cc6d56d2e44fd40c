package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// SettleFlags find the program settle, for those that run it.
type SettleFlags struct {
	Settle string `help:"Path of the program settle. The default is the one beside this program, or else the one on the PATH." type:"path" env:"SETTLE_BINARY"`
}

// Path returns where settle is.
func (f SettleFlags) Path() (string, error) {
	if f.Settle != "" {
		return f.Settle, nil
	}
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), "settle")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := exec.LookPath("settle")
	if err != nil {
		return "", fmt.Errorf("the program settle is neither beside this one nor on the PATH: build both (make build), or name it with --settle: %w", err)
	}
	return path, nil
}
