package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	grumpkin "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
)

func TestMalformedJSON(t *testing.T) {
	r := newRig(t)
	good := r.members(r.transfer(alice, bob, 5, 0))
	for body, says := range map[string]string{
		``:              "empty",
		`  `:            "empty",
		`{`:             "at byte 1",
		`{"kind":}`:     "at byte 9",
		`{} {}`:         "at byte 4",
		`[{}`:           "at byte 3",
		`"transfer"`:    "a string",
		`17`:            "a number",
		`null`:          "null",
		"{\"a\":\"\x01": "byte",
	} {
		r.refused(body, http.StatusBadRequest, settle.CodeMalformedJSON, says, "expected a transaction object or an array of them")
	}
	out := r.refused(`{"kind":"transfer","kind":"transfer"}`, http.StatusBadRequest, settle.CodeMalformedJSON, `"kind"`, "twice", "once")
	require.Nil(t, out.problem.Index)

	results := r.array(3, `[1, [], null]`)
	for i, kind := range []string{"a number", "an array", "null"} {
		require.Equal(t, settle.CodeMalformedJSON, results.Results[i].Problem.Code)
		require.Contains(t, results.Results[i].Problem.Detail, kind)
		require.Contains(t, results.Results[i].Problem.Detail, "expected a transaction object")
		require.Equal(t, i, *results.Results[i].Problem.Index)
	}
	require.Equal(t, http.StatusAccepted, r.send(http.MethodPost, "/v1/transactions", good).status)
}

func TestUnknownField(t *testing.T) {
	r := newRig(t)
	m := r.members(r.transfer(alice, bob, 5, 0))
	m["memo"] = "hi"
	r.refused(m, http.StatusBadRequest, settle.CodeUnknownField, `"memo"`, "expected only kind, from")
	delete(m, "memo")
	m["Nonce"] = m["nonce"] // names are case-sensitive
	r.refused(m, http.StatusBadRequest, settle.CodeUnknownField, `"Nonce"`)
	long := strings.Repeat("x", 5000)
	out := r.refused(map[string]any{long: 1}, http.StatusBadRequest, settle.CodeUnknownField)
	require.Less(t, len(out.problem.Detail), 400, "what was sent is cut short")
}

func TestInvalidField(t *testing.T) {
	r := newRig(t)
	valid := r.members(r.transfer(alice, bob, 5, 0))
	off := notOnCurve(t)
	for _, c := range []struct {
		field    string
		value    any
		expected string
	}{
		{"kind", "send", `"transfer", "open", "exit" or "exit-all"`},
		{"kind", 1, `"transfer", "open", "exit" or "exit-all"`},
		{"kind", "none", `"transfer"`},
		{"from", "2", "a JSON integer from 0 to 4294967295"},
		{"from", -1, "a JSON integer from 0 to 4294967295"},
		{"from", 1.5, "a JSON integer from 0 to 4294967295"},
		{"from", uint64(1) << 32, "a JSON integer from 0 to 4294967295"},
		{"to", nil, "a JSON integer from 0 to 4294967295"},
		{"to", true, "a JSON integer"},
		{"token", uint64(1) << 32, "a token: a JSON integer from 0 to 4294967295"},
		{"nonce", uint64(1) << 40, "a JSON integer from 0 to 1099511627775"},
		{"nonce", "0", "a JSON integer"},
		{"valid_until", uint64(1) << 32, "a batch number, 0 for no limit"},
		{"amount", 5, "a decimal string of whole smallest units"},
		{"amount", "", "a decimal string of whole smallest units"},
		{"amount", "five", "a decimal string of whole smallest units"},
		{"amount", "0x5", "a decimal string of whole smallest units"},
		{"fee", nil, "a decimal string of whole smallest units"},
		{"to_owner", "0x12", "0x and 64 hexadecimal digits"},
		{"to_owner", strings.Repeat("z", 66), "0x and 64 hexadecimal digits"},
		{"to_l1", "0x12", "0x and 40 hexadecimal digits"},
		{"to_l1", 5, "0x and 40 hexadecimal digits"},
		{"public_key", strings.Repeat("0", 64), "0x and 64 hexadecimal digits"},
		{"signature", 5, "0x and 128 hexadecimal digits"},
	} {
		m := clone(valid)
		m[c.field] = c.value
		r.refused(m, http.StatusBadRequest, settle.CodeInvalidField, fmt.Sprintf("field %q", c.field), "expected", c.expected)
	}
	for field := range valid {
		if field == "valid_until" {
			continue
		}
		m := clone(valid)
		delete(m, field)
		r.refused(m, http.StatusBadRequest, settle.CodeInvalidField, fmt.Sprintf("field %q is missing", field))
	}
	for _, field := range []string{"to_owner", "public_key"} {
		m := clone(valid)
		m[field] = fmt.Sprintf("0x%064x", fr.Modulus())
		r.refused(m, http.StatusBadRequest, settle.CodeInvalidField, "modulus")
	}
	m := clone(valid)
	m["to_owner"] = off.String() // not on the curve: it is nobody's
	r.refused(m, http.StatusUnprocessableEntity, settle.CodeReceiverMismatch, off.String())
}

