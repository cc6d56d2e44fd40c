package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/zksettle/settle/api/wire"
)

// Ops is what the operator's own listener serves, and the public one does not:
//
//	/metrics  in Prometheus' text format
//	/healthz  200 while the process is alive
//	/readyz   200 while the database answers and is migrated, 503 otherwise
func (s *Server) Ops() http.Handler {
	mux := http.NewServeMux()
	// A panic of the gatherer becomes a problem like any other.
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.PanicOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { healthy(w) })
	mux.HandleFunc("GET /readyz", s.ready)
	return s.recoverPanics(mux)
}

// ready asks the database for the rollup's identity: it is reachable and migrated.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.RequestTimeout)
	defer cancel()
	if _, err := s.cfg.Store.Rollup(ctx); err != nil {
		s.failure(ctx, fmt.Errorf("readiness: %w", err)).write(w)
		return
	}
	healthy(w)
}

func healthy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(wire.Health{Status: "ok"}) // a prober that is gone cannot be told
}
