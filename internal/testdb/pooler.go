package testdb

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// Pooler gives each transaction of its clients a free server connection, as pgbouncer
// does with pool_mode = transaction. It knows the simple protocol.
type Pooler struct {
	t      *testing.T
	url    string
	listen net.Listener
	oldest bool          // server_round_robin; else the one that was used last
	single bool          // pool_mode = statement
	most   chan struct{} // server connections in use, at most; nil: any number

	mu   sync.Mutex
	free []*pgconn.HijackedConn
}

// NewPooler starts one before the server of a database, with so many server connections
// ready. It gives the one that waits longest if oldest, else the one that was used last.
func NewPooler(t *testing.T, databaseURL string, ready int, oldest bool) *Pooler {
	t.Helper()
	listen, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &Pooler{t: t, url: databaseURL, listen: listen, oldest: oldest}
	t.Cleanup(func() { _ = listen.Close() })
	for range ready {
		p.free = append(p.free, p.connect())
	}
	go func() {
		for {
			conn, err := listen.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// RefuseTransactions has it go on as with pool_mode = statement.
func (p *Pooler) RefuseTransactions() *Pooler {
	p.single = true
	return p
}

// Limit bounds the server connections in use at a time, as default_pool_size does: further
// clients wait.
func (p *Pooler) Limit(most int) *Pooler {
	p.most = make(chan struct{}, most)
	return p
}

// Address is the URL of the database through the pooler.
func (p *Pooler) Address() string {
	u, err := url.Parse(p.url)
	require.NoError(p.t, err)
	host, port, err := net.SplitHostPort(p.listen.Addr().String())
	require.NoError(p.t, err)
	u.Host = ""
	query := u.Query() // Postgres of tests is reached by its socket's folder
	query.Set("host", host)
	query.Set("port", port)
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	return u.String()
}

func (p *Pooler) connect() *pgconn.HijackedConn {
	conn, err := pgconn.Connect(context.Background(), p.url)
	if err != nil {
		p.t.Error(err)
		return nil
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		p.t.Error(err)
		return nil
	}
	p.t.Cleanup(func() { _ = hijacked.Conn.Close() })
	return hijacked
}

func (p *Pooler) take() *pgconn.HijackedConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return p.connect()
	}
	i := len(p.free) - 1
	if p.oldest {
		i = 0
	}
	c := p.free[i]
	p.free = append(p.free[:i], p.free[i+1:]...)
	return c
}

func (p *Pooler) serve(conn net.Conn) {
	defer conn.Close()
	client := pgproto3.NewBackend(conn, conn)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		if p.most == nil { // else a client that was not served cancels
			p.t.Error(err)
		}
		return
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range map[string]string{"standard_conforming_strings": "on", "client_encoding": "UTF8"} {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := client.Flush(); err != nil {
		p.t.Error(err)
		return
	}
	var server *pgconn.HijackedConn
	for {
		message, err := client.Receive()
		query, ok := message.(*pgproto3.Query)
		if err != nil || !ok { // it terminates
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				p.t.Error(err)
			}
			return
		}
		if p.single && strings.HasPrefix(query.String, "begin") {
			client.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "transaction blocks not allowed in statement pooling mode"})
			_ = client.Flush()
			return
		}
		if server == nil {
			if p.most != nil {
				select {
				case p.most <- struct{}{}:
				case <-p.t.Context().Done():
					return
				}
			}
			if server = p.take(); server == nil {
				return
			}
		}
		server.Frontend.Send(query)
		status, err := relay(client, server.Frontend)
		if err != nil {
			p.t.Error(err)
			return
		}
		if status == 'I' {
			p.mu.Lock()
			p.free = append(p.free, server)
			p.mu.Unlock()
			server = nil
			if p.most != nil {
				<-p.most
			}
		}
		if err := client.Flush(); err != nil {
			p.t.Error(err)
			return
		}
	}
}

// relay copies the answer to one query and returns the state of the transaction.
func relay(client *pgproto3.Backend, server *pgproto3.Frontend) (byte, error) {
	if err := server.Flush(); err != nil {
		return 0, err
	}
	for {
		message, err := server.Receive()
		if err != nil {
			return 0, err
		}
		client.Send(message)
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus, nil
		}
	}
}
