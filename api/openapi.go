package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// Schemas of types whose JSON is a string.
type (
	decimalSchema   struct{}
	digestSchema    struct{}
	addressSchema   struct{}
	signatureSchema struct{}
)

func stringSchema(pattern, example string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, Examples: []any{example}}
}

// Schema implements huma.SchemaProvider.
func (decimalSchema) Schema(huma.Registry) *huma.Schema {
	return stringSchema("^(0|[1-9][0-9]{0,38})$", "1250000")
}

// Schema implements huma.SchemaProvider.
func (digestSchema) Schema(huma.Registry) *huma.Schema {
	return stringSchema("^0x[0-9a-fA-F]{64}$", exampleTransfer().ToOwner.String())
}

// Schema implements huma.SchemaProvider.
func (addressSchema) Schema(huma.Registry) *huma.Schema {
	return stringSchema("^0x[0-9a-fA-F]{40}$", exampleTransfer().ToL1.String())
}

// Schema implements huma.SchemaProvider.
func (signatureSchema) Schema(huma.Registry) *huma.Schema {
	return stringSchema("^0x[0-9a-fA-F]{128}$", exampleTransfer().Signature.String())
}

// exampleTransfer has the form of a transfer; its keys and signature are made up.
func exampleTransfer() wire.Transaction {
	t := wire.Transaction{
		Kind: settle.KindTransfer.String(), From: 3, To: 7, Token: 0,
		Amount: settle.NewAmount(1_250_000), Fee: settle.NewAmount(100), Nonce: 12,
	}
	for i := range t.ToOwner {
		t.ToOwner[i], t.PublicKey[i] = byte(0x11+i), byte(0x21+i)
	}
	for i := range t.ToL1 {
		t.ToL1[i] = byte(0xa0 + i)
	}
	for i := range t.Signature {
		t.Signature[i] = byte(0x10 + i%32)
	}
	return t
}

// exampleOf has the form of another kind: what it fixes at 0 is said as well.
func exampleOf(kind settle.Kind) wire.Transaction {
	t := exampleTransfer()
	t.Kind, t.To = kind.String(), 0
	if kind != settle.KindOpen {
		t.ToOwner = settle.Element{}
	}
	if kind == settle.KindExitAll {
		t.Amount = settle.Amount{}
	}
	return t
}

// humaConfig is huma without its documentation page, schema links and defaults
// that would fetch or reveal more than the interface needs.
func (s *Server) humaConfig() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	alias[settle.Amount, decimalSchema](registry)
	alias[settle.Hash, digestSchema](registry)
	alias[settle.Element, digestSchema](registry)
	alias[settle.Address, addressSchema](registry)
	alias[wire.Signature, signatureSchema](registry)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Settle", Version: s.cfg.Version,
				Description: "REST interface of the Settle rollup, version 1. Submissions are durable when acknowledged, and repeating one is harmless: " +
					"the same transaction has the same id. Every error is an RFC 9457 problem with a stable code. Clients ignore fields that they do not know.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{Schemas: registry},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.transform},
	}
}

func alias[T, Schema any](r huma.Registry) { r.RegisterTypeAlias(typeOf[T](), typeOf[Schema]()) }

// responses documents success replies and, by status, every problem that can come.
func responses(api huma.API, success map[int]*huma.Response, statuses ...int) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for status, r := range success {
		out[strconv.Itoa(status)] = r
	}
	schema := problemSchema(api.OpenAPI().Components.Schemas)
	for _, status := range append(statuses, http.StatusMethodNotAllowed, http.StatusInternalServerError) {
		r := &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema, Examples: problemExamples(status)}},
		}
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			r.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds to wait", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(1.0)}}}
		}
		out[strconv.Itoa(status)] = r
	}
	return out
}

// problemSchema is wire.Problem with its codes listed.
func problemSchema(r huma.Registry) *huma.Schema {
	ref := r.Schema(typeOf[wire.Problem](), true, "")
	codes := make([]any, len(catalogue))
	for i, e := range catalogue {
		codes[i] = string(e.code)
	}
	r.SchemaFromRef(ref.Ref).Properties["code"].Enum = codes
	return ref
}

func problemExamples(status int) map[string]*huma.Example {
	examples := map[string]*huma.Example{}
	for _, e := range catalogue {
		if e.status == status {
			examples[string(e.code)] = &huma.Example{Summary: e.meaning, Value: newProblem(e.code, "%s", e.remedy).Problem}
		}
	}
	return examples
}

