package store_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/zksettle/settle/store"
)

// silent is a server that takes connections and never says a word.
func silent(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return listener
}

func TestSilentServerIsUnavailable(t *testing.T) {
	pool, err := store.Open(t.Context(), "postgres://settle@"+silent(t).Addr().String()+"/settle?sslmode=disable&connect_timeout=1")
	require.NoError(t, err)
	defer pool.Close()
	err = pool.Ping(t.Context()) // without a bound it would never return
	require.Error(t, err)
	require.True(t, store.IsUnavailable(err), err.Error())
}

func TestConnectionsHaveBounds(t *testing.T) {
	pool, err := store.Open(t.Context(), "postgres://settle@localhost/settle")
	require.NoError(t, err)
	defer pool.Close()
	cfg := pool.Config().ConnConfig // also of the connections that hold a role or listen
	require.Equal(t, 10*time.Second, cfg.ConnectTimeout)

	conn, err := cfg.DialFunc(t.Context(), "tcp", silent(t).Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	option := func(name int) (value int) {
		require.NoError(t, raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, name) }))
		require.NoError(t, err)
		return value
	}
	require.Equal(t, 30_000, option(unix.TCP_USER_TIMEOUT))
	require.Equal(t, 10, option(unix.TCP_KEEPIDLE))
}
