package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long a process may take to stop when asked to.
const stopPatience = 20 * time.Second

// keptLines of a process's log are shown when it fails.
const keptLines = 40

// logLine is a message of a process.
type logLine struct {
	Time   time.Time
	Msg    string
	Fields map[string]any // all of them
}

// number reads a field; 0 if it is none.
func (l logLine) number(name string) float64 {
	v, _ := l.Fields[name].(float64)
	return v
}

// process is the command at work in a process group of its own. When this process
// dies, the kernel ends it.
type process struct {
	name   string
	role   string // the command's first word
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	ended  chan struct{} // closed when it has ended and its log is read
	err    error         // how it ended
	mu     sync.Mutex
	tail   []string
	asked  bool // to stop
	stdout io.Reader
}

// startProcess runs a command whose log is JSON; observe gets each message of it.
func startProcess(cmd *exec.Cmd, observe func(logLine)) (*process, error) {
	p := &process{name: strings.Join(cmd.Args[1:], " "), cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// Pipes of our own, as those of the command are closed before they are read out.
	logs, logsWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start settle %s: %w", p.name, err)
	}
	out, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start settle %s: %w", p.name, err), logs.Close(), logsWrite.Close())
	}
	cmd.Stderr, cmd.Stdout, p.stdout = logsWrite, outWrite, out
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, errors.Join(err, logs.Close(), logsWrite.Close(), out.Close(), outWrite.Close())
	}
	started, waited := make(chan error), make(chan struct{})
	go func() {
		// The kernel takes the end of the thread that started it for our death.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(waited)
	}()
	err = <-started
	if closed := errors.Join(logsWrite.Close(), outWrite.Close()); err == nil {
		err = closed
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start settle %s: %w", p.name, err), logs.Close(), out.Close())
	}
	go func() {
		defer close(p.ended)
		p.read(logs, observe)
		<-waited
	}()
	return p, nil
}

func (p *process) read(logs io.ReadCloser, observe func(logLine)) {
	defer logs.Close()
	lines := bufio.NewScanner(logs)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		if p.tail = append(p.tail, lines.Text()); len(p.tail) > keptLines {
			p.tail = p.tail[1:]
		}
		p.mu.Unlock()
		line := logLine{}
		if observe == nil || json.Unmarshal(lines.Bytes(), &line.Fields) != nil {
			continue
		}
		line.Msg, _ = line.Fields["msg"].(string)
		if text, ok := line.Fields["time"].(string); ok {
			line.Time, _ = time.Parse(time.RFC3339Nano, text)
		}
		observe(line)
	}
	_, _ = io.Copy(io.Discard, logs) // a line that is too long must not block the process
}

// failure says how the process ended, with the end of its log.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	how := "it ended without an error"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("settle %s: %s; the end of its log:\n%s", p.name, how, strings.Join(p.tail, "\n"))
}

func (p *process) askedToStop() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// stop asks the process to stop and waits for that; a process that does not is killed,
// which is an error.
func (p *process) stop() error {
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	select {
	case <-p.ended:
		return nil
	default:
	}
	_, _ = p.stdin.Close(), p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended meanwhile
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-p.ended:
		if p.err != nil {
			return p.failure()
		}
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("did not stop in %s and was killed: %w", stopPatience, p.failure())
	}
}

// kill ends the process and all that it started at once.
func (p *process) kill() {
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // the group; it may have ended
	<-p.ended
}
