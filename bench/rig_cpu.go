package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor times in /proc: Linux shows them to user space in
// hundredths of a second on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuTimes is a look at the processor time of all processes, with that of children that
// ended and were waited for.
type cpuTimes struct {
	spent    map[int]time.Duration
	names    map[int]string
	children map[int][]int
}

// readCPUTimes reads /proc.
func readCPUTimes() (cpuTimes, error) {
	t := cpuTimes{map[int]time.Duration{}, map[int]string{}, map[int][]int{}}
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(paths) == 0 {
		return t, errors.Join(errors.New("the system does not tell the processor time of processes (no /proc)"), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid …; the name may hold anything.
		text := string(data)
		open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		if open < 0 || end < open {
			return t, fmt.Errorf("%s: %q has no name", path, text)
		}
		fields := strings.Fields(text[end+1:]) // from the state, the third of proc(5)
		if len(fields) < 15 {
			return t, fmt.Errorf("%s: %d fields", path, len(fields))
		}
		pid, err := strconv.Atoi(strings.TrimSpace(text[:open]))
		if err != nil {
			return t, fmt.Errorf("%s: %w", path, err)
		}
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			return t, fmt.Errorf("%s: %w", path, err)
		}
		var ticks int64
		for _, field := range fields[11:15] { // utime, stime, cutime, cstime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return t, fmt.Errorf("%s: %w", path, err)
			}
			ticks += n
		}
		t.spent[pid], t.names[pid] = time.Duration(ticks)*clockTick, text[open+1:end]
		t.children[parent] = append(t.children[parent], pid)
	}
	return t, nil
}

// tree is what a process and those below it took.
func (t cpuTimes) tree(pid int) time.Duration {
	sum := t.spent[pid]
	for _, child := range t.children[pid] {
		sum += t.tree(child)
	}
	return sum
}

// below is what the processes of a name below a process took.
func (t cpuTimes) below(pid int, name string) time.Duration {
	var sum time.Duration
	for _, child := range t.children[pid] {
		if t.names[child] == name {
			sum += t.spent[child]
		}
		sum += t.below(child, name)
	}
	return sum
}

// cpuByRole is what each role of a rig and its Postgres took so far.
func (r *rig) cpuByRole() (map[string]time.Duration, error) {
	t, err := readCPUTimes()
	if err != nil {
		return nil, err
	}
	spent := map[string]time.Duration{"postgres": t.below(os.Getpid(), "postgres")}
	for _, p := range r.roles {
		spent[p.role] += t.tree(p.cmd.Process.Pid)
	}
	return spent, nil
}
