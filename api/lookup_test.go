package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
)

// Many transactions in one look-up are what each by itself is; unknown ones are listed.
func TestLookUpOfMany(t *testing.T) {
	r := newRig(t)
	first := r.accept(r.transfer(alice, bob, 5, 0)).ID
	r.execute()
	r.prove(1)
	r.settle(1)
	second, nothing := r.accept(r.transfer(alice, bob, 5, 1)).ID, settle.Hash{31: 7}
	got, err := r.client.Transactions(t.Context(), []settle.Hash{second, nothing, first, second})
	require.NoError(t, err)
	require.Equal(t, []settle.Hash{nothing}, got.Unknown)
	require.Len(t, got.Transactions, 2)
	for i, id := range []settle.Hash{second, first} {
		want, err := r.client.Transaction(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got.Transactions[i])
	}
	require.NotNil(t, got.Transactions[1].Settlement)

	ids := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("0x%064x", i)
		}
		return "/v1/transactions?ids=" + strings.Join(all, ",")
	}
	require.Equal(t, http.StatusOK, r.send(http.MethodGet, ids(100), nil).status, "the most fit a request's head")
	for path, says := range map[string]string{
		ids(101): "names 101 transactions", "/v1/transactions": `"ids" is missing`, ids(1) + ",": `"ids" is missing`, "/v1/transactions?ids=0x12": "0x12",
	} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, http.StatusBadRequest, out.status)
		require.Equal(t, settle.CodeInvalidField, out.problem.Code)
		require.Contains(t, out.problem.Detail, says)
	}
}

// An open of what is there already is stored, with a warning.
func TestOpenOfAnAccountThatExists(t *testing.T) {
	r := newKindRig(t)
	open := func(to client.Address, token settle.TokenID, nonce settle.Nonce) wire.Transaction {
		from := alice
		if token == 1 {
			from = carol
		}
		return r.signed(from, client.Open{Account: to, Token: token, Amount: settle.NewAmount(50), Fee: settle.NewAmount(minFee), From: settle.AccountIndex(from), Nonce: nonce})
	}
	known := r.wallets[bob].Address()
	other := known
	other.L1[0]++
	tx := open(known, 0, 0)
	receipt := r.accept(tx)
	require.NotNil(t, receipt.Warning)
	require.Equal(t, wire.WarningAccountExists, receipt.Warning.Code)
	require.EqualValues(t, bob, *receipt.Warning.Account)
	require.Contains(t, receipt.Warning.Detail, "account 3 of token 0")

	require.Nil(t, r.accept(open(other, 0, 1)).Warning)
	require.Nil(t, r.accept(open(known, 1, 0)).Warning, "an account holds one token")
	require.Nil(t, r.accept(r.transfer(bob, alice, 5, 0)).Warning)
	again, err := r.client.Submit(t.Context(), tx)
	require.NoError(t, err)
	require.True(t, again.Existing)
	require.Nil(t, again.Warning)
	list := r.array(3, []any{open(known, 0, 2), open(other, 0, 3), tx}).Results
	require.NotNil(t, list[0].Warning)
	require.Nil(t, list[1].Warning)
	require.Nil(t, list[2].Warning)
}

func TestCrossOrigin(t *testing.T) {
	const page, other = "https://wallet.example", "https://other.example"
	preflight := func(r *rig, origin string) reply {
		return r.send(http.MethodOptions, "/v1/transactions", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	}
	t.Run("none by default", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, http.StatusMethodNotAllowed, preflight(r, page).status)
		require.Empty(t, r.send(http.MethodGet, "/v1/status", nil, "Origin", page).header.Get("Access-Control-Allow-Origin"))
	})
	t.Run("one", func(t *testing.T) {
		r := newRig(t, func(c *api.Config) { c.Origins = []api.Origin{page} })
		out := preflight(r, page)
		require.Equal(t, http.StatusNoContent, out.status)
		require.Equal(t, page, out.header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, out.header.Get("Access-Control-Allow-Methods"), "POST")
		require.Equal(t, "Content-Type", out.header.Get("Access-Control-Allow-Headers"))
		for path, status := range map[string]int{"/v1/status": http.StatusOK, "/v1/nothing": http.StatusNotFound, "/openapi.json": http.StatusOK} {
			out := r.send(http.MethodGet, path, nil, "Origin", page)
			require.Equal(t, status, out.status)
			require.Equal(t, page, out.header.Get("Access-Control-Allow-Origin"), path)
			require.Equal(t, "Origin", out.header.Get("Vary"))
			require.Contains(t, out.header.Get("Access-Control-Expose-Headers"), "Retry-After")
		}
		require.Equal(t, http.StatusMethodNotAllowed, preflight(r, other).status)
		require.Empty(t, r.send(http.MethodGet, "/v1/status", nil, "Origin", other).header.Get("Access-Control-Allow-Origin"))
	})
	t.Run("all", func(t *testing.T) {
		r := newRig(t, func(c *api.Config) { c.Origins = []api.Origin{api.AnyOrigin} })
		require.Equal(t, http.StatusNoContent, preflight(r, other).status)
	})
	for text, good := range map[string]bool{"*": true, page: true, "http://localhost:5173": true, "wallet.example": false, page + "/": false, "https://Wallet.example": false, "null": false, "": false} {
		var o api.Origin
		require.Equal(t, good, o.UnmarshalText([]byte(text)) == nil, text)
	}
}
