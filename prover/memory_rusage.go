//go:build unix

package prover

import (
	"runtime"
	"syscall"
)

// PeakMemory returns the largest resident size of this process in bytes: since the
// beginning of the running or last proof where the kernel can tell (Linux), else of
// the process's life. 0 if it is unknown.
func PeakMemory() uint64 {
	if peak, ok := peakMemory(); ok {
		return peak
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return uint64(usage.Maxrss) // bytes there, KiB elsewhere
	}
	return uint64(usage.Maxrss) << 10
}
