package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// conforms checks a JSON value against the part of JSON Schema that our document uses.
func conforms(doc map[string]any, schema map[string]any, v any) error {
	if ref, ok := schema["$ref"].(string); ok {
		var target any = doc
		for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			target = target.(map[string]any)[key]
		}
		return conforms(doc, target.(map[string]any), v)
	}
	if choices, ok := schema["oneOf"].([]any); ok {
		var matches int
		var last error
		for _, c := range choices {
			if last = conforms(doc, c.(map[string]any), v); last == nil {
				matches++
			}
		}
		if matches != 1 {
			return fmt.Errorf("%d of oneOf match: %w", matches, last)
		}
		return nil
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%v is none of %v", v, enum)
	}
	switch value := v.(type) {
	case string:
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(value) {
			return fmt.Errorf("%q does not match %s", value, pattern)
		}
		return ofType(schema, "string")
	case bool:
		return ofType(schema, "boolean")
	case float64:
		if value == float64(int64(value)) && schema["type"] == "integer" {
			return nil
		}
		return ofType(schema, "number")
	case []any:
		for i, item := range value {
			if err := conforms(doc, schema["items"].(map[string]any), item); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return ofType(schema, "array")
	case map[string]any:
		return objectConforms(doc, schema, value)
	}
	return fmt.Errorf("null where the document has %v", schema["type"])
}

func ofType(schema map[string]any, name string) error {
	if schema["type"] != name {
		return fmt.Errorf("a %s where the document has %v", name, schema["type"])
	}
	return nil
}

func objectConforms(doc, schema, value map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := value[name.(string)]; !ok {
			return fmt.Errorf("%v is missing", name)
		}
	}
	for name, inner := range value {
		property, ok := properties[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s is not in the document", name)
		}
		if err := conforms(doc, property, inner); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return ofType(schema, "object")
}

// What the API answers is what its document says, field by field.
func TestRepliesConformToTheDocument(t *testing.T) {
	r := newKindRig(t)
	doc := r.document()
	check := func(method, path, route string, body any) reply {
		t.Helper()
		out := r.send(method, path, body)
		media := "application/json"
		if out.status >= 400 {
			media = "application/problem+json"
		}
		schema := at(t, doc, "paths", route, strings.ToLower(method), "responses", strconv.Itoa(out.status), "content", media, "schema")
		var v any
		require.NoError(t, json.Unmarshal(out.body, &v))
		require.NoError(t, conforms(doc, schema.(map[string]any), v), "%s %s: %s", method, path, out.body)
		return out
	}
	tx := r.transfer(alice, bob, 5, 0)
	const submit = "/v1/transactions"
	require.Equal(t, http.StatusAccepted, check(http.MethodPost, submit, submit, tx).status)
	require.Equal(t, http.StatusOK, check(http.MethodPost, submit, submit, tx).status)
	check(http.MethodPost, submit, submit, []any{tx, r.transfer(alice, bob, 5, 1), 7})
	check(http.MethodPost, submit, submit, "{")
	check(http.MethodPost, submit, submit, r.transfer(alice, bob, 6, 0))
	check(http.MethodPost, submit, submit, r.transfer(alice, bob, balance, 2))

	id, owner := r.accept(r.transfer(bob, alice, 5, 0)).ID, r.wallets[alice].Address()
	_, err := r.client.ExitAll(t.Context(), r.wallets[bob], 0)
	require.NoError(t, err)
	r.executeOn(kindShape())
	last, err := r.store.LastBatch(t.Context())
	require.NoError(t, err)
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		r.prove(n)
		r.settle(n)
	}
	exits := fmt.Sprintf("/v1/batches/%d/exits", last.Number)
	for _, c := range [][2]string{
		{"/v1/transactions?ids=" + id.String() + ",0x" + strings.Repeat("0", 64), "/v1/transactions"}, {"/v1/transactions", "/v1/transactions"},
		{"/v1/transactions/" + id.String(), "/v1/transactions/{id}"}, {"/v1/transactions/x", "/v1/transactions/{id}"},
		{"/v1/accounts/2", "/v1/accounts/{index}"}, {"/v1/accounts/99", "/v1/accounts/{index}"},
		{"/v1/accounts/2?batch=0", "/v1/accounts/{index}"}, {"/v1/accounts/2/proof", "/v1/accounts/{index}/proof"},
		{"/v1/accounts" + query("owner", owner.Owner.String(), "l1", owner.L1.String(), "limit", "1"), "/v1/accounts"},
		{"/v1/batches/1", "/v1/batches/{number}"}, {"/v1/batches", "/v1/batches"}, {"/v1/batches?limit=1", "/v1/batches"},
		{exits, "/v1/batches/{number}/exits"}, {"/v1/batches/0/exits", "/v1/batches/{number}/exits"}, {"/v1/batches/99/exits", "/v1/batches/{number}/exits"},
		{"/v1/exits" + query("l1", r.wallets[bob].Address().L1.String(), "limit", "1"), "/v1/exits"}, {"/v1/exits", "/v1/exits"},
		{"/v1/status", "/v1/status"},
	} {
		check(http.MethodGet, c[0], c[1], nil)
	}
}
