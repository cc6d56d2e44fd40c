package main

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

// patience is how long a test waits for anything: far longer than it takes.
const patience = 3 * time.Minute

// TestMain is also the command itself: tests run its roles as processes of their
// own, and these start theirs, from this very binary.
func TestMain(m *testing.M) {
	if os.Getenv(envAsCommand) != "" {
		main()
		os.Exit(0)
	}
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	home, err := os.MkdirTemp("", "settle-cmd-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	// An embedded Postgres below it may run as another user.
	if err := errors.Join(os.Chmod(home, 0o711), os.Setenv(envHome, home)); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// newDir makes a folder that the user of an embedded Postgres can enter.
func newDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(envHome), "") //nolint:usetesting // t.TempDir is closed to other users
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	return dir
}

// tinyKeys are development keys of shape tiny, made by the command once per run.
var tinyKeys = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(os.Getenv(envHome), "keys")
	return dir, setupTiny(dir)
})

func setupTiny(dir string) error {
	exe, err := os.Executable()
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

// environment is what a process of ours gets: nothing that configures settle
// comes from the outside.
func environment(t *testing.T, settings map[string]string) []string {
	t.Helper()
	keys, err := tinyKeys()
	require.NoError(t, err)
	all := map[string]string{
		envAsCommand: "1", "SETTLE_DATA_DIR": newDir(t), "SETTLE_KEYS_DIR": keys, "SETTLE_UNSAFE_DEV": "true",
		"SETTLE_SHAPES": "tiny", "SETTLE_LISTEN": "127.0.0.1:0", "SETTLE_SEAL_IDLE": "200ms", "SETTLE_L1_PORT": "0",
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

// process is the command at work.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan struct{} // closed when the process has ended
	silent chan struct{} // closed when all processes that it started have ended too

	mu  sync.Mutex
	log []string
}

// launch starts the command. At the end of the test it is asked to stop, and what it
// said is shown if the test has failed.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	p := &process{t: t, name: strings.Join(args, " "), cmd: exec.Command(exe, args...), ended: make(chan struct{}), silent: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, write
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that started it for our death.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			defer close(p.ended)
			_ = p.cmd.Wait() // how it ended is in ProcessState
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

func (p *process) cleanUp() {
	if p.running() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGCONT) // the group: a proving process may be paused too
		p.signal(syscall.SIGTERM)
	}
	for _, what := range []chan struct{}{p.ended, p.silent} {
		select {
		case <-what:
		case <-time.After(patience):
			p.t.Errorf("settle %s does not stop, or leaves processes behind", p.name)
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // the group: its workers too
		}
	}
	if p.t.Failed() {
		p.t.Logf("settle %s (process %d, %s):\n%s", p.name, p.cmd.Process.Pid, p.cmd.ProcessState, strings.Join(p.lines(), "\n"))
	}
}

func (p *process) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *process) stderr() string { return strings.Join(p.lines(), "\n") }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		require.NoError(p.t, err)
	}
}

// wait waits until the process and all that it started have ended.
func (p *process) wait() {
	p.t.Helper()
	for _, what := range []chan struct{}{p.ended, p.silent} {
		select {
		case <-what:
		case <-time.After(patience):
			require.FailNow(p.t, "still running: settle "+p.name)
		}
	}
}

// stop asks the process to stop, which it does without an error and with all that
// it started.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.wait()
	require.Zero(p.t, p.cmd.ProcessState.ExitCode(), "settle %s: %s", p.name, p.stderr())
}

// kill ends the process at once; all that it started ends by itself.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
}

// await waits for a line of the log that matches pattern and returns its groups.
func (p *process) await(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var groups []string
	await(p.t, fmt.Sprintf("settle %s says %q", p.name, pattern), func() bool {
		running := p.running()
		for _, line := range p.lines() {
			if groups = re.FindStringSubmatch(line); groups != nil {
				return true
			}
		}
		require.True(p.t, running, "settle %s has ended and did not say %q", p.name, pattern)
		return false
	})
	return groups
}

// holder is how the process calls itself in leases and roles.
func (p *process) holder(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	require.NoError(t, err)
	return fmt.Sprintf("%s, process %d", host, p.cmd.Process.Pid)
}

// await polls until done, at most for the tests' patience.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
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

// succeed runs the command to its end and returns its standard output.
func succeed(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	p := launch(t, env, args...)
	p.wait()
	require.Zero(t, p.cmd.ProcessState.ExitCode(), "settle %s: %s", p.name, p.stderr())
	return p.stdout.Bytes()
}

// refuse runs the command to its end, which must be an error, and returns what it
// says. A refusal changes nothing and comes soon.
func refuse(t *testing.T, env []string, args ...string) string {
	t.Helper()
	p := launch(t, env, args...)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		require.FailNow(t, "settle "+p.name+" started")
	}
	p.wait()
	require.Equal(t, 1, p.cmd.ProcessState.ExitCode(), "settle %s: %s", p.name, p.stderr())
	require.Empty(t, p.stdout.String())
	require.Contains(t, "\n"+p.stderr(), "\nsettle: ")
	return p.stderr()
}
