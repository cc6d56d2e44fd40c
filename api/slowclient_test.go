package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/store"
)

// slowClient opens a connection that sends the head of a submission and `{`, and
// no more. It returns once the handler waits for the rest: a server asks for a
// body by 100 Continue when its handler reads.
func (r *rig) slowClient() net.Conn {
	r.t.Helper()
	u, err := url.Parse(r.url)
	require.NoError(r.t, err)
	conn, err := (&net.Dialer{}).DialContext(r.t.Context(), "tcp", u.Host)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte("POST /v1/transactions HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n" +
		"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"))
	require.NoError(r.t, err)
	require.NoError(r.t, conn.SetReadDeadline(time.Now().Add(deadline)))
	interim := "HTTP/1.1 100 Continue\r\n\r\n"
	got := make([]byte, len(interim))
	_, err = io.ReadFull(conn, got)
	require.NoError(r.t, err)
	require.Equal(r.t, interim, string(got))
	_, err = conn.Write([]byte("{"))
	require.NoError(r.t, err)
	return conn
}

// A client that does not send its body keeps no other one from submitting.
func TestSlowClientsHoldNoSlot(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxSubmitting = 1 })
	for range 16 {
		r.slowClient()
	}
	for nonce := range settle.Nonce(5) {
		r.accept(r.transfer(alice, bob, 5, nonce))
	}
}

// A client that falls behind the least rate is answered and left.
func TestSlowClientIsLeft(t *testing.T) {
	r := newRig(t)
	conn := r.slowClient()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusRequestTimeout, resp.StatusCode)
}

// The memory of bodies is bounded: one that does not fit is told to come again.
func TestBackPressureOnMemory(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxBodyMemory = 4 << 10 })
	r.slowClient()
	r.refused(r.transfer(alice, bob, 5, 0), http.StatusTooManyRequests, settle.CodeBackPressure, "fill 4096 bytes of memory")
}

// heldStore holds the first submission where it counts the backlog.
type heldStore struct {
	*store.Store
	begun   atomic.Bool
	reached chan struct{}
	free    chan struct{}
}

func (h *heldStore) Backlog(ctx context.Context) (store.Backlog, error) {
	if h.begun.CompareAndSwap(false, true) {
		close(h.reached)
		<-h.free
	}
	return h.Store.Backlog(ctx)
}

// Submissions being handled are bounded: while one has the slot, a further one is told to wait.
func TestBackPressureOnConcurrency(t *testing.T) {
	held := &heldStore{reached: make(chan struct{}), free: make(chan struct{})}
	r := newRig(t, func(c *api.Config) {
		held.Store = c.Store.(*store.Store)
		c.Store, c.MaxSubmitting, c.BacklogAge = held, 1, -1
	})
	first := r.transfer(alice, bob, 5, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.try(http.MethodPost, "/v1/transactions", first)
	}()
	select {
	case <-held.reached:
	case <-time.After(deadline):
		require.Fail(t, "the submission does not reach the store")
	}
	r.refused(r.transfer(bob, alice, 5, 0), http.StatusTooManyRequests, settle.CodeBackPressure, "1 submissions are being handled at once")
	close(held.free)
	<-done
	r.accept(r.transfer(bob, alice, 5, 0))
}
