package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// workerProcesses runs n workers as processes of this binary and starts one
// again when it ends, until ctx ends. A worker ends when this process does: its
// standard input is a pipe that nobody else holds.
type workerProcesses struct {
	app         *app
	databaseURL string
	keys        keysFlags
	logLevel    string
	stopGrace   time.Duration
}

func (w workerProcesses) run(ctx context.Context, n int) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary, to start workers: %w", err)
	}
	done := make(chan struct{}, n)
	for i := range n {
		go func() {
			w.keep(ctx, exe, "worker "+strconv.Itoa(i+1))
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return ctx.Err()
}

// keep runs one worker and replaces it when it dies.
func (w workerProcesses) keep(ctx context.Context, exe, name string) {
	const calm = 10 * time.Second
	pause := time.Second
	for ctx.Err() == nil {
		started := time.Now()
		err := w.once(ctx, exe)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > calm {
			pause = time.Second
		}
		w.app.log.Warn("a worker process ended and is started again", "worker", name, "error", err, "in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

func (w workerProcesses) once(ctx context.Context, exe string) error {
	cmd := exec.CommandContext(ctx, exe, "--log-level", w.logLevel, "worker", "--with-parent", "--keys-dir", w.keys.KeysDir)
	if w.keys.UnsafeDev {
		cmd.Args = append(cmd.Args, "--unsafe-dev")
	}
	cmd.Env = append(os.Environ(), envDatabase+"="+w.databaseURL)
	cmd.Stderr = w.app.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = w.stopGrace
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	return cmd.Run()
}
