package prover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a running child and the pipes to it. Whoever starts one must see that
// it is killed or has ended; it is waited for in any case, so that it never stays
// as a zombie.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	frames chan frame    // closed at the end of its output
	broken error         // of its output; set before frames closes
	ended  chan struct{} // closed when it has been waited for
	words  *lastWords
	killed atomic.Bool // by us
}

// endPatience is how long a process that has closed its output may take to end.
const endPatience = 5 * time.Second

func startProcess(cmd *exec.Cmd, stderr io.Writer) (*process, error) {
	p := &process{cmd: cmd, frames: make(chan frame, 1), ended: make(chan struct{}), words: &lastWords{forward: stderr}}
	cmd.Stderr = p.words
	cmd.WaitDelay = endPatience
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("pipe to the proving process: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from the proving process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the proving process: %w", err)
	}
	go func() {
		defer close(p.ended)
		buffered := bufio.NewReader(stdout)
		for p.broken == nil {
			var f frame
			if f, p.broken = readFrame(buffered); p.broken != nil {
				break
			}
			select {
			case p.frames <- f: // one answer per order fits without a reader
			default:
				p.broken = fmt.Errorf("%w: an answer without an order", errWire)
			}
		}
		patience := endPatience
		if !errors.Is(p.broken, io.EOF) {
			patience = 0
		}
		stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // it may have ended meanwhile
		_ = cmd.Wait()                                                      // how it ended is in ProcessState
		stop.Stop()
		close(p.frames)
	}()
	return p, nil
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and waits for that.
func (p *process) kill() {
	p.killed.Store(true)
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// exchange sends an order and waits for its answer. The process is gone when that
// fails.
func (p *process) exchange(ctx context.Context, kind frameKind, o order, answer *done) error {
	// A stopped process does not read; killing it ends the write.
	written := make(chan error, 1)
	go func() { written <- writeFrame(p.stdin, kind, o) }()
	err := p.receive(ctx, frameDone, answer)
	if werr := <-written; err == nil && werr != nil {
		p.kill()
		return werr
	}
	return err
}

func (p *process) receive(ctx context.Context, kind frameKind, message any) error {
	select {
	case f, ok := <-p.frames:
		if !ok {
			<-p.ended
			return p.death()
		}
		if err := f.decode(kind, message); err != nil {
			p.kill()
			return fail(ClassBug, "message", err)
		}
		return nil
	case <-ctx.Done():
		p.kill()
		return context.Cause(ctx)
	}
}

// death says why the process ended, by itself or by somebody else's hand.
func (p *process) death() *Error {
	state := p.cmd.ProcessState
	words := p.words.String()
	if p.killed.Load() {
		return fail(ClassInfrastructure, "process", errors.New("the proving process was stopped"))
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL && errors.Is(p.broken, io.EOF) {
		return fail(ClassResource, "process", errors.New("the proving process was killed (SIGKILL), as the system does when memory runs out"))
	}
	if memoryRanOut(words) {
		return fail(ClassResource, "process", fmt.Errorf("memory ran out in the proving process (%s): %s", state, words))
	}
	if !errors.Is(p.broken, io.EOF) {
		return fail(ClassBug, "message", p.broken)
	}
	return fail(ClassBug, "process", fmt.Errorf("the proving process ended (%s): %s", state, words))
}

// memoryRanOut looks for what Go's runtime says before it gives up for want of
// memory or threads.
func memoryRanOut(words string) bool {
	for _, sign := range []string{"out of memory", "cannot allocate memory", "failed to create new OS thread", "pthread_create failed"} {
		if strings.Contains(words, sign) {
			return true
		}
	}
	return false
}
