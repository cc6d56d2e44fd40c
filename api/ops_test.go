package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// What is for the operator is served on another listener, and nothing of it in public.
func TestPublicCallerSeesNothingOfTheOperators(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, out.status, path)
		require.Equal(t, settle.CodeNotFound, out.problem.Code)
		require.NotContains(t, r.document()["paths"], path)
	}

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
