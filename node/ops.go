package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/zksettle/settle/api"
)

// Ops is what an operator sees of a process, at a listener of its own that the public
// does not reach:
//
//	/metrics  metrics of all its roles, for Prometheus
//	/healthz  200 while the process is alive
//	/readyz   200 while every role of the process is at work; else 503, with the reason of each
type Ops struct {
	Registry *prometheus.Registry
	log      *slog.Logger

	mu    sync.Mutex
	roles map[string]func(context.Context) error // why the role is not at work; nil: it is
}

// NewOps has the metrics of every process. The roles that it will have are not at work
// until they say so.
func NewOps(log *slog.Logger, roles ...string) *Ops {
	o := &Ops{Registry: prometheus.NewRegistry(), log: log, roles: map[string]func(context.Context) error{}}
	for _, name := range roles {
		o.role(name)
	}
	o.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return o
}

// errStarting is why a role is not at work that has not said anything yet.
var errStarting = errors.New("starting")

// role adds a role that says itself how it stands: nil when it is at work, or else why
// it is not.
func (o *Ops) role(name string) (stands func(error)) {
	var mu sync.Mutex
	reason := errStarting
	o.ask(name, func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		return reason
	})
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		reason = err
	}
}

// ask adds a role that is asked how it stands.
func (o *Ops) ask(name string, stands func(context.Context) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.roles[name] = stands
}

// standing is the answer to /healthz and /readyz.
type standing struct {
	Status string            `json:"status"`          // ok, or not ready
	Roles  map[string]string `json:"roles,omitempty"` // ok, or why not
}

// readyTimeout bounds the answer to /readyz.
const readyTimeout = 5 * time.Second

func (o *Ops) ready(ctx context.Context) (answer standing, status int) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	o.mu.Lock()
	roles := make(map[string]func(context.Context) error, len(o.roles))
	for name, stands := range o.roles {
		roles[name] = stands
	}
	o.mu.Unlock()
	answer, status = standing{Status: "ok", Roles: map[string]string{}}, http.StatusOK
	for name, stands := range roles {
		answer.Roles[name] = "ok"
		if err := stands(ctx); err != nil {
			answer.Roles[name] = err.Error()
			answer.Status, status = "not ready", http.StatusServiceUnavailable
		}
	}
	return answer, status
}

func (o *Ops) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answerWith(w, standing{Status: "ok"}, http.StatusOK)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer, status := o.ready(r.Context())
		answerWith(w, answer, status)
	})
	return mux
}

func answerWith(w http.ResponseWriter, answer standing, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a prober that is gone cannot be told
}

// ListenOps opens the listener of --ops-listen; nil for no address.
func ListenOps(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil //nolint:nilnil // no listener is asked for
	}
	listener, err := api.Listen(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("--ops-listen: %w", err)
	}
	return listener, nil
}

// Serve answers on a listener until stop, which closes it; nil is nothing to serve.
func (o *Ops) Serve(listener net.Listener) (stop func()) {
	if listener == nil {
		return func() {}
	}
	o.log.Info("metrics and health are served", "url", "http://"+listener.Addr().String()+"/metrics")
	server := &http.Server{Handler: o.handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.log.Warn("metrics and health are no longer served", "error", err)
		}
	})
	return func() {
		_ = server.Close()
		serving.Wait()
	}
}

// register adds collectors to the metrics of the process.
func (o *Ops) register(all ...prometheus.Collector) error {
	for _, c := range all {
		if err := o.Registry.Register(c); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}
