package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const childArg = "run-a-server-until-killed"

// TestMain lets the test binary be its own child: a process that starts a server
// and then waits to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		s, err := Start(context.Background(), Config{NoFsync: true})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(s.home, s.proc.cmd.Process.Pid)
		select {}
	}
	os.Exit(m.Run())
}

func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var got string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&got))
	return got
}

func TestTemporaryServer(t *testing.T) {
	s, err := Start(t.Context(), Config{NoFsync: true})
	require.NoError(t, err)
	require.Equal(t, "", query(t, s, "show listen_addresses"), "no TCP")
	require.Equal(t, "off", query(t, s, "show fsync"))
	for _, folder := range []string{s.socket, s.dataDir()} {
		info, err := os.Stat(folder)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), folder)
	}

	require.Equal(t, "1", query(t, s, "with t as (select set_config('a.b', '1', false) v) select v from t"))
	require.NoError(t, s.Restart(t.Context()))
	require.Equal(t, "UTF8", query(t, s, "show server_encoding"))

	require.NoError(t, s.Kill())
	_, err = pgx.Connect(t.Context(), s.URL())
	require.Error(t, err)
	require.NoError(t, s.Resume(t.Context()))
	require.Equal(t, "UTC", query(t, s, "show timezone"))

	require.NoError(t, s.Stop())
	require.NoDirExists(t, s.home)
}

// persistentDir is a folder that the server's user can reach, which t.TempDir may not be.
func persistentDir(t *testing.T) string {
	t.Helper()
	u, err := serverUser()
	require.NoError(t, err)
	dir, err := temporary(u)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "settle")
}

func TestPersistentServer(t *testing.T) {
	dir := persistentDir(t)
	s, err := Start(t.Context(), Config{DataDir: dir})
	require.NoError(t, err)
	require.Equal(t, "on", query(t, s, "show fsync"))
	query(t, s, "with x as (select lo_from_bytea(4711, 'kept')) select oid::text from x, lateral (select lo_from_bytea::text oid) y")

	_, err = Start(t.Context(), Config{DataDir: dir})
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, "stop the other `settle`")
	require.NoError(t, s.Stop())

	s, err = Start(t.Context(), Config{DataDir: dir})
	require.NoError(t, err)
	require.Equal(t, "kept", query(t, s, "select convert_from(lo_get(4711), 'UTF8')"))
	require.NoError(t, s.Stop())

	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600))
	_, err = Start(t.Context(), Config{DataDir: dir})
	require.ErrorIs(t, err, ErrWrongVersion)
	require.ErrorContains(t, err, "install Postgres 9")
}

func TestInterruptedInitIsDoneAgain(t *testing.T) {
	dir := persistentDir(t)
	partial := filepath.Join(dir, "data.partial")
	require.NoError(t, os.MkdirAll(partial, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(partial, "PG_VERSION"), []byte("half"), 0o600))
	s, err := Start(t.Context(), Config{DataDir: dir, NoFsync: true})
	require.NoError(t, err)
	require.NoError(t, s.Stop())
}

func TestLongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(persistentDir(t), strings.Repeat("long", 30))
	s, err := Start(t.Context(), Config{DataDir: dir, NoFsync: true})
	require.NoError(t, err)
	require.Less(t, len(filepath.Join(s.socket, socketName)), maxSocket)
	require.NoError(t, s.Stop())
	require.NoDirExists(t, s.socket)
	require.DirExists(t, s.dataDir())
}

func TestServerDiesWithItsKilledParent(t *testing.T) {
	child := exec.Command(os.Args[0], childArg)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, line)
	var home string
	var pid int
	_, err = fmt.Sscan(line, &home, &pid)
	require.NoError(t, err, line)
	require.NoError(t, syscall.Kill(pid, 0))

	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH && !exists(home) },
		20*time.Second, 20*time.Millisecond, "server %d or %s is left over", pid, home)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
