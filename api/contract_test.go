package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// contract holds answers to the committed OpenAPI document, as a strict client does:
// status, media type and headers are documented, no field is unknown, numbers fit
// their format. It remembers what was answered.
type contract struct {
	doc map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	answered map[string]bool // "GET /v1/status 200"
	codes    map[string]bool // of problems, also of items and rejections
}

const (
	contractFile = "openapi.json"
	contractURL  = "https://settle.example/openapi.json"
)

func newContract(t testing.TB) *contract {
	t.Helper()
	text, err := os.ReadFile(contractFile)
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := &contract{doc: parsed.(map[string]any), compiler: jsonschema.NewCompiler(), answered: map[string]bool{}, codes: map[string]bool{}}
	// Clients ignore unknown fields; we may not send any that is not documented.
	walk(at(t, c.doc, "components", "schemas"), func(m map[string]any) {
		if _, ok := m["properties"].(map[string]any); ok {
			m["additionalProperties"] = false
		}
	})
	c.compiler.DefaultDraft(jsonschema.Draft2020) // of OpenAPI 3.1
	c.compiler.AssertFormat()
	for name, bits := range map[string]int{"int32": 32, "int64": 64} {
		c.compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			n, ok := v.(json.Number)
			if !ok {
				return nil // the type is checked beside it
			}
			_, err := strconv.ParseInt(n.String(), 10, bits)
			return err
		}})
	}
	require.NoError(t, c.compiler.AddResource(contractURL, c.doc))
	return c
}

// conform checks a value against the schema at a place of the document.
func (c *contract) conform(value any, place ...string) error {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	pointer := "#"
	for _, key := range place {
		pointer += "/" + escape.Replace(key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, err := c.compiler.Compile(contractURL + pointer)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// operations returns the documented path that leads to a requested one, with its
// operations by method in lower case; nil if there is none.
func (c *contract) operations(requested string) (string, map[string]any) {
	asked := strings.Split(requested, "/")
	for path, item := range c.doc["paths"].(map[string]any) {
		if slices.EqualFunc(strings.Split(path, "/"), asked, func(p, a string) bool { return p == a || strings.HasPrefix(p, "{") && a != "" }) {
			return path, item.(map[string]any)
		}
	}
	return "", nil
}

// hold checks an answer whose body was read.
func (c *contract) hold(resp *http.Response, body []byte) error {
	path, operations := c.operations(resp.Request.URL.Path)
	method := strings.ToLower(resp.Request.Method)
	if method == "head" {
		method = "get"
	}
	if operations == nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			return fmt.Errorf("status %d where no path is documented", resp.StatusCode)
		}
		return c.problem(body, resp.Request.Method)
	}
	if isPreflight(resp.Request) && resp.StatusCode == http.StatusNoContent {
		return preflight(resp, body, operations)
	}
	methods := []string{method}
	if _, ok := operations[method]; !ok {
		if resp.StatusCode != http.StatusMethodNotAllowed {
			return fmt.Errorf("status %d for a method that is not documented", resp.StatusCode)
		}
		methods = slices.Sorted(maps.Keys(operations))
	}
	for _, m := range methods {
		if err := c.response(resp, body, path, m, operations[m].(map[string]any)); err != nil {
			return err
		}
	}
	return nil
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight checks the answer to a browser's question before a request of another
// origin. It belongs to the Fetch standard, and no document lists it.
func preflight(resp *http.Response, body []byte, operations map[string]any) error {
	if len(body) > 0 {
		return fmt.Errorf("a preflight is answered by the body %q", body)
	}
	if allowed := resp.Header.Get("Access-Control-Allow-Origin"); allowed != resp.Request.Header.Get("Origin") {
		return fmt.Errorf("a preflight is allowed to the origin %q", allowed)
	}
	asked := resp.Request.Header.Get("Access-Control-Request-Method")
	if _, ok := operations[strings.ToLower(asked)]; !ok {
		return fmt.Errorf("a preflight allows %s, which is not documented", asked)
	}
	return nil
}

func (c *contract) problem(body []byte, method string) error {
	if method == http.MethodHead {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return c.conform(value, "components", "schemas", "Problem")
}

func (c *contract) response(resp *http.Response, body []byte, path, method string, operation map[string]any) error {
	status := strconv.Itoa(resp.StatusCode)
	documented, ok := operation["responses"].(map[string]any)[status].(map[string]any)
	if !ok {
		return fmt.Errorf("status %s of %s %s is not documented", status, method, path)
	}
	place := []string{"paths", path, method, "responses", status}
	headers, _ := documented["headers"].(map[string]any)
	for name := range headers {
		if err := c.conform(json.Number(resp.Header.Get(name)), append(place, "headers", name, "schema")...); err != nil {
			return fmt.Errorf("header %s is %q: %w", name, resp.Header.Get(name), err)
		}
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	content, _ := documented["content"].(map[string]any)
	if _, ok := content[media]; !ok {
		return fmt.Errorf("media type %s of %s %s %s is not documented", media, method, path, status)
	}
	if resp.Request.Method != http.MethodHead {
		value, err := any(string(body)), error(nil)
		if strings.HasSuffix(media, "json") {
			value, err = jsonschema.UnmarshalJSON(bytes.NewReader(body))
		}
		if err = errors.Join(err, c.conform(value, append(place, "content", media, "schema")...)); err != nil {
			return err
		}
		if media != "application/openapi+json" { // whose examples have codes
			c.remember(value)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered[strings.ToUpper(method)+" "+path+" "+status] = true
	return nil
}

func (c *contract) remember(answer any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	walk(answer, func(m map[string]any) {
		if code, ok := m["code"].(string); ok {
			c.codes[code] = true
		}
	})
}
