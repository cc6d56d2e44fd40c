// Package testcmd runs the commands of this module as processes in tests: the command of
// the package under test from the test binary itself, and settle beside it where another
// command needs it.
package testcmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/node"
)

const (
	envAsCommand = "TEST_AS_SETTLE_COMMAND" // the test binary is the command settle
	envHome      = "SETTLE_TEST_HOME"       // folder of this run, removed at its end
)

// Patience is how long a test waits for anything: far longer than it takes.
const Patience = 3 * time.Minute

// home is the folder of this run, by an Environment variable, so that processes of the
// test have the same one.
func home() string { return os.Getenv(envHome) }

// Main is TestMain of a command: the test binary is the command itself when it is started
// by Launch, so that tests run its roles as processes, and these start theirs. Other
// commands than settle need that too: it is built first.
func Main(m *testing.M, command func(), needsSettle bool) {
	if os.Getenv(envAsCommand) != "" {
		command()
		os.Exit(0)
	}
	code, err := runTests(m, needsSettle)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func runTests(m *testing.M, needsSettle bool) (code int, err error) {
	dir, err := os.MkdirTemp("", "settle-cmd-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// A private Postgres below it may run as another user.
	if err := errors.Join(os.Chmod(dir, 0o711), os.Setenv(envHome, dir)); err != nil {
		return 0, err
	}
	if needsSettle {
		build := exec.Command("go", "build", "-o", settleBinary(), "github.com/zksettle/settle/cmd/settle")
		if out, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("build settle: %w: %s", err, out)
		}
	}
	return m.Run(), nil
}

func settleBinary() string { return filepath.Join(home(), "settle") }

// settle is the command that the test binary is, or the one that was built.
func settle() (string, error) {
	if _, err := os.Stat(settleBinary()); err == nil {
		return settleBinary(), nil
	}
	return os.Executable()
}

// NewDir makes a folder that the user of an embedded Postgres can enter.
func NewDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(home(), "") //nolint:usetesting // t.TempDir is closed to other users
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	return dir
}

// tinyKeys are development keys of shape tiny, made by the command once per run.
var tinyKeys = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(home(), "keys")
	return dir, SetupTiny(dir)
})

// TinyKeys is the folder of these keys.
func TinyKeys() (string, error) { return tinyKeys() }

// SetupTiny makes other development keys of shape tiny.
func SetupTiny(dir string) error {
	exe, err := settle()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, "keys", "setup", "--shape", "tiny", "--unsafe-dev", "--keys-dir", dir)
	cmd.Env = append(os.Environ(), envAsCommand+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("keys setup: %w: %s", err, out)
	}
	return nil
}

// Environment is what a process of ours gets: nothing that configures settle
// comes from the outside.
func Environment(t *testing.T, settings map[string]string) []string {
	t.Helper()
	keys, err := tinyKeys()
	require.NoError(t, err)
	all := map[string]string{
		envAsCommand: "1", "SETTLE_DATA_DIR": NewDir(t), "SETTLE_KEYS_DIR": keys, "SETTLE_UNSAFE_DEV": "true",
		"SETTLE_SHAPES": "tiny", "SETTLE_LISTEN": "127.0.0.1:0", "SETTLE_SEAL_IDLE": "200ms",
	}
	if _, err := os.Stat(settleBinary()); err == nil {
		all["SETTLE_BINARY"], all["SETTLE_L1_PORT"] = settleBinary(), "0"
	}
	for name, value := range settings {
		all[name] = value
	}
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		_, set := all[name]
		return set || name == node.EnvDatabase || name == node.EnvL1 || strings.HasPrefix(name, "SETTLE_")
	})
	for name, value := range all {
		env = append(env, name+"="+value)
	}
	return env
}

// Process is a command at work.
type Process struct {
	t      *testing.T
	Name   string // its arguments
	Cmd    *exec.Cmd
	Stdout bytes.Buffer
	Ended  chan struct{} // closed when the process has ended
	silent chan struct{} // closed when all processes that it started have ended too

	mu  sync.Mutex
	log []string
}

// Settle runs settle to its end, beside the command under test, and returns its standard
// output.
func Settle(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	exe, err := settle()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, "settle %s: %s", strings.Join(args, " "), &said)
	return out
}

