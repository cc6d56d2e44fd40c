package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/store"
)

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// Sixty-four connections that send headers and one byte keep nobody from submitting.
func TestOneByteAttack(t *testing.T) {
	r := newRig(t)
	for range 64 {
		r.slowClient()
	}
	for nonce := range settle.Nonce(30) {
		r.accept(r.transfer(alice, bob, 5, nonce))
	}
}

// deadlineStore keeps the deadline of the work on a submission.
type deadlineStore struct {
	*store.Store
	deadlines chan time.Time
}

func (d *deadlineStore) Backlog(ctx context.Context) (store.Backlog, error) {
	if at, ok := ctx.Deadline(); ok {
		d.deadlines <- at
	}
	return d.Store.Backlog(ctx)
}

// The time for a submission begins when its body is there.
func TestSlowBodyTakesNothingOfTheWork(t *testing.T) {
	const timeout = 5 * time.Minute
	kept := &deadlineStore{deadlines: make(chan time.Time, 1)}
	r := newRig(t, func(c *api.Config) {
		kept.Store = c.Store.(*store.Store)
		c.Store, c.RequestTimeout, c.BacklogAge = kept, timeout, -1
	})
	tx, err := json.Marshal(r.transfer(alice, bob, 5, 0))
	require.NoError(t, err)
	body, whole := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/transactions", body)
	require.NoError(t, err)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	_, err = whole.Write(tx[:1]) // returns when the request is on its way
	require.NoError(t, err)
	_, err = whole.Write(tx[1:])
	require.NoError(t, err)
	last := time.Now()
	require.NoError(t, whole.Close())
	select {
	case at := <-kept.deadlines:
		require.False(t, at.Before(last.Add(timeout)), "the deadline is %s before the body's end and the time-out", last.Add(timeout).Sub(at))
	case <-time.After(deadline):
		require.Fail(t, "the submission has no deadline, or does not come")
	}
}

// What counts as one client: the peer; behind a trusted proxy what that says, and
// not what the client says of itself.
func TestSubmissionsPerClient(t *testing.T) {
	for _, c := range []struct {
		name          string
		trusted       []netip.Prefix
		first, second string
		same          bool
	}{
		{"no proxy is trusted", nil, "203.0.113.1", "203.0.113.2", true},
		{"another network is trusted", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "203.0.113.1", "203.0.113.2", true},
		{"two clients", []netip.Prefix{loopback}, "203.0.113.1", "203.0.113.2", false},
		{"one client", []netip.Prefix{loopback}, "203.0.113.1", "203.0.113.1", true},
		{"what the client says is left of the proxy's word", []netip.Prefix{loopback}, "203.0.113.1", "203.0.113.2, 203.0.113.1", true},
		{"two proxies", []netip.Prefix{loopback, netip.MustParsePrefix("10.0.0.0/8")}, "203.0.113.1, 10.0.0.1", "203.0.113.2, 10.0.0.2", false},
		{"ports", []netip.Prefix{loopback}, "203.0.113.1:80", "203.0.113.1:81", true},
		{"a network of IPv6", []netip.Prefix{loopback}, "2001:db8::1", "[2001:db8::2]:80", true},
		{"networks of IPv6", []netip.Prefix{loopback}, "2001:db8::1", "2001:db8:0:1::1", false},
		{"nonsense counts for the proxy", []netip.Prefix{loopback}, "nonsense", "more nonsense", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			held := &heldStore{reached: make(chan struct{}), free: make(chan struct{})}
			r := newRig(t, func(cfg *api.Config) {
				held.Store = cfg.Store.(*store.Store)
				cfg.Store, cfg.MaxClientSubmitting, cfg.BacklogAge, cfg.TrustedProxies = held, 1, -1, c.trusted
			})
			first, second := r.transfer(alice, bob, 5, 0), r.transfer(bob, alice, 5, 0)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = r.try(http.MethodPost, "/v1/transactions", first, "X-Forwarded-For", c.first)
			}()
			select {
			case <-held.reached:
			case <-time.After(deadline):
				require.Fail(t, "the submission does not reach the store")
			}
			out := r.send(http.MethodPost, "/v1/transactions", second, "X-Forwarded-For", c.second)
			close(held.free)
			<-done
			if !c.same {
				require.Equal(t, http.StatusAccepted, out.status, "%s", out.body)
				return
			}
			require.Equal(t, http.StatusTooManyRequests, out.status, "%s", out.body)
			require.Contains(t, out.problem.Detail, "the most of one client")
			r.accept(second)
		})
	}
}

