package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func probe(t *testing.T, o *Ops, path string) (int, standing) {
	t.Helper()
	w := httptest.NewRecorder()
	o.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	var answer standing
	if path != "/metrics" {
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	}
	return w.Code, answer
}

// TestReadiness: a process is ready while each of its roles is at work, and says of each
// why it is not. It is healthy all the while.
func TestReadiness(t *testing.T) {
	t.Parallel()
	o := NewOps(slog.New(slog.DiscardHandler), "api", "submitter")
	code, answer := probe(t, o, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code, "before any role has begun")
	require.Equal(t, map[string]string{"submitter": "starting", "api": "starting"}, answer.Roles)
	require.HTTPStatusCode(t, o.handler().ServeHTTP, http.MethodGet, "/metrics", nil, http.StatusOK)
	stands := o.role("submitter")
	var away error
	o.ask("api", func(context.Context) error { return away })

	code, answer = probe(t, o, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, map[string]string{"submitter": "starting", "api": "ok"}, answer.Roles)
	stands(nil)
	code, answer = probe(t, o, "/readyz")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, standing{Status: "ok", Roles: map[string]string{"submitter": "ok", "api": "ok"}}, answer)
	stands(errors.New("standing by"))
	away = errors.New("the database is away")
	code, answer = probe(t, o, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, standing{Status: "not ready", Roles: map[string]string{"submitter": "standing by", "api": "the database is away"}}, answer)

	code, answer = probe(t, o, "/healthz")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, standing{Status: "ok"}, answer)
}

// brokenMetrics cannot be gathered.
type brokenMetrics struct{}

func (brokenMetrics) Describe(chan<- *prometheus.Desc) {}

func (brokenMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
}

// TestMetricsThatCannotBeGathered are an error of the server's, and no end of it.
func TestMetricsThatCannotBeGathered(t *testing.T) {
	t.Parallel()
	o := NewOps(slog.New(slog.DiscardHandler))
	require.NoError(t, o.register(brokenMetrics{}))
	code, _ := probe(t, o, "/metrics")
	require.Equal(t, http.StatusInternalServerError, code)
}

// TestOpsAreServed on a listener until they are stopped; without an address nowhere.
func TestOpsAreServed(t *testing.T) {
	t.Parallel()
	o := NewOps(slog.New(slog.DiscardHandler))
	listener, err := ListenOps(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	stop := o.Serve(listener)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/healthz", http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	stop()
	_, err = http.DefaultClient.Do(request) //nolint:bodyclose // there is none
	require.Error(t, err)

	listener, err = ListenOps(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, listener)
	o.Serve(listener)()
	_, err = ListenOps(t.Context(), "nonsense")
	require.ErrorContains(t, err, "--ops-listen")
}
