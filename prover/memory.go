package prover

import (
	"bytes"
	"os"
	"strconv"
)

// resetPeakMemory makes the kernel forget the peak so far, so that PeakMemory is
// that of one proof. Where the kernel has no such switch the peak stays that of
// the process's life.
func resetPeakMemory() {
	// 5 resets VmHWM alone (proc_pid_clear_refs(5)).
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // best effort, as said above
}

// peakMemory returns the largest resident size of this process in bytes since
// resetPeakMemory, by the kernel's VmHWM.
func peakMemory() (uint64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	return kibibytes(status, "VmHWM:")
}

// kibibytes reads a line "name  123 kB" of the kernel's, in bytes.
func kibibytes(lines []byte, name string) (uint64, bool) {
	for line := range bytes.Lines(lines) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == name && string(fields[2]) == "kB" {
			kib, err := strconv.ParseUint(string(fields[1]), 10, 54)
			return kib << 10, err == nil
		}
	}
	return 0, false
}