func TestUnsupportedKind(t *testing.T) {
	r := newRig(t)
	for _, kind := range []string{"open", "exit", "exit-all"} {
		m := r.members(r.transfer(alice, bob, 5, 0))
		m["kind"] = kind
		r.refused(m, http.StatusUnprocessableEntity, settle.CodeUnsupportedKind, kind, "expected transfer")
	}
}

func TestUnknownAccount(t *testing.T) {
	r := newRig(t)
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.From = 77 }),
		http.StatusUnprocessableEntity, settle.CodeUnknownAccount, "sender 77 does not exist")
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.To = 88 }),
		http.StatusUnprocessableEntity, settle.CodeUnknownAccount, "receiver 88 does not exist")
}

func TestWrongToken(t *testing.T) {
	r := newRig(t)
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.Token = 1 }),
		http.StatusUnprocessableEntity, settle.CodeWrongToken, "account 2 holds token 0", "names token 1")
	r.refused(r.transfer(alice, carol, 5, 0),
		http.StatusUnprocessableEntity, settle.CodeWrongToken, "receiver 4 holds token 1", "names token 0")
}

func TestNoFeeAccount(t *testing.T) {
	r := newRig(t)
	r.refused(r.transfer(dave, erin, 5, 0), http.StatusUnprocessableEntity, settle.CodeNoFeeAccount, "token 9")
}

func TestReceiverMismatch(t *testing.T) {
	r := newRig(t)
	other := r.wallets[carol].Address()
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.Receiver.L1 = other.L1 }),
		http.StatusUnprocessableEntity, settle.CodeReceiverMismatch, "account 3 belongs to", other.L1.String())
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.Receiver.Owner = other.Owner }),
		http.StatusUnprocessableEntity, settle.CodeReceiverMismatch, "account 3 belongs to", other.Owner.String())
}

func TestBadSignature(t *testing.T) {
	r := newRig(t)
	changed := r.transfer(alice, bob, 5, 0)
	changed.Amount = settle.NewAmount(6)
	r.refused(changed, http.StatusUnprocessableEntity, settle.CodeBadSignature, "does not match")

	stolen := r.transfer(bob, alice, 5, 0, func(tr *client.Transfer) { tr.From = alice })
	r.refused(stolen, http.StatusUnprocessableEntity, settle.CodeBadSignature, "account 2 is owned by", r.wallets[bob].Address().Owner.String())

	foreign := client.NewWallet(r.keys[alice], chainID+1, rollupAddress, settle.Address{19: alice + 1})
	tx, _, err := foreign.Sign(client.Transfer{
		From: alice, To: bob, Receiver: r.wallets[bob].Address(), Amount: settle.NewAmount(5), Fee: settle.NewAmount(minFee),
	})
	require.NoError(t, err)
	r.refused(tx, http.StatusUnprocessableEntity, settle.CodeBadSignature, "does not match")
}