// One client fills its share of the memory of bodies, and not what is for others.
func TestBodyMemoryPerClient(t *testing.T) {
	r := newRig(t, func(c *api.Config) {
		c.MaxClientBodyMemory, c.TrustedProxies = 4<<10, []netip.Prefix{loopback}
	})
	r.slowClient()
	tx := r.transfer(alice, bob, 5, 0)
	r.refused(tx, http.StatusTooManyRequests, settle.CodeBackPressure, "from 127.0.0.1 fill 4096 bytes of memory")
	out := r.send(http.MethodPost, "/v1/transactions", tx, "X-Forwarded-For", "203.0.113.1")
	require.Equal(t, http.StatusAccepted, out.status, "%s", out.body)
}

// dial opens a connection and asks for the document; answered says whether it came.
func (r *rig) dial() (conn net.Conn, answered bool) {
	r.t.Helper()
	u, err := url.Parse(r.url)
	require.NoError(r.t, err)
	conn, err = (&net.Dialer{}).DialContext(r.t.Context(), "tcp", u.Host)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(r.t, conn.SetDeadline(time.Now().Add(deadline)))
	if _, err = conn.Write([]byte("GET /openapi.json HTTP/1.1\r\nHost: api\r\n\r\n")); err != nil {
		return conn, false
	}
	_, err = io.ReadFull(conn, make([]byte, 15))
	return conn, err == nil
}

func TestConnectionsAreBounded(t *testing.T) {
	for name, bound := range map[string]func(*api.Config){
		"in all":                   func(c *api.Config) { c.MaxConnections = 2 },
		"per client":               func(c *api.Config) { c.MaxClientConnections = 2 },
		"in all, from a proxy too": func(c *api.Config) { c.MaxConnections, c.TrustedProxies = 2, []netip.Prefix{loopback} },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, bound)
			first, answered := r.dial()
			require.True(t, answered)
			_, answered = r.dial()
			require.True(t, answered)
			_, answered = r.dial()
			require.False(t, answered, "a third connection")
			require.NoError(t, first.Close())
			require.Eventually(t, func() bool { _, answered := r.dial(); return answered }, deadline, time.Millisecond, "its place is free again")
		})
	}
	t.Run("a trusted proxy has no share", func(t *testing.T) {
		r := newRig(t, func(c *api.Config) { c.MaxClientConnections, c.TrustedProxies = 2, []netip.Prefix{loopback} })
		for range 5 {
			_, answered := r.dial()
			require.True(t, answered)
		}
	})
}

// watchedReply looks at the pool while a reply is written.
type watchedReply struct {
	*httptest.ResponseRecorder
	pool *pgxpool.Pool
	busy int32
}

func (w *watchedReply) Write(b []byte) (int, error) {
	w.busy = max(w.busy, w.pool.Stat().AcquiredConns())
	return w.ResponseRecorder.Write(b)
}

// A client that reads slowly holds no database connection: none is taken while a
// reply is written, whatever the route.
func TestSlowReadersHoldNoConnection(t *testing.T) {
	r := newKindRig(t)
	r.accept(r.transfer(alice, bob, 5, 0))
	_, err := r.client.ExitAll(t.Context(), r.wallets[bob], 0)
	require.NoError(t, err)
	r.executeOn(kindShape())
	last, err := r.store.LastBatch(t.Context())
	require.NoError(t, err)
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		r.prove(n)
		r.settle(n)
	}
	server, err := api.New(api.Config{Store: r.store, Rollup: r.genesis.Rollup})
	require.NoError(t, err)
	id, owner := r.accept(r.transfer(alice, bob, 5, 1)).ID, r.wallets[bob].Address()
	for _, path := range []string{
		"/v1/transactions/" + id.String(), "/v1/accounts/2", "/v1/accounts/2?batch=0", "/v1/accounts/2/proof",
		"/v1/accounts" + query("owner", owner.Owner.String(), "l1", owner.L1.String()), "/v1/batches/1", "/v1/batches", "/v1/batches/1/exits",
		"/v1/exits" + query("l1", owner.L1.String()), "/v1/status",
	} {
		w := &watchedReply{ResponseRecorder: httptest.NewRecorder(), pool: r.pool}
		server.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		require.Equal(t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
		require.Zero(t, w.busy, path)
	}
}
