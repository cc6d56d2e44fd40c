package postgres

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a running child. The kernel sends its death signal when the *thread*
// that started it ends, so the thread is locked to a goroutine that waits for the
// child and lives as long.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed once err is set
	err    error         // of Wait, never nil after exit of a failed server

	mu   sync.Mutex
	last []string // the last lines it wrote
}

const keptLines = 20

func startProcess(cmd *exec.Cmd, attr *syscall.SysProcAttr, log *slog.Logger) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	cmd.SysProcAttr = attr
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe for messages: %w", err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	started := make(chan error)
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.follow(r, log)
	}()
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		err = errors.Join(err, w.Close())
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		<-read
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) follow(r io.ReadCloser, log *slog.Logger) {
	defer func() { _ = r.Close() }() // the read side of a pipe: nothing can be lost
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		p.mu.Lock()
		p.last = append(p.last, line)
		if len(p.last) > keptLines {
			p.last = p.last[1:]
		}
		p.mu.Unlock()
		log.Log(context.Background(), levelOf(line), "postgres", "message", line)
	}
}

// levelOf is debug for what is ordinary when a server starts, or stops under its clients.
func levelOf(line string) slog.Level {
	for _, ordinary := range []string{
		"the database system is starting up", "the database system is shutting down", "connection to client lost",
		"terminating connection due to administrator command",
	} {
		if strings.Contains(line, ordinary) {
			return slog.LevelDebug
		}
	}
	for _, bad := range []string{"WARNING:", "FATAL:", "PANIC:"} {
		if strings.Contains(line, bad) {
			return slog.LevelWarn
		}
	}
	return slog.LevelDebug
}

func (p *process) lastLines() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.last, " | ")
}

// stop sends sig and waits; past stopTimeout it ends the process the hard way.
func (p *process) stop(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal Postgres: %w", err)
	}
	for _, harder := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		select {
		case <-p.exited:
			return nil
		case <-time.After(stopTimeout):
			if err := p.cmd.Process.Signal(harder); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("signal Postgres: %w", err)
			}
		}
	}
	<-p.exited
	return nil
}

// runLocked runs cmd to its end on a locked thread and returns what it wrote.
func runLocked(cmd *exec.Cmd, attr *syscall.SysProcAttr) (string, error) {
	cmd.SysProcAttr = attr
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	err := <-done
	return strings.TrimSpace(out.String()), err
}
