// Package postgres runs a private Postgres server for `settle-dev`, its demo
// and tests: found on the machine or bundled, reached through a Unix socket only,
// and gone when the process that started it is gone.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
)

// Errors of Start; each is wrapped with its remedy.
var (
	// ErrInUse: another process runs a server on the data folder.
	ErrInUse = errors.New("the Postgres data folder is in use")
	// ErrWrongVersion: the data folder was made by another major version.
	ErrWrongVersion = errors.New("the Postgres data folder belongs to another version")
	// ErrUnreadable: the server's user cannot reach the data folder.
	ErrUnreadable = errors.New("the Postgres data folder is out of the server's reach")
)

const (
	superuser    = "settle"
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	orphanGrace  = 10 * time.Second
	maxSocket    = 107 // bytes of sun_path with its terminating zero, Linux
	socketName   = ".s.PGSQL.5432"
)

// Config says where and how to run the server.
type Config struct {
	// DataDir keeps the cluster between runs: made when absent, reused when present.
	// Empty: a fresh folder, removed when the server stops or this process dies.
	DataDir string
	// Log receives the server's messages; nil discards them.
	Log *slog.Logger
	// NoFsync gives up surviving a crash of the machine for speed. For tests only.
	NoFsync bool
}

// Server is a running private server.
type Server struct {
	cfg    Config
	user   user
	bin    binaries
	home   string // everything of this server lies below
	socket string // folder of the Unix socket
	lock   *flock.Flock
	reaper io.Closer

	mu   sync.Mutex
	proc *process
}

// Start finds binaries, makes or reuses the cluster and waits until the server
// answers. The server dies with this process, killed or not. PG* variables are gone from
// this process's environment afterwards (IgnoreSurroundings).
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	IgnoreSurroundings()
	s := &Server{cfg: cfg}
	if s.user, err = serverUser(); err != nil {
		return nil, err
	}
	if s.bin, err = findBinaries(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.cleanUp())
		}
	}()
	if err := s.prepareFolders(); err != nil {
		return nil, err
	}
	if s.bin, err = s.bin.readableBy(s.user, s.home); err != nil {
		return nil, err
	}
	if err := s.initCluster(ctx); err != nil {
		return nil, err
	}
	if err := s.launch(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// URL returns the connection string of the server's database. It names what a client
// would else take from the variables PGPORT, PGSSLMODE and PGTARGETSESSIONATTRS.
func (s *Server) URL() string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres"}
	u.RawQuery = url.Values{"host": {s.socket}, "port": {"5432"}, "sslmode": {"disable"}, "target_session_attrs": {"any"}}.Encode()
	u.RawQuery = strings.ReplaceAll(u.RawQuery, "+", "%20") // pgx takes + for itself, not for a space
	return u.String()
}

// Restart stops the server, as an operator would, and starts it again on its data.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.halt(); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Kill ends the server at once, as a crash would; Resume brings it back.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	// SIGQUIT is Postgres's immediate shutdown: children die too, and recovery runs at
	// the next start. SIGKILL would orphan the backends.
	err := s.proc.stop(syscall.SIGQUIT)
	s.proc = nil
	return err
}

// Resume starts a server that was killed.
func (s *Server) Resume(ctx context.Context) error { return s.launch(ctx) }

// Stop disconnects every client, shuts the server down and removes what was temporary.
func (s *Server) Stop() error { return errors.Join(s.halt(), s.cleanUp()) }

func (s *Server) halt() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	err := s.proc.stop(syscall.SIGINT)
	s.proc = nil
	return err
}

func (s *Server) cleanUp() error {
	var err error
	if s.socket != "" && filepath.Dir(s.socket) != s.home {
		err = os.RemoveAll(s.socket)
	}
	if s.cfg.DataDir == "" && s.home != "" {
		err = errors.Join(err, os.RemoveAll(s.home))
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	if s.reaper != nil {
		err = errors.Join(err, s.reaper.Close())
	}
	return err
}

func (s *Server) dataDir() string { return filepath.Join(s.home, "data") }

// initCluster runs initdb on a new folder, or checks the version of an old one. A
// cluster is made beside its place and renamed, so that an interrupted initdb is
// never taken for a cluster.
func (s *Server) initCluster(ctx context.Context) error {
	data := s.dataDir()
	version, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err == nil {
		if major := strings.TrimSpace(string(version)); major != strconv.Itoa(s.bin.major) {
			return fmt.Errorf("%w: %s was made by Postgres %s and %s is version %d: install Postgres %s, or move the folder away to begin anew",
				ErrWrongVersion, data, major, s.bin.dir, s.bin.major, major)
		}
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("version of the Postgres data folder: %w", err)
	}
	partial := data + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("clear interrupted initdb: %w", err)
	}
	if err := s.user.own(partial); err != nil {
		return fmt.Errorf("make Postgres data folder: %w", err)
	}
	args := []string{"-D", partial, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-locale"}
	if s.cfg.NoFsync {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, s.bin.path("initdb"), args...)
	cmd.Dir = s.home
	cmd.Env = childEnv()
	out, err := runLocked(cmd, s.user.sysProcAttr(syscall.SIGKILL))
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := os.Rename(partial, data); err != nil {
		return fmt.Errorf("place Postgres data folder: %w", err)
	}
	return nil
}

func (s *Server) launch(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return errors.New("the Postgres server is running already")
	}
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + quoted(s.socket), "unix_socket_permissions=0700", "port=5432",
		"max_connections=200", "timezone=UTC", "jit=off", "log_timezone=UTC", "log_checkpoints=off",
		"logging_collector=off", "log_line_prefix=",
	}
	if s.cfg.NoFsync {
		// A crash of the server still loses nothing, only one of the machine does.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	args := []string{"-D", s.dataDir()}
	for _, v := range settings {
		args = append(args, "-c", v)
	}
	deadline := time.Now().Add(orphanGrace)
	for {
		err := s.launchOnce(ctx, args)
		// A server whose parent was killed needs a moment to shut down.
		if err == nil || !errors.Is(err, ErrInUse) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Server) launchOnce(ctx context.Context, args []string) error {
	// The cluster survives our death by a fast shutdown; a temporary one needs none.
	death := syscall.SIGINT
	if s.cfg.DataDir == "" {
		death = syscall.SIGQUIT
	}
	cmd := exec.Command(s.bin.path("postgres"), args...)
	cmd.Dir = s.home
	cmd.Env = childEnv()
	p, err := startProcess(cmd, s.user.sysProcAttr(death), s.cfg.Log)
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			s.proc = p
			// A caller may drop s and keep the URL; collecting s would close the pipe that
			// the remover of the folder waits on.
			go func() {
				<-p.exited
				runtime.KeepAlive(s)
			}()
			return conn.Close(ctx)
		}
		select {
		case <-p.exited:
			said := p.lastLines()
			if strings.Contains(said, "lock file") && strings.Contains(said, "already exists") {
				return fmt.Errorf("%w: %s: stop the other `settle` that uses it, or choose another folder (the server said: %s)", ErrInUse, s.home, said)
			}
			return fmt.Errorf("Postgres stopped at start (%w); it said: %s", p.err, said)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("Postgres does not answer: %w; it said: %s", err, p.lastLines()), p.stop(syscall.SIGQUIT))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// quoted is a folder as one element of a list of folders, whatever characters it has.
func quoted(folder string) string { return `"` + strings.ReplaceAll(folder, `"`, `""`) + `"` }

// childEnv passes on nothing that changes how Postgres behaves (PG*, LC_*).
func childEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
}
