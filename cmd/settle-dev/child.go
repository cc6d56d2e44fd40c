package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/node"
)

// stopPatience is how long settle may take to stop when it is asked to: a proof under way
// goes on for its own grace.
const stopPatience = time.Minute

// notForSettle reports whether a variable is a setting of this program, which settle would
// not know.
func notForSettle(name string) bool {
	return slices.Contains([]string{"SETTLE_L1_PORT", "SETTLE_L1_PERIOD", "SETTLE_BINARY"}, name)
}

// environment is ours for settle, without what is left out, with what the services add.
func (s *services) environment(leftOut func(name string) bool, settings ...string) []string {
	all := append([]string{node.EnvDatabase + "=" + s.databaseURL, node.EnvL1 + "=" + s.nodeURL, node.EnvL1Key + "=" + s.key}, settings...)
	return append(slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return leftOut(name) || slices.ContainsFunc(all, func(set string) bool { return strings.HasPrefix(set, name+"=") })
	}), all...)
}

// settle runs the program settle until it ends; when ctx ends, it is asked to stop and
// waited for. It is in a process group of its own, so that an interrupt of the terminal
// comes to us alone and it is asked once; when this process dies, the kernel ends it.
func (a *app) settle(ctx context.Context, env []string, out, log io.Writer, args ...string) error {
	path, err := a.Path()
	if err != nil {
		return err
	}
	// The kernel sends the death signal when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return ctx.Err()
	case errors.As(err, &exit):
		return &command.SaidError{Code: max(1, exit.ExitCode())}
	}
	return fmt.Errorf("run %s: %w", path, err)
}

// upCmd runs all roles.
type upCmd struct {
	Args []string `arg:"" optional:"" help:"Flags that are passed on to settle up." passthrough:""`
}

// Run starts what is missing and runs settle up on it until stopped.
func (c upCmd) Run(a *app) (err error) {
	s, err := a.start(a.Ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var settings []string
	if os.Getenv(node.EnvDatabase) == "" {
		settings = []string{"SETTLE_MIGRATE=true"} // it is ours
	}
	return a.settle(a.Ctx, s.environment(notForSettle, settings...), a.Stdout, a.Stderr, append(append(a.LogArgs(), "up"), c.Args...)...)
}