func TestNonCanonicalSignature(t *testing.T) {
	r := newRig(t)
	valid := r.transfer(alice, bob, 5, 0)
	text := valid.Signature.String()
	q, modulus := fmt.Sprintf("%064x", grumpkin.Modulus()), fmt.Sprintf("%064x", fr.Modulus())
	for signature, says := range map[string]string{
		"0x1234":                   "0x and 128 hexadecimal digits",
		text[2:]:                   "0x and 128 hexadecimal digits",
		text[:129] + "g":           "0x and 128 hexadecimal digits",
		text[:66] + q:              "s (the last 32 bytes) is outside [1, q)",
		text[:66] + zeros(64):      "s (the last 32 bytes) is outside [1, q)",
		"0x" + modulus + text[66:]: "R.x (the first 32 bytes) is not below the field modulus r",
	} {
		m := r.members(valid)
		m["signature"] = signature
		r.refused(m, http.StatusBadRequest, settle.CodeSignatureEncoding, says)
	}
}

func TestUnrepresentableAmount(t *testing.T) {
	r := newRig(t)
	valid := r.members(r.transfer(alice, bob, 5, 0))
	for _, c := range []struct{ field, value, below string }{
		{"amount", "34359738369", "34359738367"},
		{"amount", "340282366920938463463374607431768211456", "340282366920000000000000000000000000000"},
		{"amount", strings.Repeat("9", 60), "340282366920000000000000000000000000000"},
		{"fee", "20481", "20470"},
		{"fee", strings.Repeat("9", 60), "20470000000000000000000000000000000"},
	} {
		m := clone(valid)
		m[c.field] = c.value
		r.refused(m, http.StatusUnprocessableEntity, settle.CodeAmountUnfit, c.field, "nearest one below", c.below)
	}
}

func TestNonCanonicalAmount(t *testing.T) {
	r := newRig(t)
	valid := r.members(r.transfer(alice, bob, 5, 0))
	for _, field := range []string{"amount", "fee"} {
		for value, says := range map[string]string{
			"007": "without leading zeros", "00": "without leading zeros", "+5": "without sign, point or exponent",
			"-5": "without sign", "5.0": "without sign, point", "1e3": "exponent",
		} {
			m := clone(valid)
			m[field] = value
			r.refused(m, http.StatusBadRequest, settle.CodeAmountEncoding, fmt.Sprintf("field %q", field), value, says)
		}
	}
}

func TestFeeTooLow(t *testing.T) {
	r := newRig(t)
	r.refused(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.Fee = settle.NewAmount(minFee - 1) }),
		http.StatusUnprocessableEntity, settle.CodeFeeTooLow, "fee is 9", "minimum for token 0 is 10")
}

func TestInsufficientBalance(t *testing.T) {
	r := newRig(t)
	r.refused(r.transfer(alice, bob, balance, 0), http.StatusUnprocessableEntity, settle.CodeInsufficientBalance, "1000000")
	// Accepted, unexecuted debits count.
	r.accept(r.transfer(alice, bob, 600_000, 0))
	r.refused(r.transfer(alice, bob, 600_000, 1), http.StatusUnprocessableEntity, settle.CodeInsufficientBalance)
	r.accept(r.transfer(alice, bob, 300_000, 1))
}

func TestNonces(t *testing.T) {
	r := newRig(t)
	first := r.transfer(alice, bob, 5, 0)
	r.accept(first)
	r.refused(r.transfer(alice, bob, 6, 0), http.StatusConflict, settle.CodeNonceConflict, "nonce 0")
	r.refused(r.transfer(alice, bob, 5, settle.NonceWindow+1), http.StatusUnprocessableEntity, settle.CodeNonceTooFar, "nonce 257")
	last := r.members(r.transfer(alice, bob, 5, 1))
	last["nonce"] = uint64(settle.MaxNonce)
	r.refused(last, http.StatusUnprocessableEntity, settle.CodeNonceTooFar, "expected one below 1099511627775")
	r.execute()
	r.refused(r.transfer(alice, bob, 7, 0), http.StatusConflict, settle.CodeStaleNonce, "nonce 0 is used", "expected 1")
	r.accept(r.transfer(alice, bob, 5, 1))
}

