package api

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/zksettle/settle"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// routes registers every route and renders the OpenAPI document.
func (s *Server) routes() error {
	api := humago.New(s.mux, s.humaConfig())
	api.UseMiddleware(refuseUnknownParameters)
	const unavailable, bad, missing = http.StatusServiceUnavailable, http.StatusBadRequest, http.StatusNotFound

	huma.Register(api, huma.Operation{
		OperationID: "submitTransactions", Method: http.MethodPost, Path: "/v1/transactions", Tags: []string{"transactions"},
		Summary:     "Submit one signed transaction, or an array of them",
		Description: "One object is answered by 202 (new), 200 (stored before) or a problem. An array is answered by 200 with a result per item, in order; refused items carry their problem and the good ones are stored. Problems of the whole request store nothing.",
		Responses: responses(api, submissionReplies(api.OpenAPI().Components.Schemas), bad, http.StatusRequestTimeout, http.StatusConflict,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests, unavailable),
		DefaultStatus: http.StatusAccepted,
	}, s.submit)
	// Documented after registration, or huma would read and validate the body itself.
	api.OpenAPI().Paths["/v1/transactions"].Post.RequestBody = s.submissionBody(api.OpenAPI().Components.Schemas)

	get(api, "getTransactions", "/v1/transactions", "transactions", "Several transactions and what became of them, in one look-up", s.transactions, bad, unavailable)
	get(api, "getTransaction", "/v1/transactions/{id}", "transactions", "A transaction and what became of it", s.transaction, bad, missing, unavailable)
	get(api, "getAccount", "/v1/accounts/{index}", "accounts", "An account: executed state, pending debits, next nonce; or as a batch left it", s.account, bad, missing, unavailable)
	get(api, "getAccountProof", "/v1/accounts/{index}/proof", "accounts", "Merkle proof of an account against the root after a batch", s.accountProof, bad, missing, unavailable)
	get(api, "listAccounts", "/v1/accounts", "accounts", "The accounts of a payment address (owner, l1), by index", s.accounts, bad, unavailable)
	get(api, "getBatch", "/v1/batches/{number}", "batches", "A batch with its proofs and settlement", s.batch, bad, missing, unavailable)
	get(api, "listBatches", "/v1/batches", "batches", "Batches, newest first", s.batches, bad, unavailable)
	get(api, "getBatchExits", "/v1/batches/{number}/exits", "exits", "The exits of a settled batch, with what proves each to the rollup contract", s.batchExits, bad, missing, unavailable)
	get(api, "listExits", "/v1/exits", "exits", "The settled exits for an Ethereum address, with what proves each, by batch", s.exits, bad, unavailable)
	get(api, "getStatus", "/v1/status", "status", "The rollup's identity, fees, progress and backlog", s.status, bad, unavailable)
	s.plain(api, "openapi", "/openapi.json", "This document (OpenAPI 3.1)", "application/openapi+json", documentSchema(), http.HandlerFunc(s.serveSpec))
	neverFails(api, "/openapi.json")
	var err error
	s.spec, err = finishSpec(api)
	return err
}

// get registers a read. Parameters are strings that the handlers read themselves,
// so that what they say of a bad one is ours.
func get[I, O any](api huma.API, id, path, tag, summary string, handler func(context.Context, *I) (*O, error), statuses ...int) {
	huma.Register(api, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tag},
		Responses: responses(api, nil, statuses...), SkipValidateParams: true,
	}, handler)
}

// plain registers and documents a route outside of huma.
func (s *Server) plain(api huma.API, id, path, summary, media string, schema *huma.Schema, h http.Handler) {
	s.mux.Handle("GET "+path, h)
	api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"operations"},
		Responses: responses(api, map[int]*huma.Response{http.StatusOK: {
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{media: {Schema: schema}},
		}}),
	})
}

// refuseUnknownParameters catches misspelt, repeated and undecodable query
// parameters, which would otherwise be ignored in silence.
func refuseUnknownParameters(ctx huma.Context, next func(huma.Context)) {
	requested := ctx.URL()
	if p := wrongParameters(requested.RawQuery, ctx.Operation().Parameters); p != nil {
		_, w := humago.Unwrap(ctx)
		p.write(w)
		return
	}
	next(ctx)
}

func wrongParameters(query string, parameters []*huma.Param) *problem {
	values, err := url.ParseQuery(query)
	if err != nil {
		return newProblem(settle.CodeInvalidField, "the query %s cannot be read: %v; expected name=value pairs joined by &", quote(query), err)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		known := slices.ContainsFunc(parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
		if !known {
			return newProblem(settle.CodeUnknownField, "query parameter %s does not exist here, the parameters are listed in /openapi.json", quote(name))
		}
		if len(values[name]) > 1 {
			return newProblem(settle.CodeInvalidField, "parameter %q is there %d times, expected once", name, len(values[name]))
		}
	}
	for pair := range strings.SplitSeq(query, "&") {
		if pair != "" && !strings.Contains(pair, "=") { // huma would read it as "true"
			return newProblem(settle.CodeInvalidField, "parameter %s has no value, expected name=value", quote(pair))
		}
	}
	return nil
}

func (s *Server) serveSpec(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(s.spec) // a client that is gone cannot be told
}