func jsonContent(schema *huma.Schema, examples map[string]any) map[string]*huma.MediaType {
	m := &huma.MediaType{Schema: schema}
	if len(examples) > 0 {
		m.Examples = map[string]*huma.Example{}
	}
	for name, v := range examples {
		m.Examples[name] = &huma.Example{Value: v}
	}
	return map[string]*huma.MediaType{"application/json": m}
}

// submissionBody documents what submit reads: one transaction or an array.
func (s *Server) submissionBody(r huma.Registry) *huma.RequestBody {
	one, most := r.Schema(typeOf[wire.Transaction](), true, ""), settle.MaxSubmitItems
	return &huma.RequestBody{
		Required:    true,
		Description: fmt.Sprintf("One signed transaction, or an array of at most %d; at most %d bytes.", settle.MaxSubmitItems, s.cfg.MaxBodyBytes),
		Content: jsonContent(
			&huma.Schema{OneOf: []*huma.Schema{one, {Type: huma.TypeArray, Items: one, MaxItems: &most}}},
			map[string]any{
				"one": exampleTransfer(), "array": []wire.Transaction{exampleTransfer()},
				"open": exampleOf(settle.KindOpen), "exit": exampleOf(settle.KindExit), "exit-all": exampleOf(settle.KindExitAll),
			}),
	}
}

func submissionReplies(r huma.Registry) map[int]*huma.Response {
	receipt, results := r.Schema(typeOf[wire.Receipt](), true, ""), r.Schema(typeOf[wire.Results](), true, "")
	id := settle.Hash(exampleTransfer().PublicKey)
	again := wire.Receipt{ID: id, Status: settle.TxAccepted, Existing: true}
	list := wire.Results{Accepted: 1, Refused: 1, Results: []wire.Result{
		{ID: &id, Status: settle.TxAccepted},
		{Problem: itemProblem(settle.Refuse(settle.CodeStaleNonce, "nonce 4 is used, account 3 is at nonce 12"), 1)},
	}}
	return map[int]*huma.Response{
		http.StatusAccepted: {
			Description: "One transaction, newly stored",
			Content:     jsonContent(receipt, map[string]any{"accepted": wire.Receipt{ID: id, Status: settle.TxAccepted}}),
		},
		http.StatusOK: {
			Description: "One transaction that was stored before; or an array: one result per item in order, refused ones with their problem",
			Content: jsonContent(&huma.Schema{OneOf: []*huma.Schema{receipt, results}},
				map[string]any{"existing": again, "array": list}),
		},
	}
}

// documentSchema is what a client may rely on of the document itself.
func documentSchema() *huma.Schema {
	anyObject := func() *huma.Schema { return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true} }
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"openapi", "info", "paths", "components"},
		Properties: map[string]*huma.Schema{
			"openapi": stringSchema(`^3\.1\.[0-9]+$`, "3.1.0"), "info": anyObject(), "paths": anyObject(), "components": anyObject(),
		},
	}
}

// exactIntegers gives every integer its true range. huma documents unsigned numbers of
// 32 bits as int32, whose upper half a strict client refuses; nothing in the interface
// is negative.
func exactIntegers(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeInteger {
		if s.Format == "int32" && s.Minimum != nil && s.Maximum == nil { // unsigned
			s.Maximum = new(float64(math.MaxUint32))
		}
		s.Format = "int64"
		if s.Minimum == nil {
			s.Minimum = new(0.0)
		}
	}
	exactIntegers(s.Items)
	for _, p := range s.Properties {
		exactIntegers(p)
	}
}

// neverFails takes 500 out of what an operation without work of its own can answer.
func neverFails(api huma.API, paths ...string) {
	for _, path := range paths {
		delete(api.OpenAPI().Paths[path].Get.Responses, strconv.Itoa(http.StatusInternalServerError))
	}
}

// finishSpec renders the document once. Replies may gain fields: their schemas say
// nothing about unknown ones, which allows them and leaves generated types exact. Only
// the submitted transaction is closed.
func finishSpec(api huma.API) ([]byte, error) {
	schemas := api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // registered by huma for replies that we transform
	delete(schemas, "ErrorDetail")
	for name, schema := range schemas {
		exactIntegers(schema)
		if name != "Transaction" && schema.Type == huma.TypeObject {
			schema.AdditionalProperties = nil
		}
	}
	spec, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("api: render the OpenAPI document: %w", err)
	}
	return spec, nil
}
