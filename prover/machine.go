package prover

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrMemoryUnknown reports a system that does not say how much memory there is.
var ErrMemoryUnknown = errors.New("the system does not say how much memory there is")

// Machine reads how much memory this process may take: the least of what the
// machine and the control groups (version 1 and 2) above this process leave. Root is
// "/" but in tests.
type Machine struct{ Root string }

// Total returns the bytes that all processes under the same limits may take
// together. ErrMemoryUnknown where the system does not tell (not Linux).
func (m Machine) Total() (uint64, error) {
	total, err := m.meminfo("MemTotal")
	if err != nil {
		return 0, err
	}
	for _, g := range m.groups() {
		total = min(total, g.limit)
	}
	return total, nil
}

// Available returns the bytes that can be taken now without pushing anything out:
// MemAvailable, and of each control group its limit less what it uses, file cache
// that can go not counted. Errors as of Total.
func (m Machine) Available() (uint64, error) {
	available, err := m.meminfo("MemAvailable")
	if err != nil {
		return 0, err
	}
	for _, g := range m.groups() {
		available = min(available, g.limit-min(g.limit, g.used))
	}
	return available, nil
}

func (m Machine) meminfo(field string) (uint64, error) {
	data, err := os.ReadFile(m.path("proc/meminfo"))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrMemoryUnknown, err)
	}
	if bytes, ok := kibibytes(data, field+":"); ok {
		return bytes, nil
	}
	return 0, fmt.Errorf("%w: no %s in /proc/meminfo", ErrMemoryUnknown, field)
}

func (m Machine) path(name string) string { return filepath.Join(cmp.Or(m.Root, "/"), name) }

// group is a control group with a limit.
type group struct{ limit, used uint64 }

// unlimited is above what version 1 writes for "no limit" (2^63 less a page).
const unlimited = 1 << 60

// groups lists the limited control groups from this process's own up to the root of
// the hierarchy. What cannot be read has no limit.
func (m Machine) groups() []group {
	data, err := os.ReadFile(m.path("proc/self/cgroup"))
	if err != nil {
		return nil
	}
	var found []group
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mount, limit, usage, cache := "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
		switch {
		case parts[0] == "0" && parts[1] == "":
		case strings.Contains(","+parts[1]+",", ",memory,"):
			mount, limit, usage, cache = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		// In a container the path may be that of the host, while the mount shows the
		// container's own group: the walk up to the mount finds it.
		for dir := filepath.Clean("/" + parts[2]); ; dir = filepath.Dir(dir) {
			folder := m.path(filepath.Join(mount, dir))
			if bytes, ok := number(filepath.Join(folder, limit)); ok && bytes < unlimited {
				used, _ := number(filepath.Join(folder, usage)) // unknown use: the limit alone counts
				used -= min(used, stat(filepath.Join(folder, "memory.stat"), cache))
				found = append(found, group{bytes, used})
			}
			if dir == "/" {
				break
			}
		}
	}
	return found
}

func number(path string) (uint64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	return n, err == nil // "max" is no number
}

func stat(path, field string) uint64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if f := bytes.Fields(line); len(f) == 2 && string(f[0]) == field {
			n, err := strconv.ParseUint(string(f[1]), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// residentMemory returns what a process takes, in bytes; 0 if that is unknown.
func residentMemory(pid int) uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	bytes, _ := kibibytes(status, "VmRSS:")
	return bytes
}