func TestExpired(t *testing.T) {
	r := newRig(t)
	r.accept(r.transfer(alice, bob, 5, 0, func(tr *client.Transfer) { tr.ValidUntil = 1 }))
	r.execute()
	r.refused(r.transfer(alice, bob, 5, 1, func(tr *client.Transfer) { tr.ValidUntil = 1 }),
		http.StatusUnprocessableEntity, settle.CodeExpired, "valid until batch 1", "the next batch is 2")
	r.accept(r.transfer(alice, bob, 5, 1, func(tr *client.Transfer) { tr.ValidUntil = 2 }))
}

func TestTooManyItems(t *testing.T) {
	r := newRig(t)
	items := make([]map[string]any, settle.MaxSubmitItems+1)
	for i := range items {
		items[i] = map[string]any{"kind": "transfer"}
	}
	r.refused(items, http.StatusRequestEntityTooLarge, settle.CodeTooManyItems, "more than 1000 items", "at most 1000")
	require.Len(t, r.array(settle.MaxSubmitItems, items[1:]).Results, settle.MaxSubmitItems)
}

func TestBodyTooLarge(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.MaxBodyBytes = 4096 })
	r.refused(`["`+strings.Repeat("x", 5000)+`"]`, http.StatusRequestEntityTooLarge, settle.CodeBodyTooLarge, "exceeds 4096 bytes")
	r.refused(`"`+strings.Repeat("x", 4094)+`"`, http.StatusBadRequest, settle.CodeMalformedJSON) // exactly the limit
}

func TestMediaType(t *testing.T) {
	r := newRig(t)
	tx := r.transfer(alice, bob, 5, 0)
	for _, header := range [][2]string{
		{"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "text/plain"}, {"Content-Type", ";"}, {"Content-Encoding", "gzip"},
	} {
		out := r.send(http.MethodPost, "/v1/transactions", tx, header[0], header[1])
		require.Equal(t, http.StatusUnsupportedMediaType, out.status)
		require.Equal(t, settle.CodeUnsupportedMedia, out.problem.Code)
		require.Contains(t, out.problem.Detail, "expected")
	}
	out := r.send(http.MethodPost, "/v1/transactions", tx, "Content-Type", "Application/JSON; charset=utf-8")
	require.Equal(t, http.StatusAccepted, out.status)
}

func TestRoutesAndParameters(t *testing.T) {
	r := newRig(t)
	owner := r.wallets[alice].Address()
	for path, want := range map[string]struct {
		code settle.Code
		says string
	}{
		"/":                               {settle.CodeNotFound, "/openapi.json"},
		"/docs":                           {settle.CodeNotFound, "/docs"}, // huma's page loads scripts from elsewhere
		"/schemas/Batch.json":             {settle.CodeNotFound, "/schemas"},
		"/v1/nothing":                     {settle.CodeNotFound, "/v1/nothing"},
		"/v1/transactions/" + zeros(64):   {settle.CodeInvalidField, "0x and 64 hexadecimal digits"},
		"/v1/transactions/0x" + zeros(64): {settle.CodeNotFound, "no transaction 0x000"},
		"/v1/accounts/x":                  {settle.CodeInvalidField, "an account index from 0 to 4294967295"},
		"/v1/accounts/4294967296":         {settle.CodeInvalidField, "an account index from 0 to 4294967295"},
		"/v1/accounts/99":                 {settle.CodeNotFound, "account 99 does not exist"},
		"/v1/accounts":                    {settle.CodeInvalidField, `parameter "owner" is missing`},
		"/v1/accounts" + query("owner", owner.Owner.String()):                                        {settle.CodeInvalidField, `parameter "l1" is missing`},
		"/v1/accounts" + query("owner", "0x1", "l1", owner.L1.String()):                              {settle.CodeInvalidField, `"owner"`},
		"/v1/accounts" + query("owner", owner.Owner.String(), "l1", owner.L1.String(), "x", ""):      {settle.CodeUnknownField, `"x"`},
		"/v1/accounts" + query("owner", owner.Owner.String(), "l1", owner.L1.String(), "limit", "0"): {settle.CodeInvalidField, "a number from 1 to 200"},
		"/v1/batches/0":                {settle.CodeNotFound, "batch 0 is not sealed"},
		"/v1/batches/-1":               {settle.CodeInvalidField, "a batch number from 0 to 4294967295"},
		"/v1/batches?limit=many":       {settle.CodeInvalidField, "a number from 1 to 200"},
		"/v1/batches?before=0":         {settle.CodeInvalidField, "a batch number above 0"},
		"/v1/batches?befor=1":          {settle.CodeUnknownField, `"befor"`},
		"/v1/status?x=1":               {settle.CodeUnknownField, `"x"`},
		"/v1/batches?limit=1&limit=2":  {settle.CodeInvalidField, `"limit" is there 2 times`},
		"/v1/batches?limit=1;before=2": {settle.CodeInvalidField, "name=value pairs"},
		"/v1/batches?limit":            {settle.CodeInvalidField, `"limit" has no value`},
		"/v1/batches?limit=%zz":        {settle.CodeInvalidField, "name=value pairs"},
	} {
		out := r.send(http.MethodGet, path, nil)
		require.Equal(t, want.code, out.problem.Code, path)
		require.Contains(t, out.problem.Detail, want.says, path)
	}
	for path, allow := range map[string]string{"/v1/transactions": "GET, HEAD, POST", "/v1/status": "GET, HEAD"} {
		for _, method := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodOptions, "BREW"} {
			out := r.send(method, path, nil)
			require.Equal(t, http.StatusMethodNotAllowed, out.status, method)
			require.Equal(t, settle.CodeMethodNotAllowed, out.problem.Code)
			require.Equal(t, allow, out.header.Get("Allow"))
		}
	}
	require.Equal(t, http.StatusOK, r.send(http.MethodHead, "/v1/status", nil).status)
}

