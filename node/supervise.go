package node

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
	"syscall"
	"time"
)

// workerProcesses runs workers as processes of this binary and starts one again
// when it ends, until ctx ends. The end of a worker's standard input asks it to
// stop. When this process dies, the kernel ends its workers: whoever waits for
// their proofs is gone, and their leases end by themselves.
type workerProcesses struct {
	*Node
	cfg       WorkerConfig
	opsListen string // host:port of the first worker's; empty: none
}

// stopMargin is what a worker may take to stop beyond the grace for its proof.
const stopMargin = 15 * time.Second

func (w workerProcesses) run(ctx context.Context, n int) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary, to start workers: %w", err)
	}
	addresses, err := WorkerAddresses(w.opsListen, n)
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

// WorkerAddresses returns n addresses from first on, one port after another; n times
// nothing without first. Port 0 stays 0.
func WorkerAddresses(first string, n int) ([]string, error) {
	addresses := make([]string, n)
	if first == "" {
		return addresses, nil
	}
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fmt.Errorf("--worker-ops-listen: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port+uint64(n) > 1<<16 {
		return nil, fmt.Errorf("--worker-ops-listen %q: expected host:port with %d ports from there on", first, n)
	}
	for i := range addresses {
		if addresses[i] = first; port != 0 {
			addresses[i] = net.JoinHostPort(host, strconv.FormatUint(port+uint64(i), 10))
		}
	}
	return addresses, nil
}

// keep runs one worker and replaces it when it dies.
func (w workerProcesses) keep(ctx context.Context, exe, name, opsListen string) {
	const calm = 10 * time.Second
	pause := time.Second
	for ctx.Err() == nil {
		started := time.Now()
		err := w.once(ctx, exe, opsListen)
		if ctx.Err() != nil {
			if errors.Is(err, exec.ErrWaitDelay) || killed(err) {
				w.Log.Warn("a worker process did not stop in time and was killed", "worker", name)
			}
			return
		}
		if time.Since(started) > calm {
			pause = time.Second
		}
		w.Log.Warn("a worker process ended and is started again", "worker", name, "error", err, "in", pause)
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

func (w workerProcesses) once(ctx context.Context, exe, opsListen string) error {
	// The kernel sends the death signal when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, exe, append(slices.Clone(w.cfg.Child.Args), "worker", "--with-parent", "--keys-dir", w.Keys.Dir)...)
	if w.Keys.UnsafeDev {
		cmd.Args = append(cmd.Args, "--unsafe-dev")
	}
	cmd.Args = append(cmd.Args, w.cfg.args()...)
	if opsListen != "" {
		cmd.Args = append(cmd.Args, "--ops-listen", opsListen)
	}
	// Not the operator's key, and no address that only one process can listen on.
	cmd.Env = append(without(os.Environ(), EnvDatabase, EnvL1, EnvL1Key, EnvOpsListen), EnvDatabase+"="+w.DB.URL)
	cmd.Stderr = w.cfg.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = w.cfg.StopGrace + stopMargin
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // a terminal's interrupt reaches it too, and a second one would cut its proof off
	return cmd.Run()
}

// args says the configuration to another process.
func (c WorkerConfig) args() []string {
	args := []string{"--keys-budget", strconv.FormatInt(c.KeysBudget, 10), "--prove-timeout", c.ProveTimeout.String(), "--stop-grace", c.StopGrace.String()}
	if c.Memory > 0 {
		args = append(args, "--memory", strconv.FormatUint(c.Memory, 10))
	}
	return args
}
