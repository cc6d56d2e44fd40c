package api

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/zksettle/settle"
)

// A body must keep up with bodyRate from bodyGrace on, and be there within readTimeout.
const (
	bodyGrace     = 3 * time.Second
	bodyRate      = 100 << 10 // bytes per second
	bodyFirstSize = 4 << 10   // bytes taken of the budget before the first one is read
)

// pacedBody ends a read when the client falls behind bodyRate.
type pacedBody struct {
	io.ReadCloser
	deadline func(time.Time) error // of reads on the connection
	start    time.Time
	received int64
}

func paced(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	return &pacedBody{ReadCloser: body, deadline: http.NewResponseController(w).SetReadDeadline, start: time.Now()}
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	limit := min(bodyGrace+time.Duration(b.received)*time.Second/bodyRate, readTimeout)
	if err := b.deadline(b.start.Add(limit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.received += int64(n)
	if errors.Is(err, io.EOF) {
		// The server goes on reading, to see whether the client leaves: a deadline
		// of the body that passed then would cancel the request. RequestTimeout bounds
		// what follows, and the server sets a new deadline for the next request.
		_ = b.deadline(time.Time{})
	}
	return n, err
}

// readBody reads a whole body into memory that it takes of the server's budget and
// of the client's share of it.
// The caller calls release when the body is no longer used, also after an error.
func (s *Server) readBody(r io.Reader, client netip.Addr) (body []byte, release func(), err error) {
	held := int64(0)
	release = func() { s.bodies.Release(held); s.bodiesOf.give(client, held) }
	take := func(n int64) error {
		if !s.bodiesOf.take(client, n) {
			return s.tooMuchOfClient(client)
		}
		if !s.bodies.TryAcquire(n) {
			s.bodiesOf.give(client, n)
			return s.backPressure("the submissions being read fill %d bytes of memory, the most that they may", s.cfg.MaxBodyMemory)
		}
		held += n
		return nil
	}
	if err := take(bodyFirstSize); err != nil {
		return nil, release, err
	}
	body = make([]byte, 0, bodyFirstSize)
	for {
		if len(body) == cap(body) {
			if err := take(int64(cap(body))); err != nil {
				return nil, release, err
			}
			grown := make([]byte, len(body), 2*cap(body))
			copy(grown, body)
			body = grown
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, release, nil
		}
		if err != nil {
			return nil, release, bodyRefusal(err, len(body))
		}
	}
}

func bodyRefusal(err error, received int) error {
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(err, &tooLarge):
		return settle.Refuse(settle.CodeBodyTooLarge, "the body exceeds %d bytes, expected at most that; send fewer transactions per request", tooLarge.Limit)
	case errors.As(err, &network) && network.Timeout():
		return settle.Refuse(settle.CodeRequestTimeout, "the body did not arrive within the time for it after %d bytes, expected %d bytes per second after the first %s and all of it within %s",
			received, bodyRate, bodyGrace, readTimeout)
	}
	return settle.Refuse(settle.CodeMalformedJSON, "the body ended after %d bytes: %v", received, err)
}
