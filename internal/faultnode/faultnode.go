// Package faultnode is an Ethereum node that misbehaves on demand: a JSON-RPC proxy over HTTP in
// front of a good node. Tests give it a rule, which looks at each call and names the fault that its
// caller meets.
package faultnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Call is one JSON-RPC call, also where it came in a batch of them.
type Call struct {
	Method string
	Params json.RawMessage
	N      int // calls of this method so far, from 1
}

// Rule returns the fault that a call meets; the zero Fault lets it pass. It is called by several
// goroutines.
type Rule func(Call) Fault

// Fault is what happens to a call. The zero value is none.
type Fault struct{ does func(*exchange) }

// exchange is one call on its way.
type exchange struct {
	proxy   *Proxy
	ctx     context.Context // ends when the caller is gone, or the proxy is closed
	request message
	answer  message // what the caller gets
	status  int     // HTTP status of a whole answer that is no JSON-RPC; 0: none
	body    string
	closed  bool // the connection is closed without an answer
}

// message is a JSON-RPC request or answer. Members that a proxy need not know stay as they are.
type message map[string]json.RawMessage

// Hang is a call that is taken and never answered.
func Hang() Fault {
	return Fault{func(e *exchange) {
		<-e.ctx.Done()
		e.closed = true
	}}
}

// Error is a JSON-RPC error in HTTP 200.
func Error(code int, text string) Fault {
	return Fault{func(e *exchange) { e.answer = errorOf(e.request, code, text) }}
}

// Status is an HTTP answer that is no JSON-RPC, such as a load balancer gives.
func Status(status int, body string) Fault {
	return Fault{func(e *exchange) { e.status, e.body = status, body }}
}

// Drop closes the connection; the node never sees the call.
func Drop() Fault { return Fault{func(e *exchange) { e.closed = true }} }

// LoseAnswer hands the call to the node and closes the connection without its answer.
func LoseAnswer() Fault {
	return Fault{func(e *exchange) {
		e.forward()
		e.closed = true
	}}
}

// Rewrite hands the call to the node and changes its result; an error of the node passes.
func Rewrite(change func(result json.RawMessage) json.RawMessage) Fault {
	return Fault{func(e *exchange) {
		e.forward()
		if result, ok := e.answer["result"]; ok {
			e.answer["result"] = change(result)
		}
	}}
}

// Proxy is the node. Its methods may be called by several goroutines.
type Proxy struct {
	upstream string
	listener net.Listener
	server   *http.Server
	client   *http.Client
	closing  context.Context
	close    context.CancelFunc

	mu    sync.Mutex
	rule  Rule
	calls map[string]int
}

// New starts a proxy on a free port of the loopback interface, in front of the node at upstream
// (http). Without a rule it passes everything.
func New(upstream string) (*Proxy, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fault node: %w", err)
	}
	closing, cancel := context.WithCancel(context.Background())
	p := &Proxy{
		upstream: upstream, listener: listener, client: &http.Client{Timeout: time.Minute},
		closing: closing, close: cancel, calls: map[string]int{},
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// URL is where the proxy is reached.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Set exchanges the rule; nil passes everything. Calls that hang already go on hanging.
func (p *Proxy) Set(rule Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule = rule
}

// Calls returns how often a method was called.
func (p *Proxy) Calls(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[method]
}

// Close ends what hangs and closes every connection.
func (p *Proxy) Close() {
	p.close()
	_ = p.server.Close()
	p.client.CloseIdleConnections()
}

// ServeHTTP answers one call or a batch of them.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()

	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		var request message
		if err := json.Unmarshal(body, &request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e := p.exchange(ctx, request)
		e.write(w, e.answer)
		return
	}
	var requests []message
	if err := json.Unmarshal(body, &requests); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := make([]message, 0, len(requests))
	for _, request := range requests {
		e := p.exchange(ctx, request)
		if e.closed || e.status != 0 {
			e.write(w, nil)
			return
		}
		answers = append(answers, e.answer)
	}
	(&exchange{}).write(w, answers)
}

// exchange lets one call meet its fault.
func (p *Proxy) exchange(ctx context.Context, request message) *exchange {
	call := Call{Params: request["params"]}
	_ = json.Unmarshal(request["method"], &call.Method) // a call without a method is for the node to refuse
	p.mu.Lock()
	p.calls[call.Method]++
	call.N = p.calls[call.Method]
	rule := p.rule
	p.mu.Unlock()

	e := &exchange{proxy: p, ctx: ctx, request: request}
	var fault Fault
	if rule != nil {
		fault = rule(call)
	}
	if fault.does == nil {
		e.forward()
	} else {
		fault.does(e)
	}
	return e
}

// forward asks the node. What stands between it and us counts as an error of the node.
func (e *exchange) forward() {
	answer, err := e.ask()
	if err != nil {
		e.status, e.body = http.StatusBadGateway, err.Error()
		return
	}
	e.answer = answer
}

func (e *exchange) ask() (message, error) {
	body, err := json.Marshal(e.request)
	if err != nil {
		return nil, err
	}
	// Not the caller's context: what it gave up waiting for is done all the same.
	request, err := http.NewRequestWithContext(e.proxy.closing, http.MethodPost, e.proxy.upstream, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := e.proxy.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	var answer message
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, errors.New(reply.Status)
	}
	return answer, nil
}

// write sends the whole answer, or what stands in its place.
func (e *exchange) write(w http.ResponseWriter, answer any) {
	switch {
	case e.closed:
		if hijacker, ok := w.(http.Hijacker); ok {
			if connection, _, err := hijacker.Hijack(); err == nil {
				_ = connection.Close()
			}
		}
	case e.status != 0:
		http.Error(w, e.body, e.status)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func errorOf(request message, code int, text string) message {
	quoted, err := json.Marshal(map[string]any{"code": code, "message": text})
	if err != nil {
		quoted = []byte(`{"code":-32603,"message":"unwritable"}`)
	}
	return message{"jsonrpc": json.RawMessage(`"2.0"`), "id": request["id"], "error": quoted}
}
