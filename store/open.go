package store

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sys/unix"
)

// Bounds on a server that is there no longer. A statement has none of its own: it may wait for others, and a
// server that is alive says when it gives up.
const (
	connectTimeout = 10 * time.Second // unless the URL says connect_timeout
	peerTimeout    = 30 * time.Second // until a server that acknowledges nothing counts as gone
)

// Open returns a pool of connections to the database at databaseURL; it does not connect yet. No call waits for
// ever on a server that vanished without a word (a machine that lost its power, a network that drops packets):
// connecting ends after connect_timeout, and established connections break after half a minute of silence to what
// was sent, or to probes when nothing was. Both count as IsUnavailable.
func Open(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the URL of the database: %w", err)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.ConnConfig.DialFunc = dialer().DialContext
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("make a pool of connections: %w", err)
	}
	return pool, nil
}

func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: peerTimeout / 3, Interval: peerTimeout / 6, Count: 4},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			var set error
			err := raw.Control(func(fd uintptr) {
				set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(peerTimeout.Milliseconds()))
			})
			if err != nil {
				return err
			}
			return set
		},
	}
}
