package faultnode_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/faultnode"
)

// node is an upstream that answers each call with the number of calls it has seen.
func node(t *testing.T) (*faultnode.Proxy, *rpc.Client, *int) {
	t.Helper()
	seen := 0
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ ID json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		seen++
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": request.ID, "result": seen})
	}))
	t.Cleanup(upstream.Close)
	proxy, err := faultnode.New(upstream.URL)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	client, err := rpc.DialContext(t.Context(), proxy.URL())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return proxy, client, &seen
}

func TestFaults(t *testing.T) {
	proxy, client, seen := node(t)
	var got int
	call := func() error { return client.CallContext(t.Context(), &got, "a_method", "x") }
	with := func(fault faultnode.Fault) { proxy.Set(func(faultnode.Call) faultnode.Fault { return fault }) }

	require.NoError(t, call())
	require.Equal(t, 1, got)

	with(faultnode.Error(-32005, "limit exceeded"))
	var answered rpc.Error
	require.ErrorAs(t, call(), &answered)
	require.Equal(t, -32005, answered.ErrorCode())

	with(faultnode.Status(http.StatusForbidden, "no"))
	var status rpc.HTTPError
	require.ErrorAs(t, call(), &status)
	require.Equal(t, http.StatusForbidden, status.StatusCode)

	with(faultnode.Drop())
	require.Error(t, call())
	require.Equal(t, 1, *seen, "none of these reached the node")

	with(faultnode.LoseAnswer())
	require.Error(t, call())
	require.Equal(t, 2, *seen, "the node has done it")

	with(faultnode.Rewrite(func(json.RawMessage) json.RawMessage { return json.RawMessage("77") }))
	require.NoError(t, call())
	require.Equal(t, 77, got)
	require.Equal(t, 6, proxy.Calls("a_method"))
}

func TestHangEndsWithTheCaller(t *testing.T) {
	proxy, client, seen := node(t)
	ctx, cancel := context.WithCancel(t.Context())
	proxy.Set(func(call faultnode.Call) faultnode.Fault {
		if call.Method == "hangs" {
			cancel()
			return faultnode.Hang()
		}
		return faultnode.Fault{}
	})
	require.ErrorIs(t, client.CallContext(ctx, nil, "hangs"), context.Canceled)
	require.NoError(t, client.CallContext(t.Context(), nil, "passes"))
	require.Equal(t, 1, *seen)
}

func TestBatchesAreFollowedCallByCall(t *testing.T) {
	proxy, client, _ := node(t)
	proxy.Set(func(call faultnode.Call) faultnode.Fault {
		if call.Method == "second" {
			return faultnode.Error(-39001, "Unknown block")
		}
		return faultnode.Fault{}
	})
	var first, third int
	batch := []rpc.BatchElem{{Method: "first", Result: &first}, {Method: "second"}, {Method: "third", Result: &third}}
	require.NoError(t, client.BatchCallContext(t.Context(), batch))
	require.NoError(t, errors.Join(batch[0].Error, batch[2].Error))
	require.ErrorContains(t, batch[1].Error, "Unknown block")
	require.Equal(t, []int{1, 2}, []int{first, third})
}
