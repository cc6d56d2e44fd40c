package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// workerProcesses runs n workers as processes of this binary and starts one
// again when it ends, until ctx ends. A worker ends when this process does: its
// standard input is a pipe that nobody else holds.
type workerProcesses struct {
	app         *app
	databaseURL string
	keys        keysFlags
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
	cmd := exec.CommandContext(ctx, exe, "--log-level", w.app.logLevel, "--log-format", w.app.logFormat, "worker", "--with-parent", "--keys-dir", w.keys.KeysDir)
	if w.keys.UnsafeDev {
		cmd.Args = append(cmd.Args, "--unsafe-dev")
	}
	cmd.Env = w.environment()
	cmd.Stderr = w.app.stderr
	cmd.WaitDelay = w.stopGrace
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // a terminal's interrupt reaches it too, and a second one would cut its proof off
	return cmd.Run()
}

// environment is ours without what a worker has no use for: the operator's key,
// and an address that only one process can listen on.
func (w workerProcesses) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return slices.Contains([]string{envDatabase, envL1, envL1Key, envWorkerMetrics}, name)
	})
	return append(env, envDatabase+"="+w.databaseURL)
}
