package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// workerProcesses runs workers as processes of this binary and starts one again
// when it ends, until ctx ends. The end of a worker's standard input asks it to
// stop. When this process dies, the kernel ends its workers: whoever waits for
// their proofs is gone, and their leases end by themselves.
type workerProcesses struct {
	app         *app
	databaseURL string
	keys        keysFlags
	proving     provingFlags
	metrics     string // host:port of the first worker's; empty: none
}

// stopMargin is what a worker may take to stop beyond the grace for its proof.
const stopMargin = 15 * time.Second

func (w workerProcesses) run(ctx context.Context, n int) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary, to start workers: %w", err)
	}
	addresses, err := portsFrom(w.metrics, n)
	if err != nil {
		return err
	}
	done := make(chan struct{}, n)
	for i := range n {
		go func() {
			w.keep(ctx, exe, "worker "+strconv.Itoa(i+1), addresses[i])
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return ctx.Err()
}

// portsFrom returns n addresses from first on, one port after another; n times
// nothing without first. Port 0 stays 0.
func portsFrom(first string, n int) ([]string, error) {
	addresses := make([]string, n)
	if first == "" {
		return addresses, nil
	}
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fmt.Errorf("--worker-metrics: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port+uint64(n) > 1<<16 {
		return nil, fmt.Errorf("--worker-metrics %q: expected host:port with %d ports from there on", first, n)
	}
	for i := range addresses {
		if addresses[i] = first; port != 0 {
			addresses[i] = net.JoinHostPort(host, strconv.FormatUint(port+uint64(i), 10))
		}
	}
	return addresses, nil
}

// keep runs one worker and replaces it when it dies.
func (w workerProcesses) keep(ctx context.Context, exe, name, metrics string) {
	const calm = 10 * time.Second
	pause := time.Second
	for ctx.Err() == nil {
		started := time.Now()
		err := w.once(ctx, exe, metrics)
		if ctx.Err() != nil {
			if errors.Is(err, exec.ErrWaitDelay) || killed(err) {
				w.app.log.Warn("a worker process did not stop in time and was killed", "worker", name)
			}
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

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (w workerProcesses) once(ctx context.Context, exe, metrics string) error {
	// The kernel sends the death signal when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, exe, "--log-level", w.app.logLevel, "--log-format", w.app.logFormat, "worker", "--with-parent", "--keys-dir", w.keys.KeysDir)
	if w.keys.UnsafeDev {
		cmd.Args = append(cmd.Args, "--unsafe-dev")
	}
	cmd.Args = append(cmd.Args, w.proving.args()...)
	if metrics != "" {
		cmd.Args = append(cmd.Args, "--metrics", metrics)
	}
	cmd.Env = w.environment()
	cmd.Stderr = w.app.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = w.proving.StopGrace + stopMargin
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // a terminal's interrupt reaches it too, and a second one would cut its proof off
	return cmd.Run()
}

// environment is ours without what a worker has no use for, or gets as a flag: the
// operator's key, and an address that only one process can listen on.
func (w workerProcesses) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return slices.Contains([]string{envDatabase, envL1, envL1Key, envWorkerMetrics}, name)
	})
	return append(env, envDatabase+"="+w.databaseURL)
}