// In an array the good ones are accepted, each bad one has its code and place.
func TestArrayOfGoodAndBad(t *testing.T) {
	r := newRig(t)
	low := r.transfer(alice, bob, 5, 1, func(tr *client.Transfer) { tr.Fee = settle.NewAmount(1) })
	unsigned := r.transfer(bob, alice, 5, 0)
	unsigned.Signature[63] ^= 1
	spoilt := r.members(r.transfer(bob, alice, 5, 0))
	spoilt["memo"] = true
	results := r.array(8, []any{
		r.transfer(alice, bob, 5, 0), low, r.transfer(alice, bob, 5, 1), unsigned, spoilt,
		r.transfer(carol, twin, 7, 0), r.transfer(carol, twin, 8, 0), r.transfer(alice, bob, 5, 0),
	})
	codes := map[int]settle.Code{1: settle.CodeFeeTooLow, 3: settle.CodeBadSignature, 4: settle.CodeUnknownField, 6: settle.CodeNonceConflict}
	for i, result := range results.Results {
		code, bad := codes[i]
		if !bad {
			require.Nil(t, result.Problem, i)
			require.Equal(t, settle.TxAccepted, result.Status)
			var stored wire.TransactionState
			r.get("/v1/transactions/"+result.ID.String(), &stored)
			require.Equal(t, settle.TxAccepted, stored.Status)
			continue
		}
		require.Equal(t, code, result.Problem.Code)
		require.Equal(t, i, *result.Problem.Index)
		require.NotEmpty(t, result.Problem.Detail)
		require.Empty(t, result.Status)
	}
	require.True(t, results.Results[7].Existing, "the same content twice in one array")
	require.Equal(t, *results.Results[0].ID, *results.Results[7].ID)
	require.Equal(t, 3, results.Accepted)
	require.Equal(t, 1, results.Existing)
	require.Equal(t, 4, results.Refused)
	require.Contains(t, r.metric("settle_submissions_total"), `settle_submissions_total{outcome="accepted"} 3`)
	require.Contains(t, r.metric("settle_submissions_total"), `settle_submissions_total{outcome="fee_too_low"} 1`)

	require.Empty(t, r.array(0, []any{}).Results)
}
