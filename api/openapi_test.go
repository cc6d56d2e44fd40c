package api_test

import (
	"encoding/json"
	"go/ast"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// document is /openapi.json as maps.
func (r *rig) document() map[string]any {
	r.t.Helper()
	out := r.send(http.MethodGet, "/openapi.json", nil)
	require.Equal(r.t, http.StatusOK, out.status)
	require.Equal(r.t, "application/openapi+json", out.header.Get("Content-Type"))
	var doc map[string]any
	require.NoError(r.t, json.Unmarshal(out.body, &doc))
	return doc
}

// at follows a path of keys.
func at(t testing.TB, v any, keys ...string) any {
	t.Helper()
	for _, key := range keys {
		m, ok := v.(map[string]any)
		require.True(t, ok, "no object at %s of %v", key, keys)
		v, ok = m[key]
		require.True(t, ok, "no %s of %v", key, keys)
	}
	return v
}

// walk calls f for every object in v.
func walk(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, inner := range v {
			walk(inner, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, f)
		}
	}
}

func TestOpenAPIDocument(t *testing.T) {
	r := newRig(t)
	doc := r.document()
	require.Equal(t, "3.1.0", at(t, doc, "openapi"))
	require.Equal(t, "Settle", at(t, doc, "info", "title"))
	require.Equal(t, "test", at(t, doc, "info", "version"))

	// Every reference leads somewhere, every pattern compiles.
	walk(doc, func(m map[string]any) {
		if ref, ok := m["$ref"].(string); ok {
			at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		if pattern, ok := m["pattern"].(string); ok {
			_, err := regexp.Compile(pattern)
			require.NoError(t, err)
		}
	})

	// Every operation: unique id, summary, described parameters, an example and a
	// problem for each error.
	ids := map[string]bool{}
	for path, item := range at(t, doc, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			id := at(t, op, "operationId").(string)
			require.False(t, ids[id], id)
			ids[id] = true
			require.NotEmpty(t, at(t, op, "summary"), path)
			require.Contains(t, []string{"get", "post"}, method)
			if parameters, ok := op.(map[string]any)["parameters"]; ok {
				for _, p := range parameters.([]any) {
					require.NotEmpty(t, at(t, p, "description"))
					require.NotEmpty(t, at(t, p, "schema", "pattern"))
				}
			}
			for status, response := range at(t, op, "responses").(map[string]any) {
				if status < "400" {
					require.NotEmpty(t, at(t, response, "content"), "%s %s", path, status)
					continue
				}
				require.Equal(t, "#/components/schemas/Problem", at(t, response, "content", "application/problem+json", "schema", "$ref"))
				require.NotEmpty(t, at(t, response, "content", "application/problem+json", "examples"))
			}
		}
	}
	require.Len(t, ids, 12)
	for name := range at(t, doc, "components", "schemas").(map[string]any) {
		require.True(t, ast.IsExported(name))
		require.NotContains(t, name, "Error", "huma's own error model is not ours")
	}
}

func TestOpenAPIListsEveryCode(t *testing.T) {
	r := newRig(t)
	doc := r.document()
	var codes []string
	for _, code := range at(t, doc, "components", "schemas", "Problem", "properties", "code", "enum").([]any) {
		codes = append(codes, code.(string))
	}
	page := errorsPage(t)
	require.ElementsMatch(t, page, codes)
	// Those that a submission can get stand beside it as examples.
	examples := map[string]bool{}
	for status, response := range at(t, doc, "paths", "/v1/transactions", "post", "responses").(map[string]any) {
		if status >= "400" {
			for code := range at(t, response, "content", "application/problem+json", "examples").(map[string]any) {
				examples[code] = true
			}
		}
	}
	for _, code := range page {
		require.True(t, examples[code] || code == "not_found", code)
	}
}

func TestOpenAPIDocumentsSubmission(t *testing.T) {
	r := newRig(t)
	doc := r.document()
	body := at(t, doc, "paths", "/v1/transactions", "post", "requestBody", "content", "application/json")
	require.Len(t, at(t, body, "schema", "oneOf"), 2)
	transaction := at(t, doc, "components", "schemas", "Transaction").(map[string]any)
	require.Equal(t, false, transaction["additionalProperties"])
	var required []string
	for _, name := range transaction["required"].([]any) {
		required = append(required, name.(string))
	}
	slices.Sort(required)
	require.Equal(t, []string{"amount", "fee", "from", "kind", "nonce", "public_key", "signature", "to", "to_l1", "to_owner", "token"}, required)
	// The example is read as far as the rules that need real accounts and keys.
	out := r.send(http.MethodPost, "/v1/transactions", at(t, body, "examples", "one", "value"))
	require.Equal(t, http.StatusUnprocessableEntity, out.status, "%s", out.body)
}
