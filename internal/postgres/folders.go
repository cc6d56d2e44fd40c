package postgres

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// DefaultDataDir returns where `settle up` keeps its data: /var/lib/settle for root
// (the server's user must reach it), else the user's state folder.
func DefaultDataDir() (string, error) {
	if os.Getuid() == 0 {
		return "/var/lib/settle/postgres", nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "settle", "postgres"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder to keep data in, name one: %w", err)
	}
	return filepath.Join(home, ".local", "state", "settle", "postgres"), nil
}

// prepareFolders makes home and the socket folder. home itself belongs to us and is
// open for passage only: the server's user owns the folders below it.
func (s *Server) prepareFolders() error {
	if s.cfg.DataDir == "" {
		home, err := temporary(s.user)
		if err != nil {
			return err
		}
		s.home = home
		if s.reaper, err = startReaper(home); err != nil {
			return err
		}
	} else {
		home, err := filepath.Abs(s.cfg.DataDir)
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		if err := os.MkdirAll(home, 0o755); err != nil {
			return fmt.Errorf("make Postgres data folder: %w", err)
		}
		lock := flock.New(filepath.Join(home, "lock"))
		held, err := lock.TryLock()
		if err != nil {
			return fmt.Errorf("lock Postgres data folder %s: %w", home, err)
		}
		if !held {
			return fmt.Errorf("%w: %s: stop the other `settle` that uses it, or choose another folder", ErrInUse, home)
		}
		s.home, s.lock = home, lock
	}
	if s.user.drop && !s.user.canReach(s.home) {
		return fmt.Errorf("%w: Postgres runs as user %q, who cannot enter %s: choose a folder outside private ones, such as /var/lib/settle, or set DATABASE_URL",
			ErrUnreadable, s.user.name, s.home)
	}
	s.socket = filepath.Join(s.home, "run")
	// A client takes a comma for the end of the host.
	if len(filepath.Join(s.socket, socketName)) >= maxSocket || strings.Contains(s.socket, ",") {
		short, err := temporary(s.user)
		if err != nil {
			return err
		}
		s.socket = short
	}
	if err := s.user.own(s.socket); err != nil {
		return fmt.Errorf("make socket folder: %w", err)
	}
	return nil
}

// temporary makes a folder that u can enter and whose path leaves room for a socket.
func temporary(u user) (string, error) {
	var tried error
	for _, base := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		dir, err := os.MkdirTemp(base, "settle-pg-")
		if err != nil {
			tried = errors.Join(tried, err)
			continue
		}
		if err := os.Chmod(dir, 0o711); err != nil {
			tried = errors.Join(tried, err)
			continue
		}
		if u.canReach(filepath.Dir(dir)) && len(filepath.Join(dir, "run", socketName)) < maxSocket {
			return dir, nil
		}
		tried = errors.Join(tried, fmt.Errorf("%s is too long for a socket or closed to user %q", base, u.name), os.Remove(dir))
	}
	return "", fmt.Errorf("no folder for a temporary Postgres, set TMPDIR: %w", tried)
}

// startReaper starts a shell that removes dir once this process is gone, however it
// went: the shell waits for its standard input to close. The server itself has been
// signalled by then; its folder goes when it has let go of it.
func startReaper(dir string) (io.Closer, error) {
	const script = `read -r _
for _ in $(seq 100); do
  [ -e "$1/data/postmaster.pid" ] || break
  sleep 0.1
done
rm -rf -- "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the remover of %s: %w", dir, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the remover of %s: %w", dir, err)
	}
	return reaper{stdin: stdin, cmd: cmd}, nil
}

type reaper struct {
	stdin io.Closer
	cmd   *exec.Cmd
}

// Close lets the shell finish and collects it.
func (r reaper) Close() error { return errors.Join(r.stdin.Close(), r.cmd.Wait()) }
