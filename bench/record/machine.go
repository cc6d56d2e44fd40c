package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle/prover"
)

// Machine is what a result depends on besides the code's own doing.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`        // that this process may use
	MemoryBytes uint64 `json:"memory_bytes"` // that it may take, 0: unknown
	Kernel      string `json:"kernel"`
	Platform    string `json:"platform"` // "linux/amd64"
	Go          string `json:"go"`
	Gnark       string `json:"gnark"`
	GnarkCrypto string `json:"gnark_crypto"`
	Commit      string `json:"commit"`
	Build       string `json:"build"` // of the binary: the first 16 digits of its SHA-256, as a commit may be "-dirty"
	Load        string `json:"load"`  // cores busy in the second before the benchmark began (LoadNow): a busy machine measures itself
}

// same reports whether results of both may stand in one file.
func (m Machine) same(other Machine) bool {
	m.Load, other.Load = "", ""
	return m == other
}

// busyShare of the cores taken by others makes times of a run doubtful.
const busyShare = 0.25

// Busy reports whether others had much of the machine just before the benchmark.
func (m Machine) Busy() bool {
	first, _, _ := strings.Cut(m.Load, " ")
	load, err := strconv.ParseFloat(first, 64)
	return err == nil && load > busyShare*float64(m.Cores)
}

// ThisMachine describes the machine and the build; commit is the version that the
// binary was built with. What a platform does not tell is "unknown".
func ThisMachine(commit string) (Machine, error) {
	total, err := prover.Machine{}.Total()
	if err != nil && !errors.Is(err, prover.ErrMemoryUnknown) {
		return Machine{}, fmt.Errorf("describe the machine: %w", err)
	}
	build, err := digestOfBinary()
	if err != nil {
		return Machine{}, fmt.Errorf("describe the machine: %w", err)
	}
	m := Machine{
		CPU: processor(), Cores: runtime.GOMAXPROCS(0), MemoryBytes: total,
		Kernel: word("/proc/sys/kernel/osrelease"), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Gnark: unknown, GnarkCrypto: unknown, Commit: commit, Build: build, Load: LoadNow(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			switch dep.Path {
			case "github.com/consensys/gnark":
				m.Gnark = dep.Version
			case "github.com/consensys/gnark-crypto":
				m.GnarkCrypto = dep.Version
			}
		}
	}
	return m, nil
}

const unknown = "unknown"

// LoadNow says how many cores are busy during a second in which this process waits.
// Load averages would count the benchmark before this one.
func LoadNow() string {
	busy, all, ok := ticks()
	time.Sleep(time.Second) //nolint:forbidigo // the second is what is measured
	busyThen, allThen, okThen := ticks()
	if !ok || !okThen || allThen <= all {
		return unknown
	}
	return fmt.Sprintf("%.2f cores busy", float64(runtime.NumCPU())*(busyThen-busy)/(allThen-all))
}

// ticks are what the cores have spent so far, by proc_stat(5).
func ticks() (busy, all float64, ok bool) {
	first, _, _ := strings.Cut(word("/proc/stat"), "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, false
	}
	for i, field := range fields[1:9] { // guests are counted as users already
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, 0, false
		}
		all += n
		if i != 3 && i != 4 { // idle, waiting for disks
			busy += n
		}
	}
	return busy, all, true
}

func digestOfBinary() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the running binary: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the running binary: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read the running binary: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func word(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(data))
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return unknown
	}
	for line := range bytes.Lines(data) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(name)) == "model name" {
			return string(bytes.TrimSpace(value))
		}
	}
	return unknown
}
