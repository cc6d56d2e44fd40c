package api_test

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
)

// What is for the operator is served on another listener, and nothing of it in public.
func TestPublicCallerSeesNothingOfTheOperators(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, out.status, path)
		require.Equal(t, settle.CodeNotFound, out.problem.Code)
		require.Equal(t, http.StatusOK, r.probe(path).Code, path)
		require.NotContains(t, r.document()["paths"], path)
	}
	require.Equal(t, http.StatusNotFound, r.probe("/v1/status").Code)

	r.accept(r.transfer(alice, bob, 5, 0))
	r.execute()
	r.prove(1)
	var worker string
	require.NoError(t, r.pool.QueryRow(t.Context(), "select worker from proofs where batch = 1").Scan(&worker))
	require.NotEmpty(t, worker)
	for _, path := range []string{"/v1/batches/1", "/v1/batches"} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, out.status)
		require.NotContains(t, string(out.body), worker)
		require.NotContains(t, string(out.body), `"worker"`)
	}
}

// brokenMetrics cannot be gathered.
type brokenMetrics struct{}

func (brokenMetrics) Describe(chan<- *prometheus.Desc) {}

func (brokenMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
}

// What cannot be gathered is a problem like any other.
func TestMetricsThatCannotBeGathered(t *testing.T) {
	metrics := prometheus.NewRegistry()
	require.NoError(t, metrics.Register(brokenMetrics{}))
	r := newRig(t, func(c *api.Config) { c.Metrics, c.Log = metrics, slog.New(slog.DiscardHandler) })
	out := r.probe("/metrics")
	require.Equal(t, http.StatusInternalServerError, out.Code)
	require.Equal(t, "application/problem+json", out.Header().Get("Content-Type"))
	require.Contains(t, out.Body.String(), settle.CodeInternal)
}