// Launch starts the command. At the end of the test it is asked to stop, and what it
// said is shown if the test has failed.
func Launch(t *testing.T, env []string, args ...string) *Process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	p := &Process{t: t, Name: strings.Join(args, " "), Cmd: exec.Command(exe, args...), Ended: make(chan struct{}), silent: make(chan struct{})}
	p.Cmd.Env = env
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Stdout, write
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that started it for our death.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.Cmd.Start()
		started <- err
		if err == nil {
			defer close(p.Ended)
			_ = p.Cmd.Wait() // how it ended is in ProcessState
		}
	}()
	require.NoError(t, <-started)
	require.NoError(t, write.Close())
	go func() {
		defer close(p.silent)
		defer read.Close()
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.mu.Lock()
			p.log = append(p.log, lines.Text())
			p.mu.Unlock()
		}
	}()
	t.Cleanup(p.cleanUp)
	return p
}

func (p *Process) cleanUp() {
	if p.Running() {
		_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGCONT) // the group: a proving process may be paused too
		p.Signal(syscall.SIGTERM)
	}
	for _, what := range []chan struct{}{p.Ended, p.silent} {
		select {
		case <-what:
		case <-time.After(Patience):
			p.t.Errorf("settle %s does not stop, or leaves processes behind", p.Name)
			_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL) // the group: its workers too
		}
	}
	if p.t.Failed() {
		p.t.Logf("settle %s (process %d, %s):\n%s", p.Name, p.Cmd.Process.Pid, p.Cmd.ProcessState, strings.Join(p.Lines(), "\n"))
	}
}

func (p *Process) Lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *Process) Stderr() string { return strings.Join(p.Lines(), "\n") }

func (p *Process) Running() bool {
	select {
	case <-p.Ended:
		return false
	default:
		return true
	}
}

func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		require.NoError(p.t, err)
	}
}

// Wait waits until the process and all that it started have ended.
func (p *Process) Wait() {
	p.t.Helper()
	for _, what := range []chan struct{}{p.Ended, p.silent} {
		select {
		case <-what:
		case <-time.After(Patience):
			require.FailNow(p.t, "still running: settle "+p.Name)
		}
	}
}

// Stop asks the process to stop, which it does without an error and with all that
// it started.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	p.Wait()
	require.Zero(p.t, p.Cmd.ProcessState.ExitCode(), "settle %s: %s", p.Name, p.Stderr())
}

// Kill ends the process at once; all that it started ends by itself.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	p.Wait()
}

// Await waits for a line of the log that matches pattern and returns its groups.
func (p *Process) Await(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var groups []string
	Await(p.t, fmt.Sprintf("settle %s says %q", p.Name, pattern), func() bool {
		running := p.Running()
		for _, line := range p.Lines() {
			if groups = re.FindStringSubmatch(line); groups != nil {
				return true
			}
		}
		require.True(p.t, running, "settle %s has ended and did not say %q", p.Name, pattern)
		return false
	})
	return groups
}

// Holder is how the process calls itself in leases and roles.
func (p *Process) Holder(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	require.NoError(t, err)
	return fmt.Sprintf("%s, process %d", host, p.Cmd.Process.Pid)
}

// Await polls until done, at most for the tests' Patience.
func Await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline.C:
			require.FailNow(t, "waited in vain until "+what)
		case <-tick.C:
		}
	}
}

// Succeed runs the command to its end and returns its standard output.
func Succeed(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	p := Launch(t, env, args...)
	p.Wait()
	require.Zero(t, p.Cmd.ProcessState.ExitCode(), "settle %s: %s", p.Name, p.Stderr())
	return p.Stdout.Bytes()
}

// Refuse runs the command to its end, which must be an error, and returns what it
// says. A refusal changes nothing and comes soon.
func Refuse(t *testing.T, env []string, args ...string) string {
	t.Helper()
	p := Launch(t, env, args...)
	select {
	case <-p.Ended:
	case <-time.After(time.Minute):
		require.FailNow(t, "settle "+p.Name+" started")
	}
	p.Wait()
	require.Equal(t, 1, p.Cmd.ProcessState.ExitCode(), "settle %s: %s", p.Name, p.Stderr())
	require.Empty(t, p.Stdout.String())
	require.Regexp(t, `(?m)^settle(-dev|-bench)?: `, p.Stderr())
	return p.Stderr()
}
