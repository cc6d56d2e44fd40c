package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// clientAddress is whom a request counts for: the peer, or, behind trusted proxies,
// the right-most entry of X-Forwarded-For that is none of them. Entries further left
// are what a client says of itself.
func (s *Server) clientAddress(r *http.Request) netip.Addr {
	client := peer(r.RemoteAddr)
	if !s.trusted(client) {
		return client
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, entry := range slices.Backward(entries) {
		next := peer(strings.TrimSpace(entry))
		if !next.IsValid() {
			return client // the proxy that wrote it is all that is known
		}
		client = next
		if !s.trusted(client) {
			return client
		}
	}
	return client
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// peer reads an address with or without a port; invalid if it is neither.
func peer(text string) netip.Addr {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// accountable is what is counted as one client: an IPv4 address, or the /64 that an
// IPv6 subscriber chooses addresses from as he likes.
func accountable(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	network, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return network.Addr()
}

// shares counts what each client holds of something bounded. It keeps no entry of a
// client that holds nothing.
type shares struct {
	most int64 // of one client; below 0: no bound
	mu   sync.Mutex
	held map[netip.Addr]int64
}

func newShares(most int64) *shares { return &shares{most: most, held: map[netip.Addr]int64{}} }

// take adds n to what the client holds, unless that would pass the bound.
func (h *shares) take(client netip.Addr, n int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.most >= 0 && h.held[client]+n > h.most {
		return false
	}
	h.held[client] += n
	return true
}

func (h *shares) give(client netip.Addr, n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[client] -= n; h.held[client] == 0 {
		delete(h.held, client)
	}
}

// takeSlot takes a slot for a submission that is whole.
func (s *Server) takeSlot(client netip.Addr) (release func(), err error) {
	if !s.slots.take(client, 1) {
		return nil, s.backPressure("%d submissions from %s are being handled at once, the most of one client that are", s.cfg.MaxClientSubmitting, client)
	}
	select {
	case s.submitting <- struct{}{}:
		return func() { <-s.submitting; s.slots.give(client, 1) }, nil
	default:
		s.slots.give(client, 1)
		return nil, s.backPressure("%d submissions are being handled at once, the most that are", s.cfg.MaxSubmitting)
	}
}

// Limit bounds the connections of l, in all and by client address. One too many is
// closed at once: its place would be held until it has sent something. A trusted
// proxy may have as many as there are.
func (s *Server) Limit(l net.Listener) net.Listener {
	return &limitedListener{Listener: l, server: s, all: newShares(int64(s.cfg.MaxConnections)), each: newShares(int64(s.cfg.MaxClientConnections))}
}

type limitedListener struct {
	net.Listener
	server    *Server
	all, each *shares
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if release, ok := l.admit(peer(conn.RemoteAddr().String())); ok {
			return &limitedConn{Conn: conn, release: sync.OnceFunc(release)}, nil
		}
		_ = conn.Close() // it is not served; there is nobody to tell of a failure
	}
}

func (l *limitedListener) admit(from netip.Addr) (release func(), ok bool) {
	everybody, client := netip.Addr{}, accountable(from)
	if !l.all.take(everybody, 1) {
		l.server.metrics.turnedAway.WithLabelValues("all").Inc()
		return nil, false
	}
	if l.server.trusted(from) {
		return func() { l.all.give(everybody, 1) }, true
	}
	if !l.each.take(client, 1) {
		l.all.give(everybody, 1)
		l.server.metrics.turnedAway.WithLabelValues("client").Inc()
		return nil, false
	}
	return func() { l.each.give(client, 1); l.all.give(everybody, 1) }, true
}

type limitedConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// tooMuchOfClient says that one client fills its share of the memory of bodies.
func (s *Server) tooMuchOfClient(client netip.Addr) error {
	return s.backPressure("the submissions being read from %s fill %d bytes of memory, the most of one client that they may", client, s.cfg.MaxClientBodyMemory)
}
